"""Pulumi's own installer, run through the Automation API in a child process that has a deadline."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from moorage.deploy.cli.children import ask
from moorage.deploy.progress import Say, Tick

HOST = "get.pulumi.com"
SCRIPT = f"https://{HOST}/install.sh"
REACH_DEADLINE_S = 4.0
INSTALL_DEADLINE_S = 300.0

# The child installs into the folder given and prints the version, which names the final folder.
CHILD = """
import sys
from pulumi.automation import PulumiCommand
print(PulumiCommand.install(root=sys.argv[1]).version)
"""


def install(
    home: Path,
    say: Say,
    tick: Tick,
    *,
    python: Callable[[], Path | None],
    environ: Mapping[str, str],
    reachable: Callable[[], bool] | None = None,
) -> Path | None:
    """Have the installer put a CLI into the versions folder; None, with a line, when it cannot."""
    if not (reachable or reach)():
        say(f"Pulumi's installer is out of reach: {HOST} does not answer")
        return None
    interpreter = python()
    if interpreter is None:
        return None
    say(f"fetching the Pulumi CLI by Pulumi's installer ({HOST})")
    tick("Pulumi CLI", "downloading by Pulumi's installer")
    versions = home / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=versions) as draft:
        path = _install_into(Path(draft) / "cli", versions, say, interpreter, environ)
    tick("Pulumi CLI", "")
    return path


def reach(url: str = SCRIPT) -> bool:
    """Whether a page of Pulumi's can be had; a thread, as name look-ups have no deadline."""
    answers: list[bool] = []
    asker = threading.Thread(target=lambda: answers.append(_answers(url)), daemon=True)
    asker.start()
    asker.join(REACH_DEADLINE_S)
    return answers == [True]


def _answers(url: str) -> bool:
    request = Request(url, method="HEAD")  # noqa: S310 (ours, not a user's)
    try:
        with urlopen(request, timeout=REACH_DEADLINE_S) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def _install_into(
    draft: Path, versions: Path, say: Say, interpreter: Path, environ: Mapping[str, str]
) -> Path | None:
    ended = ask([interpreter, "-c", CHILD, draft], deadline_s=INSTALL_DEADLINE_S, env=environ)
    if ended.code is None:
        say(f"Pulumi's installer did not finish within {INSTALL_DEADLINE_S:.0f} s; gave it up")
        return None
    if ended.code != 0:
        say(f"Pulumi's installer failed: {ended.last_line[:160]}")
        return None
    final = versions / ended.out.split()[-1]
    shutil.rmtree(
        final, ignore_errors=True
    )  # only a CLI that did not answer can be there: `find` came first
    draft.rename(final)
    return final / "bin" / "pulumi"
