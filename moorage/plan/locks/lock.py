"""The lock beside a spec: the Hub's answer frozen as JSON, sorted, stable, free of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from moorage.plan.facts import Lock, LockedOffer, ModelFacts, Reference, Route
from moorage.plan.locks.licenses import spdx
from moorage.plan.locks.lock_read import COMMIT, read
from moorage.plan.locks.lock_text import VERSION, render
from moorage.plan.locks.weights import loaded
from moorage.spec.types import Model

__all__ = [
    "SUFFIX",
    "VERSION",
    "beside",
    "differences",
    "is_commit",
    "make",
    "read",
    "render",
    "same",
]

SUFFIX = ".lock.json"

_COMMIT = re.compile(COMMIT)
_OFFER = "the offer "
_PLAIN = (
    "id",
    "revision",
    "license",
    "gated",
    "access",
    "library",
    "task",
    "architecture",
    "weights",
    "remote_code",
    "tokenizer_sha256",
    "chat_template_sha256",
)


def beside(spec: Path) -> Path:
    """The path of a spec's lock: hello.yaml has hello.lock.json."""
    return spec.with_name(spec.stem + SUFFIX)


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit, which cannot move, and not a branch or a tag."""
    return _COMMIT.fullmatch(revision) is not None


def make(
    model: Model,
    facts: ModelFacts,
    *,
    licenses: Mapping[str, str],
    offers: tuple[LockedOffer, ...] = (),
) -> Lock:
    """Freeze the part of the facts that a spec's model uses; `licenses` as in the catalogue."""
    form, names = loaded([file.name for file in facts.files], model.quantization)
    references = tuple(
        replace(row, license=spdx(row.license, licenses)) for row in facts.references
    )
    frozen = replace(
        facts,
        files=tuple(file for file in facts.files if file.name in names),
        license=spdx(facts.license, licenses),
        weights=facts.weights or form,
        references=references,
    )
    return Lock(model=frozen, quantization=model.quantization, offers=offers)


def same(one: Lock, other: Lock) -> bool:
    """Whether two locks say the same, whoever was asked and when."""
    return render(_unasked(one)) == render(_unasked(other))


def differences(old: Lock, new: Lock) -> tuple[str, ...]:
    """What has moved of what the old lock knew, in words; what it did not know has not moved."""
    before, after = _flat(old), _flat(new)
    hidden = tuple(_hidden(new))
    parts = tuple(f" of {name}" for name in before.keys() - after.keys())  # it is enough to say it
    return tuple(
        f"{name} was {known}, is {after.get(name) or _absent(name)}"
        for name, known in sorted(before.items())
        if after.get(name) != known and not name.startswith(hidden) and not name.endswith(parts)
    )


def _absent(name: str) -> str:
    """What is said of it: an offer is in the lock as long as the spec takes it, sold or not."""
    return "not taken any more" if name.startswith(_OFFER) else "gone"


def _hidden(lock: Lock) -> Iterator[str]:
    """What cannot be seen without access to the files: that it is gone would be wrong."""
    if lock.model.access is False:
        yield from ("architecture", "remote code", "tokenizer sha256", "chat template sha256")
    for row in lock.model.references:
        if row.access is False:
            yield from (f"{row.role} {row.id}: {part}" for part in ("base model", "sha256 of"))


def _unasked(lock: Lock) -> Lock:
    return replace(lock, model=replace(lock.model, asked_of="", asked_on=""))


def _flat(lock: Lock) -> dict[str, str]:
    model = lock.model
    found = {name.replace("_", " "): getattr(model, name) for name in _PLAIN}
    found |= {f"sha256 of {file.name}": file.sha256 for file in model.files}
    for route in model.routes:
        found |= _of_route(f"the router's provider {route.provider} ({route.task})", route)
    for row in model.references:
        found |= _of_reference(f"{row.role} {row.id}", row)
    found |= {f"{_OFFER}{row.key}": f"${row.usd} per {row.per}" for row in lock.offers}
    return {name: _said(value) for name, value in found.items() if value is not None}


def _of_route(name: str, route: Route) -> dict[str, object]:
    prices = {
        "input": route.input_usd_per_mtok,
        "output": route.output_usd_per_mtok,
    }
    return {
        name: route.status,
        f"the context of {name}": route.context_tokens,
        **{
            f"the {way} price of {name}": None if usd is None else f"${usd.normalize():f} per Mtok"
            for way, usd in prices.items()
        },
    }


def _of_reference(name: str, row: Reference) -> dict[str, object]:
    return {
        f"{name}: commit": row.revision,
        f"{name}: license": row.license,
        f"{name}: gated": row.gated,
        f"{name}: access": row.access,
        f"{name}: base model": row.base_model,
        **{f"{name}: sha256 of {file}": digest for file, digest in row.digests.items()},
    }


def _said(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
