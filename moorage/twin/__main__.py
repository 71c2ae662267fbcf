"""`python -m moorage.twin`: what `moorage twin` does, where only this package is wanted."""

from __future__ import annotations

import argparse

from moorage.twin import process


def main(argv: list[str] | None = None) -> int:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m moorage.twin", description=process.__doc__)
    process.configure(parser)
    return process.run(parser.parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
