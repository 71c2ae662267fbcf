"""Rules about the model: there, pinned, locked, allowed to be read and to be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moorage.plan.facts import Lock, Reference
from moorage.plan.fit.obstacles import serves
from moorage.plan.locks import lock
from moorage.plan.locks.references import Wanted, named
from moorage.plan.locks.weights import is_whole
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.spec.problems import Problem
from moorage.spec.types import Pinned
from moorage.spec.words import nearest

_HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_LOCK = "write it anew with `moorage lock`"


def _model_id(subject: Subject) -> Iterator[Problem]:
    model = subject.model
    if subject.needs_hub and not model.is_path and _HUB_ID.fullmatch(model.id) is None:
        says = f"{model.id[:100]!r} is neither a Hub repository (owner/name) nor a GGUF file"
        hint = "a path begins with /, ~/ or ./ or ends with .gguf"
        yield subject.problem("model-id", says, hint, "model", "id")


def _model_not_on_hub(subject: Subject) -> Iterator[Problem]:
    if not subject.model.is_path:
        return
    for number, target in enumerate(subject.spec.providers):
        kind = subject.catalog.kinds[target.kind]
        if kind.weights == "hub" or kind.routers:
            says = f"kind {kind.name} cannot reach a file of this machine"
            hint = "name a repository of the Hub in model.id, or use kind local"
            yield subject.problem("model-not-on-hub", says, hint, "providers", number, "kind")


def _revision_missing(subject: Subject) -> Iterator[Problem]:
    model = subject.model
    if subject.needs_hub and not model.is_path and not _is_pinned(model.revision):
        yield _unpinned(subject, "the model", model.revision, "model", "revision")
    for one in named(subject.spec):
        if not _is_pinned(one.revision):
            yield _unpinned(subject, one.says, one.revision, *one.way, "revision")


def _unpinned(subject: Subject, what: str, revision: str | None, *way: str | int) -> Problem:
    if revision is None:
        says = f"{what} has no revision, so it could change under you"
    else:
        says = f"{revision[:60]!r} is not a commit; branches and tags move"
    return subject.problem("revision-missing", says, "`moorage lock` tells the commit", *way)


def _lock_missing(subject: Subject) -> Iterator[Problem]:
    facts = subject.facts
    if not _is_lockable(subject):
        return
    if facts.lock_fault is not None:
        yield facts.lock_fault
    elif facts.lock is None:
        says = f"{facts.lock_file} is not there, so nothing is known of the model"
        yield subject.problem("lock-missing", says, "write it with `moorage lock`", "model")


def _lock_stale(subject: Subject) -> Iterator[Problem]:
    locked = subject.facts.lock
    if not _is_lockable(subject) or locked is None:
        return
    model = subject.model
    pairs = {
        "id": (model.id, locked.model.id),
        "revision": (model.revision, locked.model.revision),
        "quantization": (model.quantization, locked.quantization),
    }
    for key, (wanted, known) in pairs.items():
        if wanted != known:
            says = f"{subject.facts.lock_file} was written for {key} {known[:100]!r}"
            yield subject.problem("lock-stale", says, _LOCK, "model", key)
    for one in named(subject.spec):
        if _is_pinned(one.revision) and _reference(locked, one) is None:
            says = f"{subject.facts.lock_file} does not know {one.says} at this commit"
            yield subject.problem("lock-stale", says, _LOCK, *one.way)


def _reference(locked: Lock, pinned: Pinned | Wanted) -> Reference | None:
    return next(
        (
            row
            for row in locked.model.references
            if (row.id, row.revision) == (pinned.id, pinned.revision)
        ),
        None,
    )


def _file_pattern(subject: Subject) -> Iterator[Problem]:
    locked, quantization = subject.facts.lock, subject.model.quantization
    if not subject.needs_hub or subject.model.is_path:
        return
    if not quantization.startswith("gguf:"):
        if subject.needs_one_file:
            says = "llama.cpp loads one GGUF file, and none is named"
            hint = "name it: quantization: gguf:<file name or pattern>"
            yield subject.problem("file-pattern", says, hint, "model", "quantization")
    elif locked is not None and locked.quantization == quantization:
        yield from pattern_problems(subject, [file.name for file in locked.model.files])


def pattern_problems(
    subject: Subject, names: list[str], *, there: list[str] | None = None
) -> Iterator[Problem]:
    """The names that a pattern matched must be those of one model.

    `there` are all that it could have matched.
    """
    model = subject.model
    pattern = model.quantization.removeprefix("gguf:")
    if is_whole(names):
        if len(names) == 1 or not subject.needs_one_file:
            return
        says = f"'{pattern}' is in {len(names)} parts, and kind local loads one file"
        hint = "name a file that is whole, or run it elsewhere"
    elif len(names) == 1:
        says = f"'{names[0]}' is a part of a model, and the lock does not know the others"
        hint = "run `moorage lock`, or name a file that is whole"
    elif names:
        says, hint = f"'{pattern}' matches {len(names)} files", f"name one: {_some(names)}"
    else:
        says = f"no file of {model.id} matches '{pattern}'"
        hint = "`moorage lock` lists what is there" if there is None else _offered(there, pattern)
    yield subject.problem("file-pattern", says, hint, "model", "quantization")


def _offered(there: list[str], pattern: str) -> str:
    if not there:
        return "it has no GGUF file at this commit"
    near = nearest(pattern, there)
    return f"did you mean '{near}'?" if near else f"it has {_some(there)}"


def _model_file_missing(subject: Subject) -> Iterator[Problem]:
    file = subject.facts.file
    if subject.loads_weights and file is not None and file.fault:
        says = f"{file.path}: {file.fault}"
        yield subject.problem("model-file-missing", says, "give a GGUF file", "model", "id")


def _gated(subject: Subject) -> Iterator[Problem]:
    locked = subject.world.lock
    if locked is None or not subject.loads_weights:
        return
    model = locked.model
    if model.gated and model.access is False:
        yield _no_access(subject, model.id, model.gated, "model", "id")
    for one in named(subject.spec):
        row = _reference(locked, one)
        if row is not None and row.gated and row.access is False:
            yield _no_access(subject, row.id, row.gated, *one.way)


def _no_access(subject: Subject, name: str, gated: bool | str, *way: str | int) -> Problem:
    how = " (its owners decide by hand)" if gated == "manual" else ""
    says = f"{name} is gated{how}, and the token that asked may not read it"
    hint = f"ask for access at https://huggingface.co/{name}, then `moorage lock`"
    return subject.problem("gated-without-access", says, hint, *way)


def _license(subject: Subject) -> Iterator[Problem]:
    locked = subject.world.lock
    if locked is None:
        return
    yield from _licensed(subject, locked.model.id, locked.model.license, "model", "id")
    for one in named(subject.spec):
        row = _reference(locked, one)
        if row is not None:
            yield from _licensed(subject, row.id, row.license, *one.way)


def _licensed(subject: Subject, name: str, found: str | None, *way: str | int) -> Iterator[Problem]:
    allow, refuse = subject.policy.licenses_allow, subject.policy.licenses_refuse
    file = subject.policy.file
    if found is None:
        if allow is not None:
            says = f"{name} names no licence, and {file} has a list of those allowed"
            yield subject.problem("license", says, "ask for a waiver, or use another model", *way)
    elif found in refuse:
        says = f"{file} refuses the licence {found} of {name}"
        yield subject.problem("license", says, "use another model", *way)
    elif allow is not None and found not in allow:
        says = f"{file} does not allow the licence {found} of {name}"
        yield subject.problem("license", says, f"it allows {', '.join(allow)}", *way)


def _remote_code(subject: Subject) -> Iterator[Problem]:
    locked, model = subject.world.lock, subject.model
    if locked is None or not subject.loads_weights or model.is_gguf:
        return
    if locked.model.remote_code and not model.trust_remote_code and _runs_code(subject):
        says = f"{model.id} runs code of its repository when it is loaded"
        hint = "read that code, then write trust_remote_code: true, or use another model"
        yield subject.problem("remote-code", says, hint, "model", "id")
    elif _is_unlisted(subject) and model.trust_remote_code:
        says = f"code of {model.id} would run, and {subject.policy.file} does not list it"
        hint = "let the platform team read it and list it under remote_code"
        yield subject.problem("remote-code", says, hint, "model", "trust_remote_code")


def _runs_code(subject: Subject) -> bool:
    """An engine that has the architecture built in leaves the repository's code alone."""
    locked = subject.world.lock
    name = (locked.model.architecture if locked is not None else None) or ""
    return any(
        choice.engine is None or serves(choice.engine, choice.version or "", name) is not True
        for choice in subject.choices
        if choice.kind.weights == "hub"
    )


