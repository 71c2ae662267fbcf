"""A preview of the example stack, deployed and unchanged: `moorage preview` beside a bare one.

`python previews.py` in a checkout is the bare side: the Automation API, the same program, the
same plugin and the same state.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from clock import Line, Took, in_turns, told, took
from engine import environ
from pulumi import automation as auto

ADDED_S: Final = 0.5  # at most
STACK: Final = "local"


def measure(rounds: int) -> list[Line]:
    """Deploy the stack once in a checkout of its own, preview it in turns, take it away."""
    from tests.e2e.checkout import a_checkout

    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        root = Path(folder)
        with a_checkout(root) as checkout:
            env = {**checkout.environ, **environ()}
            took([sys.executable, "-m", "moorage", "up"], root, env)

            def preview(*words: str) -> Took:
                return took([sys.executable, *words], root, env)

            ours = ("-m", "moorage", "preview", "--expect-no-changes")
            sides = {"ours": lambda: preview(*ours), "bare": lambda: preview(__file__)}
            runs = in_turns(rounds, sides)
    return _lines(runs)


def _lines(runs: dict[str, list[Took]]) -> list[Line]:
    pairs = list(zip(runs["ours"], runs["bare"], strict=True))
    added_s = median(ours.wall_s - bare.wall_s for ours, bare in pairs)
    cpu_s = median(ours.cpu_s - bare.cpu_s for ours, bare in pairs)
    return [
        Line(what="preview of the example stack, unchanged, ours", measured=told(runs["ours"])),
        Line(what="the same, bare", measured=told(runs["bare"])),
        Line(
            what="added by ours, median of the rounds",
            measured=f"{added_s:.2f} s (of CPU {cpu_s:.2f} s)",
            limit=f"{ADDED_S:g} s",
            kept=added_s <= ADDED_S,
        ),
    ]


class _Unselected(auto.LocalWorkspace):
    """One run of the CLI less: our side selects no stack either."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing."""


def bare(root: Path) -> None:
    """Preview what lies in a checkout, by the Automation API alone."""
    from moorage.cli.stacks import run_program

    home = root / ".moorage"
    settings = {
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
        "PULUMI_CREDENTIALS_PATH": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    workspace = _Unselected(
        work_dir=str(home / "work" / STACK),
        program=lambda: run_program(root),
        env_vars=settings,
    )
    found = auto.Stack.select(STACK, workspace).preview(parallel=64, color="never")
    if set(found.change_summary) != {auto.OpType.SAME}:
        message = f"the preview finds changes: {found.change_summary}"
        raise SystemExit(message)


if __name__ == "__main__":
    bare(Path.cwd())
