"""The lock beside a spec: the Hub's answer frozen as JSON, sorted, stable, free of secrets."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from moorage.plan.facts import Lock, ModelFacts, RepoFile
from moorage.spec.problems import Problem
from moorage.spec.secrets import redact
from moorage.spec.types import Model

VERSION = "moorage/lock/v1"
SUFFIX = ".lock.json"

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PREFIX = "gguf:"


def beside(spec: Path) -> Path:
    """The path of a spec's lock: hello.yaml has hello.lock.json."""
    return spec.with_name(spec.stem + SUFFIX)


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit, which cannot move, and not a branch or a tag."""
    return _COMMIT.fullmatch(revision) is not None


def matching(files: tuple[RepoFile, ...], quantization: str) -> tuple[RepoFile, ...]:
    """The files that `gguf:<name or pattern>` names; an exact name beats a pattern."""
    if not quantization.startswith(_PREFIX):
        return ()
    pattern = quantization.removeprefix(_PREFIX)
    exact = tuple(file for file in files if file.name == pattern)
    return exact or tuple(file for file in files if fnmatchcase(file.name, pattern))


def make(model: Model, facts: ModelFacts) -> Lock:
    """Freeze the part of the facts that a spec's model uses."""
    used = matching(facts.files, model.quantization)
    return Lock(model=dataclasses.replace(facts, files=used), quantization=model.quantization)


def same(one: Lock, other: Lock) -> bool:
    """Whether two locks say the same, whoever was asked and when."""
    return one.quantization == other.quantization and _flat(one) == _flat(other)


def differences(old: Lock, new: Lock) -> tuple[str, ...]:
    """What has moved of what the old lock knew, in words."""
    before, after = _flat(old), _flat(new)
    return tuple(
        f"{name} was {known}, is {after.get(name, 'gone')}"
        for name, known in sorted(before.items())
        if after.get(name) != known
    )


def render(lock: Lock) -> str:
    """The text of a lock file."""
    model = lock.model
    content = {
        "lock": VERSION,
        "asked": {"of": model.asked_of, "on": model.asked_on},
        "model": {
            "architecture": model.architecture,
            "files": [dataclasses.asdict(file) for file in sorted(model.files, key=_name)],
            "gated": model.gated,
            "id": model.id,
            "library": model.library,
            "license": model.license,
            "quantization": lock.quantization,
            "revision": model.revision,
        },
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(text: str, file: str) -> Lock | Problem:
    """The lock that a text holds, or why it holds none."""
    try:
        content = json.loads(text)
        if content["lock"] != VERSION:
            return _broken(file, f"it is of version {str(content['lock'])[:40]!r}, not {VERSION}")
        return _from_json(content["model"], content["asked"])
    except json.JSONDecodeError as error:
        return _broken(file, f"it is not JSON: {error.msg}", error.lineno, error.colno)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return _broken(file, f"a part is missing or has the wrong type ({error})")


def _from_json(model: Mapping[str, Any], asked: Mapping[str, Any]) -> Lock:
    facts = ModelFacts(
        id=_text(model["id"]),
        revision=_matched(_COMMIT, model["revision"]),
        files=tuple(_file(row) for row in model["files"]),
        license=_optional(model["license"]),
        gated=model["gated"] if isinstance(model["gated"], bool) else _text(model["gated"]),
        library=_optional(model["library"]),
        architecture=_optional(model["architecture"]),
        asked_of=_text(asked["of"]),
        asked_on=_text(asked["on"]),
    )
    return Lock(model=facts, quantization=_text(model["quantization"]))


def _file(row: Mapping[str, Any]) -> RepoFile:
    size = row["size_bytes"]
    if type(size) is not int or size < 0:
        message = f"size_bytes {size!r}"
        raise ValueError(message)
    return RepoFile(
        name=_text(row["name"]), size_bytes=size, sha256=_matched(_SHA256, row["sha256"])
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = f"{value!r} is not text"
        raise TypeError(message)
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _matched(pattern: re.Pattern[str], value: object) -> str:
    if pattern.fullmatch(_text(value)) is None:
        message = f"{value!r} is not a digest"
        raise ValueError(message)
    return _text(value)


def _name(file: RepoFile) -> str:
    return file.name


def _flat(lock: Lock) -> dict[str, object]:
    model = lock.model
    facts = {
        "revision": model.revision,
        "license": model.license,
        "gated": model.gated,
        "library": model.library,
        "architecture": model.architecture,
    }
    known: dict[str, object] = {"id": model.id} | {
        key: value for key, value in facts.items() if value is not None
    }
    return known | {f"sha256 of {file.name}": file.sha256 for file in model.files}


def _broken(file: str, why: str, line: int = 1, column: int = 1) -> Problem:
    return Problem(
        file=file,
        line=line,
        column=column,
        rule="lock-broken",
        says=f"this is not a lock: {redact(why)[:200]}",
        hint="write it anew with `moorage lock`",
    )
