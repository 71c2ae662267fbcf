"""Python source laid out as its formatter would, so that generated modules need no pass of it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Final

WIDTH: Final = 100


def indented(lines: Iterable[str], steps: int = 1) -> list[str]:
    """The lines, further to the right."""
    return [f"{'    ' * steps}{line}" if line else "" for line in lines]


def literal(text: str) -> str:
    """A text as Python writes it."""
    return json.dumps(text, ensure_ascii=False)


def value(plain: Any) -> str:
    """Any plain value as Python writes it."""
    return repr(plain) if isinstance(plain, bool | None) else json.dumps(plain, ensure_ascii=False)


def docstring(text: str, steps: int, *, hanging: str = "", base: int = 0) -> list[str]:
    """A docstring so many steps to the right: one line, or wrapped lines below each other.

    `base` steps will be added to that by whoever places it.
    """
    safe = text.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    safe = f'{safe[:-1]}\\"' if safe.endswith('"') else safe
    room = WIDTH - 4 * (steps + base)
    if "\n" not in safe and len(safe) + 6 <= room:
        return indented([f'"""{safe}"""'], steps)
    first, *rest = wrapped(safe, room - 3, hanging, first=3)  # so never one line that almost fits
    return indented([f'"""{first}', *rest, '"""'], steps)


def wrapped(text: str, width: int, hanging: str = "", *, first: int = 0) -> list[str]:
    """The text in lines of at most so many characters, paragraph by paragraph.

    `first` characters of the first line are taken.
    """
    lines: list[str] = []
    for number, paragraph in enumerate(text.splitlines()):
        taken = " " * first if number == 0 else ""
        lines += textwrap.wrap(
            paragraph,
            width,
            initial_indent=taken,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return [lines[0][first:], *lines[1:]]


def bracketed(
    head: str, items: Sequence[str], tail: str, steps: int, *, base: int = 0
) -> list[str]:
    """The items between head and tail: in one line where it fits, else one item per line."""
    comma = "," if head.endswith(" (") and len(items) == 1 else ""
    flat = f"{head}{', '.join(items)}{comma}{tail}"
    if len(flat) + 4 * (steps + base) <= WIDTH:
        return indented([flat], steps)
    return indented([head, *(f"    {item}," for item in items), tail], steps)


def signature(name: str, arguments: Sequence[str], result: str, *, steps: int) -> list[str]:
    """The head of a function that will stand so many steps to the right."""
    flat = f"def {name}({', '.join(arguments)}) -> {result}:"
    if len(flat) + 4 * steps <= WIDTH:
        return [flat]
    return [f"def {name}(", *(f"    {argument}," for argument in arguments), f") -> {result}:"]
