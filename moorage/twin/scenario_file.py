"""A scenario written in YAML; every mistake in it is one line that says where and what."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Final

import yaml

from moorage.twin.hardware import STATUSES, Compute
from moorage.twin.people import KINDS, ROLES, Account, Token
from moorage.twin.repos import SETTINGS, Repo, TwinError, read_folder
from moorage.twin.scenario import (
    ENDS,
    FAULTS,
    HOSTS,
    Fault,
    Limit,
    Scenario,
    Speed,
    Start,
    Timings,
)
from moorage.twin.spaces import Habit

_CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "Scenario.clock": ("real", "driven"),
    "Account.kind": KINDS,
    "Account.plan": ("free", "pro", "team", "enterprise"),
    "Token.role": ROLES,
    "Compute.accelerator": ("cpu", "gpu", "neuron"),
    "Compute.status": STATUSES,
    "Start.ends": ENDS,
    "Start.when": ("start", "update"),
    "Fault.does": FAULTS,
    "Fault.host": ("", *HOSTS),
    "Limit.host": ("", *HOSTS),
    "Habit.ends": ("", "BUILD_ERROR", "RUNTIME_ERROR", "BUILDING"),
    "Repo.visibility": ("", "public", "protected", "private"),
}
_STATUSES_OF_HTTP: Final = range(200, 600)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_REPO: Final = re.compile(r"((datasets|spaces)/)?[^/\s]+/[^/\s]+")
# A provider's row of a repository, as Hub and router tell it: each key with the type of its value.
_PROVIDED: Final[Mapping[str, str]] = {
    "status": "str",
    "task": "str",
    "providerId": "str",
    "context_length": "int",
    "pricing": "Mapping[str, float]",
    "is_free": "bool",
    "supports_tools": "bool",
    "supports_structured_output": "bool",
    "first_token_latency_ms": "float",
    "throughput": "float",
    "is_model_author": "bool",
    "adapter": "str",
    "adapterWeightsPath": "str",
    "type": "str",
}
_ROUTED: Final = ("live", "staging", "error")
_LISTS: Final = {
    "accounts": Account,
    "computes": Compute,
    "starts": Start,
    "faults": Fault,
    "limits": Limit,
}
_PARTS: Final = {"timings": Timings, "speed": Speed}
_FOLDER: Final = "repos_folder"  # beside `repos`: a folder of <owner>/<name>/, from the file's own


def read(path: Path) -> Scenario:
    """The scenario of a file."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        message = f"{path}: cannot read the scenario: {error}"
        raise TwinError(message) from error
    return parse(text, at=path)


def faults(rows: Any) -> tuple[Fault, ...]:
    """Faults in the words of a scenario."""
    try:
        return tuple(_value(Fault, row, f"faults[{at}]") for at, row in enumerate(rows))
    except _WrongError as wrong:
        raise TwinError(str(wrong)) from None


def folder(path: Path) -> dict[str, Repo]:
    """The repositories of a folder, their settings held to the same words."""
    repos = read_folder(path)
    try:
        for name, repo in repos.items():
            for one in fields(Repo):
                _check_type(one, getattr(repo, one.name), f"{name}/{SETTINGS}: {one.name}")
            _check_providers(repo, f"{name}/{SETTINGS}: ")
    except _WrongError as wrong:
        message = f"{path}/{wrong}"
        raise TwinError(message) from None
    return repos


def parse(text: str, *, at: Path) -> Scenario:
    """The scenario of a text; `at` is named in what is wrong with it."""
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"{at}{_line(error)}: not YAML: {_problem(error)}"
        raise TwinError(message) from None
    except RecursionError:
        message = f"{at}: not a scenario: nested too deep"
        raise TwinError(message) from None
    try:
        return _scenario({} if given is None else given, at.parent)
    except _WrongError as wrong:
        message = f"{at}: {wrong}"
        raise TwinError(message) from None


class _WrongError(Exception):
    pass