def _is_unlisted(subject: Subject) -> bool:
    return bool(subject.policy.file) and subject.model.id not in subject.policy.remote_code


def _unsafe_weights(subject: Subject) -> Iterator[Problem]:
    locked = subject.world.lock
    if locked is not None and subject.loads_weights and locked.model.weights == "pickle":
        says = f"{subject.model.id} has pickled weights only: loading them can run any code"
        hint = "use a revision or repository with safetensors"
        yield subject.problem("unsafe-weights", says, hint, "model", "id")


def _task_differs(subject: Subject) -> Iterator[Problem]:
    locked, task = subject.world.lock, subject.model.task
    said = locked.model.task if locked is not None else None
    if said is None or said == task or {said, task} in _ALIKE:
        return
    says = f"the Hub says that {subject.model.id} is for {said}, not {task}"
    yield subject.problem("task-differs", says, f"write 'task: {said}'", "model", "task")


_ALIKE: Final = (
    {"feature-extraction", "sentence-similarity"},
    {"text-generation", "image-text-to-text"},
    {"text-ranking", "text-classification"},
    {"text-generation", "summarization"},
    {"text-generation", "translation"},
)


def _adapter_base(subject: Subject) -> Iterator[Problem]:
    locked = subject.world.lock
    for number, adapter in enumerate(subject.model.adapters):
        row = _reference(locked, adapter) if locked is not None else None
        base = row.base_model if row is not None else None
        if base is not None and base != subject.model.id:
            says = f"{adapter.id} was trained for {base}, not for {subject.model.id}"
            hint = "serve it beside the model that it was trained for"
            yield subject.problem("adapter-base", says, hint, "model", "adapters", number, "id")


