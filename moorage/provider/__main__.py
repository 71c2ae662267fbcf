"""`python -m moorage.provider`: the plugin; the other commands find what dead runs left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from moorage import __version__
from moorage.provider import plugin
from moorage.provider.handlers import HANDLERS
from moorage.provider.package import Package

PACKAGE: Final = Package(
    name="moorage",
    version=__version__,
    description="Model services from specs, through one gateway",
    handlers=HANDLERS,
    python="moorage.resources",
)


def main() -> NoReturn:
    """Serve, or answer a command."""
    plugin.main(PACKAGE, commands={"sweep": _sweep, "leftovers": _leftovers})


def _sweep(words: Sequence[str]) -> int:
    from moorage.provider.handlers import sweep  # which runs do not need

    folder, owner_prefix = words
    return sweep.main(Path(folder), owner_prefix, sys.stdout)


def _leftovers(_words: Sequence[str]) -> int:
    from moorage.provider.docker_host import leftovers

    return leftovers.main(sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
