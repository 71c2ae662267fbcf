"""From the text of a file to a `Spec`, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from moorage.spec import document, secrets, shape, take
from moorage.spec.document import Node
from moorage.spec.problems import Place, Problem
from moorage.spec.types import Spec


class Parsed(NamedTuple):
    """One file understood: a spec where nothing is wrong, and the place of everything in it."""

    file: str
    spec: Spec | None
    problems: tuple[Problem, ...]
    tree: Node | None

    def has(self, *way: str | int) -> bool:
        """Whether the file says anything there."""
        return document.find(self.tree, *way) is not None

    def at(self, *way: str | int) -> Place:
        """Where a value stands; for one that is not there, where its nearest parent does.

        A value's own place, but a mapping's or a list's is that of its key.
        """
        node = document.nearest(self.tree, *way)
        if node is None:
            return Place()
        return node.key if isinstance(node.value, dict | tuple) else node.at


def parse(text: str, file: str, *, schema: Mapping[str, Any]) -> Parsed:
    """Read one spec; `schema` is what `moorage.spec.schema.build` gives."""
    tree, problems = document.read(text, file)
    found = [*problems, *_secrets(text, file)]
    if tree is not None:
        found += shape.check(tree, schema, file)
    spec = take.spec(tree, Path(file)) if tree is not None and not found else None
    clean = tuple(sorted(_redacted(problem) for problem in found))
    return Parsed(file=file, spec=spec, problems=clean, tree=tree)


def _secrets(text: str, file: str) -> list[Problem]:
    return [
        Problem(
            file=file,
            line=line,
            column=column,
            rule="secret-in-spec",
            says=f"this looks like {what}",
            hint="take it out, make it invalid where it was issued, name an environment variable",
        )
        for line, column, what in secrets.find(text)
    ]


def _redacted(problem: Problem) -> Problem:
    says, hint = secrets.redact(problem.says), secrets.redact(problem.hint)
    if (says, hint) == (problem.says, problem.hint):
        return problem
    return Problem(
        file=problem.file,
        line=problem.line,
        column=problem.column,
        rule=problem.rule,
        says=says,
        hint=hint,
    )
