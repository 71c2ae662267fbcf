"""What every server of our own is told, so that no default decides it behind our back; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from moorage.plan.catalogue import spans
from moorage.plan.catalogue.offers import Engine
from moorage.plan.fit import lengths
from moorage.plan.world import Choice, World

_SEQS: Final = 64  # requests at a time, where neither spec nor proof says how many there may be


class Said(NamedTuple):
    """Flags and variables of the environment, and the flags that the version does not know."""

    flags: Mapping[str, Any] = {}
    env: Mapping[str, str] = {}
    unknown: tuple[str, ...] = ()


def said(world: World, choice: Choice, given: Mapping[str, Any]) -> Said:
    """What the engine is told beside what was given; a flag that its version lacks is left out."""
    engine, version = choice.engine, choice.version
    if engine is None or not choice.kind.starts_engine or not engine.said:
        return Said()
    wanted = _wanted(world, choice, engine, given)
    missing = tuple(name for name in wanted if takes(engine, version, name) is not True)
    kept = {name: value for name, value in wanted.items() if name not in missing}
    return Said(flags=kept, env=engine.said_env, unknown=missing)


def takes(engine: Engine, version: str | None, flag: str) -> bool | None:
    """Whether a version of an engine knows a flag; None where nobody has looked."""
    if not engine.flags:
        return None
    span = flag_versions(engine, flag)
    return spans.holds(span, version or "", versions=engine.versions, read=engine.flags_read_at)


def flag_versions(engine: Engine, flag: str) -> str:
    """The versions that know a flag; empty where none does."""
    plain = flag.split(".", 1)[0]  # a key of a flag that takes an object
    return engine.flags.get(plain) or engine.flags.get(plain.removeprefix("no-"), "")


def _wanted(
    world: World, choice: Choice, engine: Engine, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The catalogue's flags; those that it leaves empty are sizes, which are reckoned here."""
    sizes = _sizes(world, choice, given)
    told = {name: sizes[name] if value is None else value for name, value in engine.said.items()}
    return {name: value for name, value in told.items() if name not in given and value is not None}


def _sizes(world: World, choice: Choice, given: Mapping[str, Any]) -> dict[str, Any]:
    """A queue is as long as what runs at a time: who comes later is better served elsewhere."""
    model, serving, lock = world.spec.model, world.spec.serving, world.lock
    seqs = given.get("max-num-seqs") or serving.max_num_seqs or _SEQS
    longest = lengths.longest(lock.model.config) if lock is not None else None
    gpus = choice.taken.count if choice.taken is not None else 0
    return {
        "gpu-memory-utilization": serving.gpu_memory_utilization,
        "kv-cache-dtype": serving.kv_cache_dtype,
        "max-num-batched-tokens": serving.max_num_batched_tokens,
        "tensor-parallel-size": serving.tensor_parallel or gpus or None,
        "max-model-len": model.max_model_len or longest,
        "max-num-seqs": seqs,
        "max-num-queued-reqs": seqs,
    }
