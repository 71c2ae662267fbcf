"""Amounts that a command line takes, each with argparse's one line where it is none."""

from __future__ import annotations

import argparse
from typing import Final

_MOST_SECONDS: Final = 3600


def seconds(text: str) -> float:
    """A time that somebody would wait for."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= _MOST_SECONDS:
        message = f"{text!r} is not a number of seconds above 0, {_MOST_SECONDS} at most"
        raise argparse.ArgumentTypeError(message)
    return found
