"""A checkup of this machine and checkout: what is installed, reachable, running, and missing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil

from moorage.deploy.cli import cli_build, cli_install, pulumi_cli
from moorage.deploy.cli.children import ask
from moorage.deploy.locking import engine_locks
from moorage.deploy.stored.stores import Folder

PACKAGES = ("moorage", "pulumi", "pulumi-docker", "huggingface-hub", "xllamacpp", "locust")
REACH_DEADLINE_S = 4.0
TOOL_DEADLINE_S = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at; `fine` is None where neither answer is a fault."""

    area: str  # installed, reachable or running
    what: str
    fine: bool | None
    says: str


def checkup(root: Path) -> list[Finding]:
    """Look at everything, all at once: the slow ones are waits for other machines."""
    looks: list[Callable[[], list[Finding]]] = [
        lambda: [_python(), *_packages()],
        lambda: [_pulumi()],
        lambda: [_go(root)],
        lambda: [_docker(), _docker_plugin()],
        lambda: [_reach("Hugging Face Hub", _hub(), "models are generated or refused instead")],
        lambda: [
            _reach("Pulumi's installer", f"https://{cli_install.HOST}", "Go builds the CLI instead")
        ],
        lambda: [*_stacks(root), *_processes(root)],
    ]
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        return [finding for found in pool.map(lambda look: look(), looks) for finding in found]


def _python() -> Finding:
    says = f"{platform.python_version()} at {sys.executable}"
    return Finding(area="installed", what="Python", fine=sys.version_info >= (3, 11), says=says)


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(area="installed", what=name, fine=True, says=metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(area="installed", what=name, fine=False, says="missing; `make setup`")


def _pulumi() -> Finding:
    notes: list[str] = []
    cli = pulumi_cli.find(notes.append)
    if cli is None:
        says = "; ".join([*notes, "none found; `make setup` says how to get one"])
        return Finding(area="installed", what="Pulumi CLI", fine=False, says=says)
    says = "; ".join([f"{cli.version} at {cli.path} ({cli.origin})", *notes])
    return Finding(area="installed", what="Pulumi CLI", fine=True, says=says)


def _go(root: Path) -> Finding:
    notes: list[str] = []
    recipe = root / "tools" / "pulumi-cli"
    folder = recipe if recipe.is_dir() else root
    fine = cli_build.go_will_do(folder, notes.append, os.environ)
    says = "new enough to build the Pulumi CLI" if fine else "; ".join(notes)
    return Finding(area="installed", what="Go", fine=fine or None, says=says)


def _docker() -> Finding:
    if shutil.which("docker") is None:
        says = "not installed; only placements on Docker hosts need it"
        return Finding(area="installed", what="Docker", fine=None, says=says)
    ended = ask(
        ["docker", "version", "--format", "{{.Server.Version}}"], deadline_s=TOOL_DEADLINE_S
    )
    if ended.code == 0:
        return Finding(
            area="installed", what="Docker", fine=True, says=f"engine {ended.out.strip()}"
        )
    says = f"installed, but its engine does not answer ({ended.last_line[:100] or 'no answer'})"
    return Finding(area="installed", what="Docker", fine=None, says=says)


def _docker_plugin() -> Finding:
    """The first run that needs it fetches it, if it comes to Pulumi's site."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    kept = max((home / "plugins").glob("resource-docker-v*[0-9]"), default=None)
    found = shutil.which("pulumi-resource-docker") or kept
    says = f"at {found}" if found else _no_docker_plugin()
    return Finding(
        area="installed", what="Pulumi's docker plugin", fine=bool(found) or None, says=says
    )


def _no_docker_plugin() -> str:
    try:
        version = metadata.version("pulumi-docker")
    except metadata.PackageNotFoundError:
        return "not installed; its version is that of pulumi-docker, which is missing too"
    return (
        "not installed; the first run with a placement on a Docker host fetches it, or "
        f"`pulumi plugin install resource docker {version}`"
    )


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def _reach(what: str, url: str, otherwise: str) -> Finding:
    request = Request(url, method="HEAD")  # noqa: S310 (a fixed host, or the user's own mirror)
    try:
        with urlopen(request, timeout=REACH_DEADLINE_S):  # noqa: S310
            fine = True
    except HTTPError:
        fine = True  # it answered
    except (OSError, HTTPException, ValueError):
        fine = False
    says = f"{url} answers" if fine else f"{url} does not answer; {otherwise}"
    return Finding(area="reachable", what=what, fine=fine or None, says=says)


def _stacks(root: Path) -> Iterator[Finding]:
    folder = root / ".moorage" / "state"
    for path in sorted(folder.glob(".pulumi/stacks/*/*.json")):
        held = engine_locks.read(Folder(folder), path.parent.name, path.stem)
        count = _resources(path)
        repair = f"`moorage state repair --stack {path.stem}` puts back its newest copy"
        says = f"its state cannot be read; {repair}" if count is None else _counted(count)
        for lock in held:
            state = "at work" if engine_locks.lives(lock) else "died; the next run clears its lock"
            says += f"; locked by {lock}, which is {state}"
        dead = not all(map(engine_locks.lives, held))
        fine = not dead and count is not None
        yield Finding(area="running", what=f"stack {path.stem}", fine=fine, says=says)


def _counted(count: int) -> str:
    return f"{count} resource{'' if count == 1 else 's'}"


def _resources(path: Path) -> int | None:
    """How many a state holds; None where nobody can tell."""
    try:
        latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
        return sum(1 for one in latest.get("resources") or [] if one.get("custom"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _processes(root: Path) -> Iterator[Finding]:
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        modules = [word for word in words if word.startswith("moorage.")]
        if "-m" not in words or not modules:
            continue
        places = [*words[1:], process.info["cwd"] or ""]
        where = "this checkout" if any(str(root) in one for one in places) else "another checkout"
        says = f"pid {process.pid}, for {where}"
        yield Finding(area="running", what=modules[0], fine=True, says=says)
