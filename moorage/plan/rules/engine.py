"""Rules about the engine: that it serves the task and the model, so and on this hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from moorage.plan.catalogue.offers import Engine
from moorage.plan.choice.said import flag_versions, takes
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.plan.world import Choice
from moorage.spec.problems import Problem
from moorage.spec.tasks import TASKS
from moorage.spec.words import nearest

_OURS: Final = "moorage, so that the gateway finds it"
_HEARD: Final = (  # keys of `serving` for an engine that moorage or Hugging Face starts
    "version",
    "image",
    "max_num_seqs",
    "max_num_batched_tokens",
    "gpu_memory_utilization",
    "kv_cache_dtype",
    "tensor_parallel",
    "args",
    "env",
)
_CUSTOM: Final = "custom"  # an image of one's own, which nobody else tells anything
_TYPED: Final = {  # a flag of an engine -> the key of `serving` that says it
    "max-model-len": "model.max_model_len",
    "context-length": "model.max_model_len",
    "ctx-size": "model.max_model_len",
    "max-num-seqs": "serving.max_num_seqs",
    "max-running-requests": "serving.max_num_seqs",
    "parallel": "serving.max_num_seqs",
    "max-num-batched-tokens": "serving.max_num_batched_tokens",
    "max-batch-tokens": "serving.max_num_batched_tokens",
    "gpu-memory-utilization": "serving.gpu_memory_utilization",
    "mem-fraction-static": "serving.gpu_memory_utilization",
    "kv-cache-dtype": "serving.kv_cache_dtype",
    "tensor-parallel-size": "serving.tensor_parallel",
    "tp-size": "serving.tensor_parallel",
    "quantization": "model.quantization",
    "revision": "model.revision",
    "model": "model.id",
    "tokenizer": "model.tokenizer",
    "trust-remote-code": "model.trust_remote_code",
    "chat-template": "model.chat_template",
    "lora-modules": "model.adapters",
    "api-key": "the gateway, which makes and keeps it",
    "host": _OURS,
    "hostname": _OURS,
    "port": _OURS,
    "served-model-name": _OURS,
    "alias": _OURS,
    "model-id": "model.id",
    "model-path": "model.id",
    "model-url": "model.id",
    "hf-repo": "model.id",
    "hf-file": "model.quantization",
    "tokenizer-path": "model.tokenizer",
    "tokenizer-revision": "model.tokenizer",
    "enable-lora": "model.adapters",
    "lora-paths": "model.adapters",
}


def _task(subject: Subject) -> Iterator[Problem]:
    task = subject.model.task
    for number, target in enumerate(subject.spec.providers):
        served = subject.catalog.kinds[target.kind].tasks
        if task not in served:
            says = f"kind {target.kind} does not serve {task}"
            hint = f"it serves {', '.join(served)}"
            yield subject.problem("task-not-served", says, hint, "providers", number)


def _not_relayed(subject: Subject) -> Iterator[Problem]:
    """What is paid for and serves, and what no client can ask for through the gateway."""
    task = subject.model.task
    for choice in subject.choices:
        engine = choice.engine
        if task not in choice.kind.tasks:
            continue  # another rule says so
        if task in TASKS and not TASKS[task].relayed:
            says = f"the gateway relays no {task}"
            yield subject.of(choice, "not-relayed", says, _asked_itself(choice))
        elif engine is not None and engine.own_words:
            says = f"{engine.name} answers in words of its own, which the gateway does not speak"
            yield subject.of(choice, "not-relayed", says, _asked_itself(choice))


def _asked_itself(choice: Choice) -> str:
    if choice.kind.starts_engine:
        return "nobody else has its key: use hf-endpoint, which clients can ask at its own URL"
    return f"clients can ask {choice.kind.name} only at its own URL, with a token of theirs"


def _engine_unknown(subject: Subject) -> Iterator[Problem]:
    name = subject.spec.serving.engine
    if name is None:
        return
    known = subject.catalog.engines
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean '{near}'?" if near else f"known: {', '.join(known)}"
        says = f"{name[:60]!r} is no engine of the catalogue"
        yield subject.problem("engine-unknown", says, hint, "serving", "engine")
        return
    for choice in subject.choices:
        if choice.kind.engines and name not in choice.kind.engines:
            says = f"kind {choice.kind.name} does not run {name}"
            hint = f"it runs {', '.join(choice.kind.engines)}"
            yield subject.problem("engine-unknown", says, hint, "serving", "engine")


def _engine_version(subject: Subject) -> Iterator[Problem]:
    asked = subject.spec.serving.version
    for engine in _engines(subject):
        if asked is not None and engine.versions and asked not in engine.versions:
            near, newest = nearest(asked, engine.versions), engine.versions[0]
            says = f"nothing is known of {engine.name} {asked[:40]}"
            hint = f"did you mean {near}?" if near else f"the newest known is {newest}"
            yield subject.problem("engine-version", says, hint, "serving", "version")
            return


def _image(subject: Subject) -> Iterator[Problem]:
    image = subject.spec.serving.image
    if image is not None and "@sha256:" not in image:
        says = "the image is not pinned by its digest, so it could change under you"
        hint = "write name@sha256:…"
        yield subject.problem("image-unpinned", says, hint, "serving", "image")


def _flags(subject: Subject) -> Iterator[Problem]:
    engines = list(_versioned(subject))
    for flag in subject.spec.serving.args:
        way = ("serving", "args", flag)
        if flag in _TYPED and not _is_own(flag, engines):
            says = f"'{flag}' is said by {_TYPED[flag]}"
            yield subject.problem("unknown-flag", says, "take it out of args", *way)
        elif engines and all(takes(*engine, flag) is False for engine in engines):
            names = " and ".join(_called(*engine, flag) for engine in engines)
            hint = _flag_hint(flag, [engine for engine, _ in engines])
            yield subject.problem("unknown-flag", f"{names} has no flag '{flag}'", hint, *way)


def _is_own(flag: str, engines: list[tuple[Engine, str | None]]) -> bool:
    """Whether a flag means something else to an image of one's own."""
    is_placed = _TYPED[flag] == _OURS
    return is_placed and bool(engines) and all(engine.name == _CUSTOM for engine, _ in engines)