def _scenario(given: Any, folder: Path) -> Scenario:
    told = dict(_mapping(given, "the scenario"))
    found = told.pop(_FOLDER, None)
    for key, kind in _LISTS.items():
        if key in told:
            rows = _list(told[key], key)
            told[key] = tuple(_value(kind, row, f"{key}[{at}]") for at, row in enumerate(rows))
    for key, part in _PARTS.items():
        if key in told:
            told[key] = _value(part, told[key], key)
    habits = _mapping(told.get("spaces") or {}, "spaces")
    told["spaces"] = {key: _value(Habit, row, f"spaces.{key}") for key, row in habits.items()}
    if told.get("accounts"):
        told = _tokens(told["accounts"]) | told
    told["repos"] = _repos(told.get("repos") or {}, found, folder)
    scenario: Scenario = _checked(Scenario, told, "")
    _check_names(scenario)
    return scenario


def _tokens(accounts: Sequence[Account]) -> dict[str, str]:
    """Who names accounts and no tokens to use means the first one."""
    first = next((token.text for one in accounts for token in one.tokens), "")
    return {"deploys": first, "calls": first, "foreign": ""}


def _repos(given: Any, found: Any, folder: Path) -> dict[str, Repo]:
    repos: dict[str, Repo] = {}
    if found is not None:
        repos |= _read_folder(folder / _text(found, _FOLDER))
    for name, row in _mapping(given, "repos").items():
        if not _REPO.fullmatch(name):
            message = f"repos: {name!r} is no <owner>/<name>"
            raise _WrongError(message)
        fields_ = dict(_mapping(row, f"repos.{name}"))
        files = _mapping(fields_.pop("files", {}), f"repos.{name}.files")
        fields_["files"] = {key: str(text).encode() for key, text in files.items()}
        fields_["readers"] = tuple(_list(fields_.get("readers", []), f"repos.{name}.readers"))
        repos[name] = _checked(Repo, fields_, f"repos.{name}")
        _check_providers(repos[name], f"repos.{name}.")
    return repos


def _check_providers(repo: Repo, where: str) -> None:
    for provider, row in repo.providers.items():
        _check_provider(row, f"{where}providers.{provider}")


def _check_provider(row: Mapping[str, Any], where: str) -> None:
    for key, value in row.items():
        if key not in _PROVIDED:
            raise _WrongError(_unknown(f"{where}.{key}", key, _PROVIDED))
        _check_kind(_PROVIDED[key], value, f"{where}.{key}")
    if row.get("status") not in _ROUTED:
        message = f"{where}.status: {row.get('status')!r} is none of {', '.join(_ROUTED)}"
        raise _WrongError(message)
    if "pricing" in row and not {"input", "output"} <= row["pricing"].keys():
        message = f"{where}.pricing: must have input and output, in dollars for a million tokens"
        raise _WrongError(message)


def _read_folder(path: Path) -> dict[str, Repo]:
    try:
        return folder(path)
    except TwinError as error:
        message = f"{_FOLDER}: {error}"
        raise _WrongError(message) from None


def _value(kind: Callable[..., Any], given: Any, where: str) -> Any:
    told = dict(_mapping(given, where))
    if kind is Account and "tokens" in told:
        rows = _list(told["tokens"], f"{where}.tokens")
        told["tokens"] = tuple(
            _value(Token, row, f"{where}.tokens[{at}]") for at, row in enumerate(rows)
        )
    if kind in (Fault, Limit) and "path" in told:
        _check_pattern(_text(told["path"], f"{where}.path"), f"{where}.path")
    value = _checked(kind, told, where)
    if isinstance(value, Fault):
        _check_answer(value, where)
    if isinstance(value, Limit) and value.window_s == 0:
        message = f"{where}.window_s: must be above 0"
        raise _WrongError(message)
    return value


def _check_answer(fault: Fault, where: str) -> None:
    """What HTTP cannot carry would only look like a lost connection."""
    _check_status(fault.status, f"{where}.status")
    for name, text in fault.headers.items():
        if not _HEADER.fullmatch(name) or not text.isprintable():
            message = f"{where}.headers: {name!r} is no header with a line of text"
            raise _WrongError(message)


def _check_status(status: int, where: str) -> None:
    if status not in _STATUSES_OF_HTTP:
        message = f"{where}: {status} is no status of an answer; they are from 200 to 599"
        raise _WrongError(message)


