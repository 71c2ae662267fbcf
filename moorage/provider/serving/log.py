"""What an engine has written, as lines for people."""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def lines(text: str) -> list[str]:
    """Those with words in them, without colours and what no terminal shows."""
    told = (" ".join(raw.split()) for raw in _ESCAPES.sub("", text).splitlines())
    return [line for one in told if (line := "".join(filter(str.isprintable, one)))]
