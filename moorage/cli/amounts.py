"""Amounts that a command line takes, each with argparse's one line where it is none."""

from __future__ import annotations

import argparse
import re
from typing import Final

_MOST_SECONDS: Final = 3600
_MOST: Final = 2**31 - 1


def count(text: str) -> int:
    """So many of something, as Pulumi's CLI can count them."""
    if not (re.fullmatch("[0-9]{1,10}", text) and 1 <= int(text) <= _MOST):
        message = f"{text!r} is not a whole number from 1 to {_MOST}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


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
