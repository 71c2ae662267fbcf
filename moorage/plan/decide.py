"""The decision: a spec that passed the rules becomes placements in failover order; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from moorage.plan.choice import engines
from moorage.plan.choice.differences import unproven
from moorage.plan.choice.resolve import options
from moorage.plan.choice.said import Said, said
from moorage.plan.facts import Facts, RepoFile
from moorage.plan.money.budget import Affordable, affordable
from moorage.plan.types import Cost, Machine, Placement, Plan, Weights
from moorage.plan.world import Choice, World
from moorage.spec.types import Model, Publication, Spec


def decide(world: World, choices: Sequence[Choice]) -> Plan:
    """What will run where, at what cost and why; only for a spec without problems.

    `choices` are those of the world, as `moorage.plan.choice.resolve.resolve` gives them.
    """
    spec = world.spec
    kept = affordable(world, choices)
    placements = tuple(_placement(world, choice, kept, choices[0]) for choice in kept.choices)
    return Plan(
        service=spec.name,
        team=spec.team,
        owner=spec.owner,
        model_id=spec.model.id,
        revision=spec.model.revision,
        task=spec.model.task,
        quantization=spec.model.quantization,
        max_model_len=spec.model.max_model_len,
        adapters=spec.model.adapters,
        tokenizer=spec.model.tokenizer,
        chat_template=spec.model.chat_template,
        trust_remote_code=spec.model.trust_remote_code,
        privacy_tier=spec.privacy.tier,
        regions=spec.privacy.regions,
        placements=placements,
        passed_over=kept.passed_over,
        app=spec.app,
        publish=tuple(_publication(row, world.facts) for row in spec.publish),
        app_cost=kept.app.cost if kept.app is not None else None,
        cost=kept.cost,
        slo=spec.slo,
        failover=spec.failover,
        load=spec.load,
        spec_path=spec.path,
    )


def _publication(row: Publication, facts: Facts) -> Publication:
    if row.folder is None:
        return row
    return replace(row, folder=facts.folders[row.folder].path)


def _placement(world: World, choice: Choice, kept: Affordable, first: Choice) -> Placement:
    taken = choice.taken
    differs = unproven(world, choice, first)
    given = _flags(world, choice)
    ours = said(world, choice, given)
    return Placement(
        name=choice.name,
        kind=choice.kind.name,
        options=options(world, choice),
        weights=_weights(world.spec, world.facts) if _loads_one_file(world, choice) else None,
        engine=choice.engine.name if choice.engine else None,
        version=choice.version,
        image=_image(world, choice),
        flags=dict(sorted({**ours.flags, **given}.items())),
        env={**ours.env, **world.spec.serving.env} if choice.engine else {},
        machine=_machine(choice),
        routes=tuple(route.provider for route in choice.routes),
        fit=taken.fit if taken else None,
        cost=_cost(choice),
        differs=differs,
        reasons=(*_reasons(world, choice, kept, differs), *_unsaid(choice, ours)),
        passed_over=choice.passed_over,
    )


def _loads_one_file(world: World, choice: Choice) -> bool:
    """A GGUF model is one file wherever it is loaded, and the lock knows which."""
    holds = choice.kind.weights
    return holds == "gguf" or (holds == "hub" and world.spec.model.is_gguf)


def _image(world: World, choice: Choice) -> str | None:
    """The engine of this machine is a process, which no image holds."""
    if choice.kind.weights != "hub":
        return None
    return engines.image(world, choice)


def _flags(world: World, choice: Choice) -> Mapping[str, Any]:
    """The engine's flags: what the proof rests on, and what the team adds."""
    if choice.engine is None:
        return {}
    proven = choice.taken.fit.flags if choice.taken and choice.taken.fit else {}
    return {**world.spec.serving.args, **proven}


def _unsaid(choice: Choice, ours: Said) -> Iterator[str]:
    """What an older version cannot be told, though every server of ours should be."""
    if ours.unknown and choice.engine is not None:
        flags = ", ".join(f"--{name}" for name in ours.unknown)
        yield f"{choice.engine.name} {choice.version} is not known to have {flags}"


def _machine(choice: Choice) -> Machine | None:
    taken = choice.taken
    if taken is None or choice.kind.weights != "hub":
        return None
    offer = taken.offer
    return Machine(
        offer=offer.key if offer else None,
        instance=offer.name if offer else None,
        vendor=offer.vendor if offer else None,
        region=taken.region,
        gpu=taken.gpu.name if taken.gpu else None,
        count=taken.count,
        replicas_min=choice.replicas_min,
        replicas_max=choice.replicas_max,
    )


def _weights(spec: Spec, facts: Facts) -> Weights:
    model = spec.model
    if model.is_path:
        path = facts.file.path if facts.file else spec.path.parent / Path(model.id).expanduser()
        return Weights(path=path, offline=model.offline)
    assert facts.lock is not None, "the rule lock-missing has refused this spec"
    return _locked(model, facts.lock.model.files, model.offline)


def _locked(model: Model, files: Sequence[RepoFile], offline: str) -> Weights:
    """The one file, or the first of its parts, which leads llama.cpp to the others."""
    return Weights(
        repo=model.id,
        revision=model.revision,
        file=files[0].name,
        sha256=files[0].sha256 if len(files) == 1 else None,
        size_bytes=sum(file.size_bytes for file in files),
        offline=offline,
    )


def _reasons(
    world: World, choice: Choice, kept: Affordable, differs: tuple[str, ...]
) -> tuple[str, ...]:
    names = [other.name for other in kept.choices]
    at = names.index(choice.name)
    reasons = ["asked first" if at == 0 else f"takes over when {names[at - 1]} fails"]
    bill = choice.bill
    assert bill is not None, "the rule price-missing has refused this spec"
    reasons.append(f"${bill.cost.most_usd:,.2f} a month at most: {bill.why}")
    if bill.cost.usd_per_mtok:
        reasons.append(f"${bill.cost.usd_per_mtok:.2f} per million tokens if it carries the load")
    taken = choice.taken
    if taken is not None and taken.fit is not None:
        reasons.append(f"memory: {taken.fit.verdict}, {taken.fit.because}")
    if _stands_in(world, choice):
        reasons.append("serves moorage's own tiny model where the Hub cannot be reached")
    if differs:
        reasons.append(f"not proven to be as in {kept.choices[0].name}: {', '.join(differs)}")
    return tuple(reasons)


def _stands_in(world: World, choice: Choice) -> bool:
    model = world.spec.model
    return choice.kind.weights == "gguf" and model.offline == "tiny" and not model.is_path


def _cost(choice: Choice) -> Cost:
    return choice.bill.cost if choice.bill else Cost()
