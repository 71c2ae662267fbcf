"""Problems as text for people and as JSON, GitHub commands and SARIF for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from msgspec.structs import asdict

from moorage.errors import Exit
from moorage.spec.problems import Problem
from moorage.spec.slugs import SLUGS
from moorage.spec.source import UNREADABLE

Said = Mapping[str, str]  # what is asked by each slug


def exit_code(problems: Sequence[Problem]) -> Exit:
    """Fine, problems, or a file that could not even be read."""
    if any(problem.rule == UNREADABLE for problem in problems):
        return Exit.USAGE
    refused = any(problem.severity == "error" for problem in problems)
    return Exit.PROBLEMS if refused else Exit.FINE


def summary(files: int, problems: Sequence[Problem]) -> str:
    """The last line of a check."""
    errors = sum(problem.severity == "error" for problem in problems)
    parts = [_counted(files, "spec"), _counted(errors, "problem") if errors else "no problems"]
    if warnings := len(problems) - errors:
        parts.append(_counted(warnings, "warning"))
    return ", ".join(parts)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _text(problems: Sequence[Problem], _said: Said = SLUGS) -> str:
    return "".join(f"{problem}\n" for problem in problems)


def _json(problems: Sequence[Problem], _said: Said = SLUGS) -> str:
    rows = [asdict(problem) for problem in problems]
    return json.dumps({"problems": rows}, indent=2, ensure_ascii=False) + "\n"


def _github(problems: Sequence[Problem], _said: Said = SLUGS) -> str:
    return "".join(f"{_command(problem)}\n" for problem in problems)


def _command(problem: Problem) -> str:
    place = {
        "file": problem.file,
        "line": str(problem.line),
        "col": str(problem.column),
        "title": problem.rule,
    }
    settings = ",".join(f"{key}={_property(value)}" for key, value in place.items())
    return f"::{problem.severity} {settings}::{_escaped(_message(problem))}"


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")


def _escaped(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _message(problem: Problem) -> str:
    return f"{problem.says}; {problem.hint}" if problem.hint else problem.says


def _sarif(problems: Sequence[Problem], said: Said = SLUGS) -> str:
    rules = [_rule(slug, said) for slug in sorted({problem.rule for problem in problems})]
    run = {
        "tool": {"driver": {"name": "moorage", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in problems],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    log = {"$schema": schema, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(slug: str, said: Said) -> dict[str, Any]:
    if slug not in said:
        return {"id": slug}
    page = f"docs/rules/{slug}.md"
    help_text = f"Asked: {said[slug]}. {page} says why, with a mistake and the same put right."
    return {"id": slug, "shortDescription": {"text": said[slug]}, "help": {"text": help_text}}


def _result(problem: Problem) -> dict[str, Any]:
    region = {"startLine": problem.line, "startColumn": problem.column}
    where = {"artifactLocation": {"uri": quote(problem.file)}, "region": region}
    return {
        "ruleId": problem.rule,
        "level": problem.severity,
        "message": {"text": _message(problem)},
        "locations": [{"physicalLocation": where}],
    }


FORMATS: Final[dict[str, Callable[..., str]]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "sarif": _sarif,
}
