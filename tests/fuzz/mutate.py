"""Ways to spoil a text: its bytes, its words, or the tree that it is."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

import yaml

Text = str | bytes

_NASTY: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        False,
        "",
        " ",
        0,
        -1,
        1,
        10**18,
        -(10**18),
        10**29,
        10**400,
        0.1,
        1e308,
        -0.0,
        1e-320,
    ),
    *([], {}, [[]], [None], {"a": {}}, ["x"] * 70, {f"k{n}": n for n in range(210)}),
    *("no", "~", "null", "1:30", "0o10", "0x1f", "1_000", "2026-11-23", "1e999", ".nan", ".inf"),
    *("800", "800ms", "0.5%", "101%", "1k", "$5", "٣s", "1" * 40, "9" * 400, "-", "x" * 5000),
    *(
        "../../../etc/passwd",
        "/dev/zero",
        "/",
        "~",
        "~nobody-there/x.gguf",
        "./x.gguf",
        "/proc/self",
    ),
    *("a\x00b", "\u202e", "\x1b[31m", "\ufeff", "\ud800", "é" * 300, "🙂", "\n", "a\tb", "\u2028"),
    *("http://[::1/v1", "http://[/v1", "http://x/v1", "https://:@/v1", "http://256.1.1.1:99999/v1"),
    *(
        "ssh://",
        "ssh://-oProxyCommand=x",
        "local",
        "gguf:",
        "gguf:[",
        "gguf:*",
        "gguf:**/[!",
        "fp8",
    ),
    *("hf-endpoint", "hf-router", "openai", "docker-host", "ec2-gpu", "hf-space", "auto", "vllm"),
    *("nvidia-l4", "nvidia-h200", "eu", "eu-west-1", "restricted", "text-ranking", "owner/name"),
    *(
        "hf_abcdefghijklmnopqrstuvwxyz",
        "%s%n{0}",
        "$(id)",
        "{{7*7}}",
        "main",
        "0" * 40,
        "LlamaForCausalLM",
    ),
)
_WORDS: Final = (
    *(
        "",
        ":",
        ": ",
        "- ",
        "? ",
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "!x ",
        "| ",
        "> ",
        "---",
        "...",
        "\t",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        "'",
        '"',
        "%",
        "@",
        "`",
        "\\",
        "\n",
        "\r",
        "\r\n",
        "  ",
        "\x00",
        "\x85",
    ),
    *(
        "null",
        "true",
        "no",
        "1e400",
        "-1",
        "9" * 50,
        "kind: local",
        "kind: openai",
        "min: 0",
        "count: 0",
    ),
)
_BYTES: Final = (
    b"\xff",
    b"\xfe\xff",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\x1b",
    b"\x80",
)
_DEEP: Final = (31, 33, 200, 1500)


def spoil(text: str, dice: random.Random) -> Text:
    """The text, spoilt in one of many ways, often several times."""
    way = dice.choice(_WAYS)
    for _ in range(dice.choice((1, 1, 2, 4))):
        spoilt = way(text, dice)
        if isinstance(spoilt, bytes):
            return spoilt
        text = spoilt
    return text


def _bytes(text: str, dice: random.Random) -> Text:
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(dice.randint(1, 6)):
        at = dice.randint(0, len(data))
        to = at + dice.choice((0, 1, 1, 2, 40))
        filling = dice.choice((*_BYTES, dice.randbytes(2), bytes(data[at:to]) * 2, b""))
        data[at:to] = filling
    return bytes(data)


def _words(text: str, dice: random.Random) -> str:
    parts = re.split(r"([\s,:{}\[\]\"]+)", text)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(parts))
        parts[at] = dice.choice((dice.choice(_WORDS), dice.choice(parts), str(dice.choice(_NASTY))))
    return "".join(parts)


def _lines(text: str, dice: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, to = dice.randrange(len(lines)), dice.randrange(len(lines))
    moves: tuple[Callable[[], None], ...] = (
        lambda: lines.insert(to, lines[at]),
        lambda: lines.insert(to, " " * dice.randint(1, 8) + lines.pop(at)),
        lambda: lines.__delitem__(slice(at, to)),
        lambda: lines.extend(lines * 2),
        lines.reverse,
    )
    dice.choice(moves)()
    return "".join(lines)


def _tree(text: str, dice: random.Random) -> str:
    is_json = text.lstrip().startswith("{")
    try:
        tree = json.loads(text) if is_json else yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, IndexError, KeyError, TypeError):  # it has its own crashes
        return _words(text, dice)
    for _ in range(dice.randint(1, 3)):
        tree = _changed(tree, dice)
    if is_json:
        return json.dumps(tree, default=str)
    try:
        return str(yaml.dump(tree, Dumper=yaml.CSafeDumper, sort_keys=False))
    except UnicodeEncodeError:  # half a character, which YAML can only escape
        return json.dumps(tree, default=str)


def _changed(tree: Any, dice: random.Random) -> Any:
    spots = list(_spots(tree))
    if not spots:
        return deepcopy(dice.choice(_NASTY))
    holder, key = dice.choice(spots)
    dice.choice(_CHANGES)(holder, key, dice, spots)
    return tree


def _spots(tree: Any) -> Any:
    """Every place of a tree where something hangs."""
    if not isinstance(tree, dict | list):
        return
    for key, child in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        yield from _spots(child)


def _put(holder: Any, key: Any, dice: random.Random, _spots: Any) -> None:
    holder[key] = deepcopy(dice.choice(_NASTY))


def _take(holder: Any, key: Any, _dice: random.Random, _spots: Any) -> None:
    del holder[key]


def _copy(holder: Any, key: Any, dice: random.Random, spots: Any) -> None:
    other, name = dice.choice(spots)
    if _weight(other[name]) < 2000:
        holder[key] = json.loads(json.dumps(other[name], default=str))


def _rename(holder: Any, key: Any, dice: random.Random, _spots: Any) -> None:
    if isinstance(holder, dict):
        holder[dice.choice((f"{key}s", str(key)[:-1], "<<", "", "x" * 300, "kind"))] = holder.pop(
            key
        )


def _wrap(holder: Any, key: Any, dice: random.Random, _spots: Any) -> None:
    for _ in range(dice.choice((1, 1, 2, *_DEEP[:2]))):
        holder[key] = dice.choice(([holder[key]], {"a": holder[key]}))


def _many(holder: Any, key: Any, dice: random.Random, _spots: Any) -> None:
    if isinstance(holder[key], list):
        holder[key] = holder[key] * dice.choice((2, 20, 100))
    elif isinstance(holder[key], int | float):
        holder[key] = holder[key] * dice.choice((-1, 0, 10, 1000, 10**12))


def _weight(tree: Any) -> int:
    return 1 + sum(1 for _ in _spots(tree))


_CHANGES: Final = (_put, _put, _put, _take, _take, _copy, _rename, _wrap, _many)


def _deep(text: str, dice: random.Random) -> str:
    opening = dice.choice(("[", "{", "- ", "{a: ", "? ", '{"a": ', "!x ", "&a "))
    at = dice.randint(0, len(text))
    return text[:at] + opening * dice.choice(_DEEP) + text[at:]


_WAYS: Final[tuple[Callable[[str, random.Random], Text], ...]] = (
    *(_bytes, _words, _words, _lines, _tree, _tree, _tree, _tree, _deep),
)
