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

from bare import Stack, workspace
from clock import Line, Took, in_turns, told, took
from engine import environ
from pulumi.automation import OpType

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


def bare(root: Path) -> None:
    """Preview what lies in a checkout, by the Automation API alone."""
    from moorage.cli.stacks import run_program

    home = root / ".moorage"
    passphrase = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase")}
    space = workspace(home / "work" / STACK, lambda: run_program(root), home, passphrase)
    found = Stack(STACK, space).preview(parallel=64, color="never")
    if set(found.change_summary) != {OpType.SAME}:
        message = f"the preview finds changes: {found.change_summary}"
        raise SystemExit(message)


if __name__ == "__main__":
    bare(Path.cwd())
