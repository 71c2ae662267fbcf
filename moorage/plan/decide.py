"""The decision: a spec that passed the rules becomes placements in failover order; pure."""

from __future__ import annotations

from pathlib import Path

from moorage.plan.facts import Facts, RepoFile
from moorage.plan.kinds import KINDS, Price
from moorage.plan.offers import Catalog, Kind
from moorage.plan.types import Cost, Placement, Plan, Weights
from moorage.spec.types import Model, Spec, Target


def decide(spec: Spec, facts: Facts, catalog: Catalog) -> Plan:
    """What will run where, at what cost and why; only for a spec without problems."""
    placements = tuple(
        _placement(spec, facts, catalog.kinds[target.kind], target, position)
        for position, target in enumerate(spec.providers, 1)
    )
    return Plan(
        service=spec.name,
        team=spec.team,
        model_id=spec.model.id,
        task=spec.model.task,
        max_model_len=spec.model.max_model_len,
        privacy_tier=spec.privacy.tier,
        placements=placements,
        cost=_sum([placement.cost for placement in placements]),
        slo=spec.slo,
        failover=spec.failover,
        load=spec.load,
        spec_path=spec.path,
    )


def _placement(spec: Spec, facts: Facts, kind: Kind, target: Target, position: int) -> Placement:
    price = KINDS[kind.name].price(target, kind)
    assert price is not None, "the rule price-missing has refused this spec"
    weights = _weights(spec, facts) if kind.weights != "none" else None
    return Placement(
        name=f"{kind.name}-{position}",
        kind=kind.name,
        options=kind.defaults | dict(target.options),
        weights=weights,
        cost=price.cost,
        reasons=_reasons(spec, position, price, weights),
    )


def _weights(spec: Spec, facts: Facts) -> Weights:
    model = spec.model
    if model.is_path:
        path = facts.file.path if facts.file else spec.path.parent / Path(model.id).expanduser()
        return Weights(path=path, offline=model.offline)
    assert facts.lock is not None, "the rule lock-missing has refused this spec"
    return _locked(model, facts.lock.model.files[0], model.offline)


def _locked(model: Model, file: RepoFile, offline: str) -> Weights:
    return Weights(
        repo=model.id,
        revision=model.revision,
        file=file.name,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        offline=offline,
    )


def _reasons(spec: Spec, position: int, price: Price, weights: Weights | None) -> tuple[str, ...]:
    if position == 1:
        turn = "asked first"
    else:
        turn = f"takes over when {spec.providers[position - 2].kind}-{position - 1} fails"
    tiny = weights is not None and weights.offline == "tiny" and weights.repo is not None
    fallback = ("serves moorage's own tiny model where the Hub cannot be reached",) if tiny else ()
    return (turn, f"${price.cost.most_usd:,.2f} a month at most: {price.why}", *fallback)


def _sum(costs: list[Cost]) -> Cost:
    return Cost(
        least_usd=sum((cost.least_usd for cost in costs), Cost().least_usd),
        expected_usd=sum((cost.expected_usd for cost in costs), Cost().expected_usd),
        most_usd=sum((cost.most_usd for cost in costs), Cost().most_usd),
    )
