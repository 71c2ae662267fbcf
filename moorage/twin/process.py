"""The twin as a process: its arguments, what it prints, and when it ends."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moorage.twin.scenario import Scenario
    from moorage.twin.world import World

FINE, USAGE = 0, 2


def configure(parser: argparse.ArgumentParser) -> None:
    """What it is, where it listens, and what it has."""
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="P",
        help="of the Endpoints API; the other hosts take the four after it (free ones)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where it listens (127.0.0.1)")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="what it is, in YAML")
    parser.add_argument(
        "--repos", type=Path, metavar="DIR", help="a folder of <owner>/<name>/ repositories"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; 2 for a file, a folder or a port that cannot be used."""
    from moorage.twin import face
    from moorage.twin.serving import as_process

    try:
        world = face.make(_scenario(args))
        doors = face.doors(world, host=args.host, port=args.port)
        as_process(doors, announce=lambda urls: _announce(world, urls))
    except (face.TwinError, OverflowError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"cannot listen on {args.host}:{args.port}: {error}")
    return FINE


def exports(environment: Mapping[str, str]) -> str:
    """Lines for a shell."""
    return "\n".join(f"export {key}={shlex.quote(value)}" for key, value in environment.items())


def _scenario(args: argparse.Namespace) -> Scenario:
    from moorage.twin import scenario_file
    from moorage.twin.scenario import Scenario

    scenario = scenario_file.read(args.scenario) if args.scenario else Scenario()
    if args.repos is None:
        return scenario
    return dataclasses.replace(
        scenario, repos={**scenario.repos, **scenario_file.folder(args.repos)}
    )


def _announce(world: World, urls: list[str]) -> None:
    from moorage.twin import face

    face.listens_at(world, urls)
    print(exports(face.environment(world)))
    print("# the twin is ready", flush=True)


def _refuse(says: str) -> int:
    print(f"moorage twin: {says}", file=sys.stderr)
    return USAGE
