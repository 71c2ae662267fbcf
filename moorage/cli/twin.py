"""`moorage twin`: Hugging Face as a process on this machine, for tests and demos."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Where it listens and what it is."""
    from moorage.twin import process

    process.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    from moorage.twin import process

    return process.run(args)
