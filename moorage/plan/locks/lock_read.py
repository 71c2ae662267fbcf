"""Reading a lock: a text becomes a `Lock`, or the one problem why it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite, prod
from typing import Any, Final, TypeVar

from moorage.plan.facts import (
    Lock,
    LockedOffer,
    ModelFacts,
    Reference,
    RepoFile,
    Route,
    Tensors,
)
from moorage.plan.locks.lock_text import VERSION
from moorage.spec.problems import Problem
from moorage.spec.secrets import redact

COMMIT: Final = "[0-9a-f]{40}"
SHA256: Final = "[0-9a-f]{64}"
MONEY: Final = r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?"
DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
GATES: Final = ("auto", "manual")  # how access is given where one must ask for it
FORMATS: Final = ("safetensors", "gguf", "pickle", "other")
ROLES: Final = ("adapter", "tokenizer", "chat-template", "dataset")

_T = TypeVar("_T")
_Checks = Mapping[str, Callable[[Any], Any]]
_HALF = "\\ud"  # how JSON escapes half of a character
_LARGEST = 1 << 63
_MOST_DEEP = 32


def read(text: str, file: str) -> Lock | Problem:
    """The lock that a text holds, or why it holds none."""
    try:
        content = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        if content["lock"] != VERSION:
            return _broken(file, f"it is of version {str(content['lock'])[:40]!r}, not {VERSION}")
        if _HALF in text.lower():
            json.dumps(content, ensure_ascii=False).encode()
        return _lock(content)
    except json.JSONDecodeError as error:
        return _broken(file, f"it is not JSON: {error.msg}", error.lineno, error.colno)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return _broken(file, f"a part is missing or wrong ({error})")


def _lock(content: Mapping[str, Any]) -> Lock:
    parts: dict[str, Any] = _row(dict, content, _CONTENT)
    model = parts["model"]
    quantization = model.pop("quantization")
    facts = ModelFacts(**model, **parts["asked"])
    return Lock(model=facts, quantization=quantization, offers=parts.get("offers", ()))


def _row(kind: Callable[..., _T], row: Mapping[str, Any], checks: _Checks) -> _T:
    try:
        return kind(**{key: checks[key](value) for key, value in row.items()})
    except KeyError as error:
        message = f"{str(error.args[0])[:60]!r} is not a key of a lock"
        raise ValueError(message) from error


def _rows(kind: Callable[..., _T], checks: _Checks) -> Callable[[Any], tuple[_T, ...]]:
    def all_of(rows: Any) -> tuple[_T, ...]:
        return tuple([_row(kind, row, checks) for row in _a(list, rows)])

    return all_of


def _a(kind: type[_T], value: Any) -> _T:
    if type(value) is not kind:
        message = f"{str(value)[:60]!r} is not {_WORDS[kind]}"
        raise TypeError(message)
    return value


def _text(value: Any) -> str:
    return value if type(value) is str else _a(str, value)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        message = f"{str(value)[:60]!r} is not a number of things"
        raise ValueError(message)
    return value


def _shape(value: Any) -> tuple[int, ...]:
    sizes = tuple([_count(size) for size in _a(list, value)])
    _count(prod(sizes))
    return sizes


def _flag(value: Any) -> bool:
    return _a(bool, value)


def _gated(value: Any) -> bool | str:
    if value is False:
        return False
    return str(_gate(value))


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            message = f"{str(value)[:60]!r} is not one of {', '.join(words)}"
            raise ValueError(message)
        return str(value)

    return check


def _matched(pattern: str, what: str) -> Callable[[Any], str]:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> str:
        if compiled.fullmatch(_text(value)) is None:
            message = f"{value[:60]!r} is not {what}"
            raise ValueError(message)
        return str(value)

    return check


def _usd(value: Any) -> Decimal:
    return Decimal(_money(value))


def _digests(value: Any) -> dict[str, str]:
    return {name: _sha256(digest) for name, digest in _a(dict, value).items()}


def _config(value: Any) -> dict[str, Any]:
    _bounded(_a(dict, value), _MOST_DEEP)
    return dict(value)


def _bounded(value: Any, left: int) -> None:
    """Whoever walks through it later must come to an end."""
    if not left:
        message = "a configuration is too deep"
        raise ValueError(message)
    for own in value.values() if type(value) is dict else value:
        if type(own) is dict or type(own) is list:
            _bounded(own, left - 1)
        elif type(own) is int and not -_LARGEST < own < _LARGEST:
            message = "a configuration has a number that no model has"
            raise ValueError(message)


def _asked(value: Any) -> dict[str, str]:
    asked: dict[str, str] = _row(dict, value, _ASKED)
    return {"asked_of": asked["of"], "asked_on": asked["on"]}


def _no_number(name: str) -> float:
    message = f"{name} is not a number"
    raise ValueError(message)


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _no_number(text)


def _broken(file: str, why: str, line: int = 1, column: int = 1) -> Problem:
    return Problem(
        file=file,
        line=line,
        column=column,
        rule="lock-broken",
        says=f"this is not a lock: {_shown(redact(why))[:200]}",
        hint="write it anew with `moorage lock`",
    )


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


_WORDS: Final[dict[type, str]] = {
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
_commit = _matched(COMMIT, "a commit")
_sha256 = _matched(SHA256, "a SHA-256")
_money = _matched(MONEY, "an amount of dollars")
_day = _matched(DAY, "a day (YYYY-MM-DD)")

_gate = _one_of(GATES)

_ASKED: Final[_Checks] = {"of": _text, "on": _day}
_FILE: Final[_Checks] = {"name": _text, "size_bytes": _count, "sha256": _sha256}
_TENSORS: Final[_Checks] = {
    "name": _text,
    "dtype": _text,
    "shape": _shape,
    "count": _count,
    "bytes_each": _count,
}
_ROUTE: Final[_Checks] = {
    "provider": _text,
    "task": _text,
    "status": _text,
    "provider_id": _text,
    "context_tokens": _count,
    "input_usd_per_mtok": _usd,
    "output_usd_per_mtok": _usd,
}
_REFERENCE: Final[_Checks] = {
    "role": _one_of(ROLES),
    "id": _text,
    "revision": _commit,
    "license": _text,
    "gated": _gated,
    "access": _flag,
    "digests": _digests,
    "rank": _count,
    "size_bytes": _count,
    "base_model": _text,
}
_OFFER: Final[_Checks] = {"key": _text, "usd": _usd, "per": _text, "date": _day}
_MODEL: Final[_Checks] = {
    "id": _text,
    "revision": _commit,
    "quantization": _text,
    "files": _rows(RepoFile, _FILE),
    "license": _text,
    "gated": _gated,
    "access": _flag,
    "library": _text,
    "task": _text,
    "architecture": _text,
    "weights": _one_of(FORMATS),
    "remote_code": _flag,
    "config": _config,
    "tensors": _rows(Tensors, _TENSORS),
    "tokenizer_sha256": _sha256,
    "chat_template_sha256": _sha256,
    "routes": _rows(Route, _ROUTE),
    "references": _rows(Reference, _REFERENCE),
}
_CONTENT: Final[_Checks] = {
    "lock": _text,
    "asked": _asked,
    "model": lambda value: _row(dict, value, _MODEL),
    "offers": _rows(LockedOffer, _OFFER),
}
