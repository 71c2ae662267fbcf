"""Values as the engine's events carry them, made fit to be shown: no secret, nothing unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from moorage.deploy.urns import name_of

Path = tuple[str | int, ...]


class Word(str):
    """A word that stands in the place of a value, and is not one."""

    __slots__ = ()


class Missing(Word):
    """There is no value."""

    __slots__ = ()


SECRET: Final = Word("[secret]")
UNKNOWN: Final = Word("(known after the up)")
MISSING: Final = Missing("(none)")

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"  # the key that marks special values
_SECRET_MARK: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a marker, not a secret
_OUTPUT_MARK: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_TEXTS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    }
)
_STEP: Final = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_$][\w$-]*")


def secret_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where in a value the secrets are."""
    if _is_secret(value):
        yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from secret_paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from secret_paths(inner, (*path, number))


def visible(value: Any, path: Path, secrets: frozenset[Path]) -> Any:
    """The value with a word in place of everything that is secret or unknown."""
    if isinstance(value, Word):
        return value
    if covered(path, secrets) or _is_secret(value):
        return SECRET
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return _visible_output(value, path, secrets)
        return {
            key: visible(inner, (*path, key), secrets)
            for key, inner in value.items()
            if not is_internal(key)
        }
    if isinstance(value, list):
        return [visible(inner, (*path, n), secrets) for n, inner in enumerate(value)]
    return UNKNOWN if isinstance(value, str) and value in _UNKNOWN_TEXTS else value


def is_internal(step: str | int) -> bool:
    """Whether a property is book-keeping of Pulumi's, as `__defaults` is."""
    return isinstance(step, str) and step.startswith("__")


def covered(path: Path, secrets: frozenset[Path]) -> bool:
    """Whether a path is secret or lies below one that is."""
    return any(path[:length] in secrets for length in range(len(path) + 1))


def look_up(value: Any, path: Path) -> Any:
    """What lies at a path; MISSING where nothing does."""
    for step in path:
        if isinstance(value, list):
            there = isinstance(step, int) and step < len(value)
        else:
            there = isinstance(value, Mapping) and step in value
        if not there:
            return MISSING
        value = value[step]
    return MISSING if value is None else value


def parse_path(text: str) -> Path:
    r"""The steps of a property path as Pulumi writes it: `a.b[0]["c d"]`."""
    steps: list[str | int] = []
    for name, number, quoted in _STEP.findall(text):
        if number:
            steps.append(int(number))
        else:
            steps.append(name or re.sub(r"\\(.)", r"\1", quoted))
    return tuple(steps)


def write_path(path: Iterable[str | int]) -> str:
    """A property path as Pulumi writes it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_NAME.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def write(value: Any, *, width: int) -> str:
    """A visible value on one line; what is too long lacks its middle."""
    return shorten(_written(value), width)


def shorten(text: str, width: int) -> str:
    """The text without its middle where it is too long."""
    if len(text) <= width:
        return text
    head = (width - 3) * 2 // 3
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def _written(value: Any) -> str:
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return printable(json.dumps(value, ensure_ascii=False))
    return json.dumps(value)


def printable(text: str) -> str:
    """The text without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _visible_output(value: Mapping[str, Any], path: Path, secrets: frozenset[Path]) -> Any:
    if value[SIGNATURE] != _OUTPUT_MARK:
        return Word(f"({_reference(value)})")
    return visible(value["value"], path, secrets) if "value" in value else UNKNOWN


def _reference(value: Mapping[str, Any]) -> str:
    """What a value that is no plain one stands for: another resource, an asset or an archive."""
    if "urn" in value:
        return name_of(str(value["urn"]))
    return f"file {str(value.get('hash', ''))[:8]}".strip()


def _is_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        mark = value.get(SIGNATURE)
        return mark == _SECRET_MARK or (mark == _OUTPUT_MARK and bool(value.get("secret")))
    return isinstance(value, str) and value == str(SECRET)
