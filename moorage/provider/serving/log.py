"""What an engine has written, as lines for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LINES_TOLD: Final = 5
_MOST_TOLD: Final = 400


def lines(text: str) -> list[str]:
    """Those with words in them, without colours and what no terminal shows."""
    told = (" ".join(raw.split()) for raw in _ESCAPES.sub("", text).splitlines())
    return [line for one in told if (line := "".join(filter(str.isprintable, one)))]


def end(told: Sequence[str]) -> str:
    """The last of them on one line; of what is long its end, where the reason stands."""
    last = " | ".join(told[-_LINES_TOLD:])
    return last if len(last) <= _MOST_TOLD else f"…{last[-_MOST_TOLD:]}"