def _chat_template(subject: Subject) -> Iterator[Problem]:
    locked, model = subject.world.lock, subject.model
    if locked is None or not subject.loads_weights or model.chat_template is not None:
        return
    facts = locked.model
    # A lock without a tokenizer's digest was written where nobody could look for a template.
    looked = facts.tokenizer_sha256 is not None
    if model.task == "text-generation" and looked and facts.chat_template_sha256 is None:
        says = f"{model.id} has no chat template, so it answers completions only"
        hint = "name one of another repository: model.chat_template"
        yield subject.problem("chat-template-missing", says, hint, "model", "id")


def _is_lockable(subject: Subject) -> bool:
    model = subject.model
    named = not model.is_path and _HUB_ID.fullmatch(model.id) is not None
    return subject.needs_hub and named and _is_pinned(model.revision)


def _is_pinned(revision: str | None) -> bool:
    return revision is not None and lock.is_commit(revision)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


RULES: Final[dict[str, Rule]] = {
    "model-id": Rule(says="a model is a Hub repository or a GGUF file", check=_model_id),
    "model-not-on-hub": Rule(
        says="what runs elsewhere loads its weights from the Hub", check=_model_not_on_hub
    ),
    "revision-missing": Rule(
        says="every repository of the Hub is pinned to a commit", check=_revision_missing
    ),
    "lock-missing": Rule(says="a Hub model has a lock beside its spec", check=_lock_missing),
    "lock-stale": Rule(says="the lock was written for what the spec names", check=_lock_stale),
    "file-pattern": Rule(says="gguf:<pattern> names exactly one file", check=_file_pattern),
    "model-file-missing": Rule(says="a path leads to a GGUF file", check=_model_file_missing),
    "gated-without-access": Rule(says="a gated model may be read by our token", check=_gated),
    "license": Rule(says="the policy allows the licence", check=_license),
    "remote-code": Rule(says="no code of a repository runs unread", check=_remote_code),
    "unsafe-weights": Rule(says="weights are not pickled", check=_unsafe_weights),
    "task-differs": Rule(
        says="the model is made for the task", check=_task_differs, severity="warning"
    ),
    "adapter-base": Rule(says="an adapter fits the model", check=_adapter_base),
    "chat-template-missing": Rule(
        says="a chat model has a chat template", check=_chat_template, severity="warning"
    ),
}
