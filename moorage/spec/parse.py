"""From the text of a file to a `Spec`, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moorage.spec import document, secrets, shape, units
from moorage.spec.document import Node
from moorage.spec.problems import Place, Problem
from moorage.spec.types import Budget, Failover, Load, Model, Privacy, Slo, Spec, Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """One file understood: a spec where nothing is wrong, and the place of everything in it."""

    file: str
    spec: Spec | None
    problems: tuple[Problem, ...]
    tree: Node | None

    def at(self, *way: str | int) -> Place:
        """Where a value stands; for one that is not there, where its nearest parent does.

        A value's own place, but a mapping's or a list's is that of its key.
        """
        node = self.tree
        for step in way:
            below = _step(node, step)
            if below is None:
                break
            node = below
        if node is None:
            return Place()
        return node.key if isinstance(node.value, dict | tuple) else node.at


def parse(text: str, file: str, *, schema: Mapping[str, Any]) -> Parsed:
    """Read one spec; `schema` is what `moorage.spec.schema.build` gives."""
    tree, problems = document.read(text, file)
    found = [*problems, *_secrets(text, file)]
    if tree is not None:
        found += shape.check(tree, schema, file)
    spec = _spec(tree, Path(file)) if tree is not None and not found else None
    clean = tuple(sorted(_redacted(problem) for problem in found))
    return Parsed(file=file, spec=spec, problems=clean, tree=tree)


def _step(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    if isinstance(step, str):
        return node.get(step)
    return node.items[step] if step < len(node.items) else None


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


def _spec(tree: Node, path: Path) -> Spec:
    """The shape is right: what is left is to take the values."""
    top = document.plain(tree)
    return Spec(
        name=top["name"],
        team=top["team"],
        model=Model(**top["model"]),
        providers=tuple(_target(entry) for entry in top["providers"]),
        privacy=Privacy(**top.get("privacy", {})),
        budget=_budget(tree, top.get("budget", {})),
        slo=_slo(top.get("slo", {})),
        failover=_failover(top.get("failover", {})),
        load=_load(top.get("load", {})),
        path=path,
    )


def _target(entry: Mapping[str, Any]) -> Target:
    options = {key: value for key, value in entry.items() if key != "kind"}
    return Target(kind=entry["kind"], options=options)


def _budget(tree: Node, budget: Mapping[str, Any]) -> Budget:
    """Money is taken as it is written, not as the float that YAML makes of it."""
    section = tree.get("budget")
    amount = section.get("monthly_usd") if section else None
    exact = {"monthly_usd": units.money(amount.text)} if amount else {}
    return Budget(**{**budget, **exact})


def _slo(slo: Mapping[str, str]) -> Slo:
    return Slo(
        ttft_p95_ms=_ms(slo.get("ttft_p95")),
        tpot_p95_ms=_ms(slo.get("tpot_p95")),
        error_rate=units.share(slo["error_rate"]) if "error_rate" in slo else None,
    )


def _failover(failover: Mapping[str, Any]) -> Failover:
    recover = _ms(failover.get("time_to_recover"))
    lost = failover.get("lost_before_first_token")
    return Failover(
        time_to_recover_s=None if recover is None else recover / 1000,
        lost_before_first_token=None if lost is None else int(lost),
    )


def _load(load: Mapping[str, Any]) -> Load:
    usual = Load()
    return Load(
        rps=float(load.get("rps", usual.rps)),
        input_tokens=int(load.get("input_tokens", usual.input_tokens)),
        output_tokens=int(load.get("output_tokens", usual.output_tokens)),
    )


def _ms(duration: str | None) -> float | None:
    return None if duration is None else units.duration_ms(duration)