def _checked(kind: Any, told: Mapping[str, Any], where: str) -> Any:
    """One of our values; its own fields say what may be written and of which type."""
    known = {one.name: one for one in fields(kind) if one.init}
    for key, value in told.items():
        name = f"{where}.{key}" if where else str(key)
        if key not in known:
            raise _WrongError(_unknown(name, str(key), known))
        _check_type(known[key], value, name)
        choices = _CHOICES.get(f"{kind.__name__}.{key}")
        if choices is not None and value not in choices:
            options = ", ".join(str(one) for one in choices if one)
            message = f"{name}: {value!r} is none of {options}"
            raise _WrongError(message)
    missing = [key for key, one in known.items() if _is_needed(one) and key not in told]
    if missing:
        message = f"{where}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        raise _WrongError(message)
    return kind(**told)


def _check_type(field: Field[Any], value: Any, name: str) -> None:
    _check_kind(str(field.type), value, name)


def _check_kind(kind: str, value: Any, name: str) -> None:
    if kind not in _TYPES:
        return
    fits, says = _TYPES[kind]
    if not fits(value):
        message = f"{name}: must be {says}, not {value!r}"
        raise _WrongError(message)
    if kind in ("int", "float") and value < 0:
        message = f"{name}: must not be below 0, not {value!r}"
        raise _WrongError(message)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    """YAML's true is a number for Python, but not for who wrote it."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _each(inside: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Keys that are texts, with values of one kind."""

    def fits(value: Any) -> bool:
        return isinstance(value, dict) and all(
            isinstance(key, str) and inside(one) for key, one in value.items()
        )

    return fits


def _is_anything(_value: Any) -> bool:
    return True


_TYPES: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "str": (_is_text, "a text"),
    "str | None": (lambda value: value is None or _is_text(value), "a text"),
    "int": (_is_whole, "a whole number"),
    "int | None": (lambda value: value is None or _is_whole(value), "a whole number"),
    "float": (_is_number, "a number"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "bool | str": (lambda value: isinstance(value, bool | str), "true, false or a text"),
    "Sequence[str]": (_are_texts, "a list of texts"),
    "tuple[str, ...]": (_are_texts, "a list of texts"),
    "Mapping[str, str]": (_each(_is_text), "keys, each with a text"),
    "Mapping[str, int]": (_each(_is_whole), "keys, each with a whole number"),
    "Mapping[str, float]": (_each(_is_number), "keys, each with a number"),
    "Mapping[str, Sequence[str]]": (_each(_are_texts), "keys, each with a list of texts"),
    "Mapping[str, Mapping[str, str]]": (_each(_each(_is_text)), "keys, each with keys and texts"),
    "Mapping[str, Mapping[str, Any]]": (
        _each(_each(_is_anything)),
        "keys, each with keys and values",
    ),
}


def _is_needed(field: Field[Any]) -> bool:
    return field.init and field.default is MISSING and field.default_factory is MISSING


def _unknown(name: str, key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    advice = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    return f"{name}: no such key{advice}"


def _check_names(scenario: Scenario) -> None:
    names = [account.name for account in scenario.accounts]
    tokens = [token.text for account in scenario.accounts for token in account.tokens]
    for what, every in (("account", names), ("token", tokens)):
        twice = next((one for one in every if every.count(one) > 1), None)
        if twice is not None:
            message = f"accounts: the {what} {twice!r} is there twice"
            raise _WrongError(message)
    for account in scenario.accounts:
        unknown = next((name for name in account.members if name not in names), None)
        if unknown is not None:
            message = f"accounts: {account.name} has a member {unknown!r} that is no account"
            raise _WrongError(message)
    for provider, status in scenario.providers_failing.items():
        _check_status(status, f"providers_failing.{provider}")
    for key in ("deploys", "calls", "foreign"):
        token = getattr(scenario, key)
        if token and token not in tokens:
            message = f"{key}: no account has the token {token!r}"
            raise _WrongError(message)


def _check_pattern(pattern: str, where: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"{where}: {pattern!r} is no regular expression: {error}"
        raise _WrongError(message) from None


def _mapping(given: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        message = f"{where}: must be keys and values, not {given!r}"
        raise _WrongError(message)
    odd = next((key for key in given if not isinstance(key, str)), None)
    if odd is not None:
        message = f"{where}: the key {odd!r} must be a text; quote it"
        raise _WrongError(message)
    return given


def _list(given: Any, where: str) -> list[Any]:
    if not isinstance(given, list):
        message = f"{where}: must be a list, not {given!r}"
        raise _WrongError(message)
    return given


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str):
        message = f"{where}: must be a text, not {given!r}"
        raise _WrongError(message)
    return given


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or str(error).splitlines()[0])
