"""What the Hub says of the other repositories that a spec names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moorage.hub import about, door, inside
from moorage.hub.door import DEADLINE_SECONDS, TOTAL_SECONDS, Door, Repository
from moorage.hub.faults import refuse, translated
from moorage.plan.facts import Reference
from moorage.plan.locks.references import Wanted

if TYPE_CHECKING:
    from moorage.hub.about import Info

ADAPTER = ("adapter_model.safetensors", "adapter_model.bin")
ADAPTER_CONFIG = "adapter_config.json"

_MOST_RANK = 1 << 20


def reference(
    wanted: Wanted,
    *,
    token: str | None = None,
    endpoint: str | None = None,
    deadline_s: float = DEADLINE_SECONDS,
    total_s: float = TOTAL_SECONDS,
) -> Reference:
    """Ask once what the Hub says of a repository at a revision (None: its main branch)."""
    opened = door.at(endpoint, token, deadline_s, total_s)
    kind = "datasets" if wanted.role == "dataset" else "models"
    repo = Repository(id=wanted.id, revision=wanted.revision, kind=kind)
    with translated(wanted.id, wanted.revision, opened.endpoint):
        ask = about.dataset if kind == "datasets" else about.model
        info = ask(opened, repo)
        return _reference(opened, wanted, kind, info)


def _reference(opened: Door, wanted: Wanted, kind: str, info: Info) -> Reference:
    commit = about.commit(opened, wanted.id, info)
    repo = Repository(id=wanted.id, revision=commit, kind=kind)
    gated = about.gated(info)
    access = about.may_read(opened, repo) if gated else True
    look = _LOOK.get(wanted.role)
    return Reference(
        role=wanted.role,
        id=wanted.id,
        revision=commit,
        license=about.license_word(info),
        gated=gated,
        access=access,
        **(look(opened, repo, wanted, info) if access and look else {}),
    )


def _adapter(opened: Door, repo: Repository, _wanted: Wanted, info: Info) -> dict[str, Any]:
    sizes = about.sizes(info)
    config = inside.read_object(opened, repo, ADAPTER_CONFIG, sizes)
    weights = next((name for name in ADAPTER if name in sizes), None)
    if weights is None or not config:
        refuse(f"{repo.id}: no adapter; it lacks {ADAPTER_CONFIG} or {ADAPTER[0]}")
    rank = config.get("r")
    return {
        "digests": {weights: inside.digest(opened, repo, about.files(info), weights)},
        "rank": rank if type(rank) is int and 0 < rank < _MOST_RANK else None,
        "size_bytes": sizes[weights],
        "base_model": about.text(config.get("base_model_name_or_path")),
    }


def _tokenizer(opened: Door, repo: Repository, _wanted: Wanted, info: Info) -> dict[str, Any]:
    sizes = about.sizes(info)
    name = next((name for name in inside.TOKENIZERS if name in sizes), None)
    if name is None:
        refuse(f"{repo.id}: no tokenizer; it has none of {', '.join(inside.TOKENIZERS)}")
    return {"digests": {name: inside.digest(opened, repo, about.files(info), name)}}


def _template(opened: Door, repo: Repository, wanted: Wanted, info: Info) -> dict[str, Any]:
    names = (wanted.file,) if wanted.file else inside.TEMPLATES
    found = inside.template_digest(opened, repo, about.sizes(info), names)
    if found is None:
        refuse(f"{repo.id}: no chat template in {' or '.join(names)}")
    return {"digests": {wanted.file or "chat_template": found}}


_LOOK = {"adapter": _adapter, "tokenizer": _tokenizer, "chat-template": _template}
