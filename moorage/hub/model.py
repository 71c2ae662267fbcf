"""What the Hub says of a model at a revision: one question to the caller, a few to the Hub."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from moorage.hub import about, door, inside
from moorage.hub.door import DEADLINE_SECONDS, TOTAL_SECONDS, Door, Repository
from moorage.hub.faults import translated
from moorage.hub.routes import live
from moorage.plan.facts import ModelFacts
from moorage.plan.locks.weights import is_whole, loaded

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo


def facts(
    model_id: str,
    revision: str | None = None,
    *,
    quantization: str = "none",
    routes: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
    router: str | None = None,
    deadline_s: float = DEADLINE_SECONDS,
    total_s: float = TOTAL_SECONDS,
) -> ModelFacts:
    """Ask once what the Hub says of a model at a revision (None: its main branch).

    `quantization` says which weights are looked into, `routes` whether the router is asked too.
    `files` are all that have a digest. Without `token` the usual one is used: HF_TOKEN, or the one
    that `hf auth login` saved.
    """
    opened = door.at(endpoint, token, deadline_s, total_s)
    with translated(model_id, revision, opened.endpoint):
        info = about.model(opened, Repository(id=model_id, revision=revision))
        outside = _outside(opened, model_id, info, quantization)
    with translated(model_id, revision, opened.endpoint):
        known = _inside(opened, outside, info, quantization) if outside.access else outside
        found = live(opened, model_id, router) if routes else ()
    return replace(known, routes=found)


def head(
    model_id: str,
    *,
    token: str | None = None,
    endpoint: str | None = None,
    deadline_s: float = DEADLINE_SECONDS,
) -> str:
    """The commit at which a model's main branch stands now."""
    opened = door.at(endpoint, token, deadline_s, deadline_s)
    with translated(model_id, None, opened.endpoint):
        info = about.model(opened, Repository(id=model_id))
        return about.commit(opened, model_id, info)


def _outside(opened: Door, model_id: str, info: ModelInfo, quantization: str) -> ModelFacts:
    commit = about.commit(opened, model_id, info)
    gated = about.gated(info)
    weights, _ = loaded(sorted(about.sizes(info)), quantization)
    return ModelFacts(
        id=model_id,
        revision=commit,
        files=about.files(info),
        license=about.license_word(info),
        gated=gated,
        access=about.may_read(opened, Repository(id=model_id)) if gated else True,
        library=about.text(info.library_name),
        task=about.text(info.pipeline_tag),
        architecture=about.architecture(info),
        weights=weights,
        asked_of=about.without_password(opened.endpoint),
        asked_on=datetime.now(UTC).date().isoformat(),
    )


def _inside(opened: Door, outside: ModelFacts, info: ModelInfo, quantization: str) -> ModelFacts:
    """The facts that stand in the files of the repository."""
    repo = Repository(id=outside.id, revision=outside.revision)
    names = about.sizes(info)
    weights, used = loaded(sorted(names), quantization)
    files = [file for file in outside.files if file.name in used]
    if weights == "gguf":
        return inside.gguf_model(opened, repo, outside, files) if is_whole(used) else outside
    return inside.hub_model(opened, repo, outside, names, files)