def _batch(subject: Subject) -> Iterator[Problem]:
    """Every request under way has a token in every step."""
    serving = subject.spec.serving
    seqs, batch = serving.max_num_seqs, serving.max_num_batched_tokens
    if seqs is not None and batch is not None and batch < seqs:
        says = f"a step of {batch} tokens has no room for {seqs} requests"
        hint = f"write max_num_batched_tokens: {seqs} or more, such as 2048"
        way = ("serving", "max_num_batched_tokens")
        yield subject.problem("batch-too-small", says, hint, *way)


def _unused(subject: Subject) -> Iterator[Problem]:
    """What nobody would hear: these kinds have settings of their own, or none."""
    if any(choice.kind.weights == "hub" for choice in subject.choices):
        return
    names = [*dict.fromkeys(choice.kind.name for choice in subject.choices)]
    nobody = f"kind {names[0]} takes" if len(names) == 1 else f"kinds {' and '.join(names)} take"
    for key in _HEARD:
        if subject.parsed.has("serving", key):
            says = f"{nobody} no {key}"
            is_here = key == "max_num_seqs" and any(
                choice.kind.name == "local" for choice in subject.choices
            )
            hint = "write parallel in the entry of kind local" if is_here else "take it out"
            yield subject.problem("serving-unused", says, hint, "serving", key)


def _called(engine: Engine, version: str | None, flag: str) -> str:
    """With its version, where that is why."""
    return f"{engine.name} {version}" if flag_versions(engine, flag) else engine.name


def _flag_hint(flag: str, engines: list[Engine]) -> str:
    """The versions that have it, or the flag that was meant."""
    for engine in engines:
        first, _, last = flag_versions(engine, flag).partition("..")
        if last:
            return f"{engine.name} has it from {first} to {last}"
        if first:
            return f"{engine.name} has it since {first} at the latest"
    near = nearest(flag, [known for engine in engines for known in engine.flags])
    return f"did you mean '{near}'?" if near else ""


def _engines(subject: Subject) -> Iterator[Engine]:
    """The engines of all placements, each once."""
    seen = {choice.engine.name: choice.engine for choice in subject.choices if choice.engine}
    return iter(seen.values())


def _versioned(subject: Subject) -> Iterator[tuple[Engine, str | None]]:
    versions = {choice.engine.name: choice.version for choice in subject.choices if choice.engine}
    return ((engine, versions[engine.name]) for engine in _engines(subject))


def _obstacle(rule: str, subject: Subject) -> Iterator[Problem]:
    """What the proof of a placement met; where the hardware is open, `no-offer-fits` speaks."""
    told: set[str] = set()
    for choice in subject.choices:
        if choice.taken is None or choice.open:
            continue
        for met in choice.taken.obstacles:
            if met.rule == rule and met.says not in told:
                told.add(met.says)
                yield subject.of(choice, rule, met.says, met.hint)


def _met(rule: str) -> Callable[[Subject], Iterator[Problem]]:
    return partial(_obstacle, rule)


RULES: Final[dict[str, Rule]] = {
    "task-not-served": Rule(says="every kind serves the task", check=_task),
    "not-relayed": Rule(says="the gateway relays the task", check=_not_relayed, severity="warning"),
    "engine-unknown": Rule(says="every kind runs the engine", check=_engine_unknown),
    "engine-version": Rule(
        says="the engine's version is known", check=_engine_version, severity="warning"
    ),
    "image-unpinned": Rule(says="an image is pinned by its digest", check=_image),
    "unknown-flag": Rule(says="the engine has every flag of args", check=_flags),
    "batch-too-small": Rule(says="a step has room for every request", check=_batch),
    "serving-unused": Rule(
        says="somebody takes every setting of serving", check=_unused, severity="warning"
    ),
    "task-not-served-by-engine": Rule(
        says="the engine serves the task", check=_met("task-not-served-by-engine")
    ),
    "architecture-unknown": Rule(
        says="the engine's version serves the architecture", check=_met("architecture-unknown")
    ),
    "quantization-unsupported": Rule(
        says="engine and GPU can compute the quantization", check=_met("quantization-unsupported")
    ),
    "quantization-mismatch": Rule(
        says="the repository is quantized as the spec says", check=_met("quantization-mismatch")
    ),
    "tensor-parallel": Rule(
        says="heads and blocks can be divided among the GPUs", check=_met("tensor-parallel")
    ),
    "context-too-long": Rule(
        says="max_model_len is not longer than the model's own", check=_met("context-too-long")
    ),
    "weights-format": Rule(
        says="the engine loads weights of this format", check=_met("weights-format")
    ),
}
