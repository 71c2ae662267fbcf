"""Which engine serves a placement, and the question whether it fits; pure."""

from __future__ import annotations

from moorage.plan.catalogue.offers import Engine, Kind
from moorage.plan.facts import ModelFacts
from moorage.plan.fit.obstacles import serves
from moorage.plan.fit.types import Question
from moorage.plan.world import Candidate, Choice, World
from moorage.spec.tasks import TASKS


def choose(world: World, kind: Kind) -> tuple[Engine | None, str | None]:
    """The engine and its version: the spec's, or the kind's first that can serve the model."""
    serving, engines = world.spec.serving, world.catalog.engines
    if not kind.engines:
        return None, None
    if serving.engine is not None:
        named = engines.get(serving.engine)
        usable = named if named is not None and named.name in kind.engines else None
        return usable, _version(usable, serving.version)
    known = (engines[name] for name in kind.engines if name in engines)
    able = [engine for engine in known if _serves(engine, world)]
    # One that is known to serve the architecture comes before one of which nothing is known.
    name = _architecture(world)
    sure = [row for row in able if serves(row, _version(row, serving.version) or "", name)]
    best = next((row for row in sure if world.spec.model.task in row.first_for), None)
    best = best or next(iter(sure or able), None)
    return best, _version(best, serving.version)


def question(
    world: World, facts: ModelFacts, engine: Engine, version: str, machine: Candidate
) -> Question:
    """What the memory proof is asked."""
    spec, serving = world.spec, world.spec.serving
    ranks = {row.id: row.rank for row in facts.references if row.role == "adapter"}
    return Question(
        facts=facts,
        quantization=spec.model.quantization,
        engine=engine.name,
        version=version,
        gpu=machine.gpu,
        count=machine.count,
        generates=TASKS[spec.model.task].generates,
        host_gib=machine.host_gib,
        max_model_len=spec.model.max_model_len,
        max_num_seqs=serving.max_num_seqs,
        max_num_batched_tokens=serving.max_num_batched_tokens,
        gpu_memory_utilization=serving.gpu_memory_utilization,
        kv_cache_dtype=serving.kv_cache_dtype,
        tensor_parallel=serving.tensor_parallel,
        load=world.load,
        adapters=tuple(ranks.get(adapter.id) for adapter in spec.model.adapters),
        args=serving.args,
    )


def image(world: World, choice: Choice) -> str | None:
    """The container image: the spec's own, or the engine's of that version for the hardware."""
    own, engine = world.spec.serving.image, choice.engine
    if own is not None or engine is None or engine.image is None:
        return own
    is_bare = choice.taken is not None and choice.taken.gpu is None
    name = engine.cpu_image or engine.image if is_bare else engine.image
    return name.format(version=choice.version or "latest")


def _serves(engine: Engine, world: World) -> bool:
    model = world.spec.model
    if model.task not in engine.tasks:
        return False
    if model.is_gguf:
        return "gguf" in engine.weights
    lock = world.lock
    stored = "safetensors" if lock is None else lock.model.weights or "safetensors"
    return stored in engine.weights or not engine.weights


def _architecture(world: World) -> str:
    lock = world.lock
    return (lock.model.architecture if lock is not None else None) or ""


def _version(engine: Engine | None, asked: str | None) -> str | None:
    if engine is None or asked is not None:
        return asked
    return engine.versions[0] if engine.versions else None
