"""The Pulumi CLI: where it is found, and how it is had where it is missing (stdlib only)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from moorage.deploy.cli import cli_build, cli_cache, cli_install
from moorage.deploy.cli.children import ask
from moorage.deploy.progress import Say, Tick, silent_tick
from moorage.errors import Exit, MoorageError

OLDEST = (3, 200, 0)  # the flags and events that the driver uses are all there from here on
ASK_DEADLINE_S = 10.0

THREE_WAYS = """\
no Pulumi CLI {oldest} or newer was found and none could be had; three ways to get one:
  1. install Pulumi by its installer or your package manager: https://www.pulumi.com/docs/install/
  2. put a `pulumi` binary at {home}/versions/<version>/bin/, or name one in MOORAGE_PULUMI
  3. install Go {go} or newer and run `make setup`: it builds the CLI from Go's module proxy"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cli:
    """A Pulumi CLI that answered with a version that will do."""

    path: Path
    version: str
    origin: str  # where it was found, in words


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfit:
    """A Pulumi CLI that is there but will not do, and why."""

    path: Path
    why: str


def pulumi_home(environ: Mapping[str, str]) -> Path:
    """Pulumi's own folder, which also keeps CLI versions."""
    given = environ.get("PULUMI_HOME")
    return Path(given) if given else Path(environ.get("HOME", "~")).expanduser() / ".pulumi"


def find(say: Say, environ: Mapping[str, str] = os.environ) -> Cli | None:
    """The first CLI that will do: MOORAGE_PULUMI, then PATH, then Pulumi's versions folder."""
    unfit: list[Unfit] = []
    for path, origin in _candidates(environ):
        answer = probe(path, origin, environ)
        if isinstance(answer, Cli):
            _tell_unfit(unfit, f"using {answer.path} ({answer.version}) instead", say)
            return answer
        unfit.append(answer)
    _tell_unfit(unfit, "looking for another one", say)
    return None


def obtain(
    say: Say,
    tick: Tick = silent_tick,
    *,
    python: Callable[[], Path | None],
    recipe: Path,
    environ: Mapping[str, str] = os.environ,
) -> Cli:
    """Find a CLI, or have Pulumi's installer fetch one with `python`, or build one by `recipe`."""
    found = find(say, environ)
    if found is not None:
        return found
    home = pulumi_home(environ)
    attempts: list[Callable[[], Path | None]] = [
        lambda: cli_install.install(home, say, tick, python=python, environ=environ),
        lambda: cli_build.build(home, recipe, say, tick, environ=environ),
    ]
    for attempt in attempts:
        path = attempt()
        answer = probe(path, "just made", environ) if path else None
        if isinstance(answer, Cli):
            say(f"Pulumi CLI {answer.version} is at {answer.path}")
            return answer
    raise MoorageError(three_ways(environ), exit_code=Exit.USAGE)


def three_ways(environ: Mapping[str, str] = os.environ) -> str:
    """What to tell a person on a machine where the CLI can neither be found nor had."""
    return THREE_WAYS.format(
        oldest=_dotted(OLDEST), home=pulumi_home(environ), go=_dotted(cli_build.OLDEST_GO)
    )


def probe(path: Path, origin: str, environ: Mapping[str, str] = os.environ) -> Cli | Unfit:
    """Ask one binary for its version."""
    said = cli_cache.recall(path, environ) or _ask_version(path, environ)
    version = parse_version(said) if isinstance(said, str) else None
    if isinstance(said, Unfit):
        return said
    if version is None:
        return Unfit(path=path, why=f"it answers {said[:60]!r}, which is no version")
    cli_cache.keep(path, said, environ)
    if version < OLDEST:
        return Unfit(path=path, why=f"version {_dotted(version)} is older than {_dotted(OLDEST)}")
    return Cli(path=path, version=_dotted(version), origin=origin)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The version in what `pulumi version` printed."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)\b", text.strip())
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _ask_version(path: Path, environ: Mapping[str, str]) -> str | Unfit:
    env = {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        ended = ask([path, "version"], deadline_s=ASK_DEADLINE_S, env=env)
    except OSError as error:
        return Unfit(path=path, why=f"it does not start ({error.strerror})")
    if ended.code is None:
        return Unfit(path=path, why=f"it did not tell its version within {ASK_DEADLINE_S:.0f} s")
    if ended.code != 0:
        return Unfit(path=path, why=f"`version` ends with {ended.code}: {ended.last_line[:80]}")
    return ended.out.strip()


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    named = environ.get("MOORAGE_PULUMI")
    if named:
        yield Path(named).expanduser(), "named by MOORAGE_PULUMI"
    for path in _on_path(environ.get("PATH", "")):
        yield path, "on PATH"
    for path in _versions(pulumi_home(environ)):
        yield path, "in Pulumi's versions folder"


def _on_path(search: str) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in search.split(os.pathsep):
        path = Path(folder or ".") / "pulumi"
        if path.is_file() and os.access(path, os.X_OK) and path.resolve() not in seen:
            seen.add(path.resolve())
            yield path


def _versions(home: Path) -> list[Path]:
    kept = {parse_version(path.parts[-3]): path for path in home.glob("versions/*/bin/pulumi")}
    return [kept[version] for version in sorted((v for v in kept if v is not None), reverse=True)]


def _tell_unfit(unfit: list[Unfit], instead: str, say: Say) -> None:
    for one in unfit:
        say(f"passing over {one.path}: {one.why}; {instead}")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
