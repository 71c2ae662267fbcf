"""ModelRepository: a model or a dataset of one's own on the Hub, its card and files as declared."""

from __future__ import annotations

from typing import Any, Final

from moorage.provider.handler import (
    DRIFT,
    Change,
    Context,
    Created,
    Failure,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.hugging_face import client, hub, things
from moorage.provider.hugging_face.hub import Hub
from moorage.provider.hugging_face.repositories import repo_change, repo_files, repo_record
from moorage.provider.hugging_face.repositories.repo_record import MARK, Record

_MAY_BE_ABSENT: Final = frozenset({"owner", "namespace", "region"})
_RESERVED: Final = frozenset({MARK, "license"})
_GONE_PAUSE_S: Final = 0.5

_EXAMPLE: Final = """
from moorage.resources import ModelRepository

ModelRepository(
    "tuned",
    name="support-chat-8b",
    namespace="acme",
    license="apache-2.0",
    card={"base_model": "Qwen/Qwen3-8B"},
    folder="out/checkpoint",
)
"""

SHAPE: Final = Shape(
    doc="A model or a dataset of one's own on the Hub: its card, its files, who may see it.",
    inputs={
        **things.REPOSITORY,
        "type": Field(
            kind="string",
            doc="What it holds.",
            choices=repo_record.TYPES,
            default="model",
            replaces=True,
        ),
        "visibility": Field(
            kind="string", doc="Who may see it.", choices=("private", "public"), default="private"
        ),
        "license": Field(kind="string", doc="Its licence, by the Hub's own short name."),
        "card": Field(
            kind="map",
            doc="Entries of its card, such as base_model, language, tags or pipeline_tag.",
            items=Field(kind="any", doc=""),
        ),
        **repo_files.INPUTS,
        "changesBy": Field(
            kind="string",
            doc="How a change of its files is made: by a commit, or by a pull request for others"
            " to merge.",
            choices=("commit", "pull-request"),
            default="commit",
        ),
    },
    outputs={
        "url": things.URL,
        "account": things.ACCOUNT,
        "sha": Field(kind="string", doc="The commit of its files.", required=True),
        "filesDigest": Field(kind="string", doc="Over all of its files.", required=True),
        "pullRequest": Field(
            kind="string",
            doc="The one that is open with what is declared; empty where none is.",
            required=True,
        ),
        "isImported": things.IS_IMPORTED,
        "drift": DRIFT,
    },
    delete_before_replace=True,
    refresh_before_update=True,
    import_id="its id on the Hub, owner/name; datasets/owner/name for a dataset",
    example=_EXAMPLE,
)


def check(inputs: State) -> list[Failure]:
    """What no field can judge by itself."""
    return [
        Failure(name="card", reason=f"{key} has an input of its own, or is moorage's")
        for key in sorted(_RESERVED & inputs.get("card", {}).keys())
    ]


def preview(inputs: State, state: State | None) -> State:
    """Where it will be."""
    return things.foreseen(inputs, state, "url")


def diff(changes: list[Change], _old: State, _new: State) -> list[Change]:
    """What is filled in by what is there does not differ from what is left out."""
    return things.besides(changes, _MAY_BE_ABSENT)


def create(inputs: State, context: Context) -> Created:
    """Adopt what is ours already, or make it with its card; then bring it to what is declared."""
    at, owner = hub.hub(), things.owner_of(inputs, context)
    id_ = repo_record.id_of(inputs, things.account_of(inputs, context))
    found, is_new = repo_record.look(at, id_, context), False
    if found is None:
        found, is_new = repo_change.make(id_, inputs, owner, at=at, context=context)
    if not is_new:
        things.refuse_foreign(repo_record.called(id_), found.mark, owner)
    return Created(id=id_, state=_bring(found, inputs, {}, at=at, context=context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """What is there by its id alone; its files are told by their digest."""
    at = hub.hub()
    found = repo_record.look(at, id_, context)
    if found is None or (state and not _is_ours(found, state, inputs, at, context)):
        return None
    outputs = repo_record.outputs(found, at)
    if not inputs:
        told = repo_record.declared(found)
        told_of_it = {"pullRequest": "", "isImported": found.mark is None, "drift": None}
        return Found(state={**told, **outputs, **told_of_it}, inputs=told)
    owner = things.owner_of(inputs, context)
    asked_for = repo_change.pull_request(found, owner, at, context)
    drift = repo_record.drift(inputs, found, owner, asked_for)
    more = {"pullRequest": asked_for.url if asked_for else "", "drift": drift}
    return Found(state={**state, **outputs, **more}, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Make it as declared; when it is so already, nothing is written."""
    at = hub.hub()
    found = things.there(repo_record.look(at, id_, context), repo_record.called(id_))
    if not _is_ours(found, state, inputs, at, context):
        things.refuse_foreign(repo_record.called(id_), found.mark, things.owner_of(inputs, context))
    things.refuse_move(repo_record.called(id_), repo_record.account_of(id_), inputs, state)
    return _bring(found, inputs, state, at=at, context=context)


def delete(id_: str, state: State, context: Context) -> None:
    """Take it away with all that is in it; what is not ours stays."""
    at, what = hub.hub(), repo_record.called(id_)
    asked, kind = at.asked(what, repo_record.account_of(id_)), repo_record.type_of(id_)
    bare = repo_record.bare(id_)
    for _ in range(things.TRIES):
        found = repo_record.look(at, id_, context)
        if found is None:
            return
        if not _is_ours(found, state, state, at, context):
            things.leave_foreign(what, found.mark, context)
            return
        outcome = hub.write(at, asked, lambda api: api.delete_repo(bare, repo_type=kind), context)
        if isinstance(outcome, client.Refused) and outcome.status == hub.NOT_FOUND:
            return
        if things.settled(outcome) and repo_record.look(at, id_, context) is None:
            return
        context.pause(_GONE_PAUSE_S)
    raise things.still_there(what)


def locate(inputs: State, context: Context) -> str | None:
    """The id of what an interrupted create left behind."""
    at = hub.hub()
    id_ = repo_record.id_of(inputs, things.account_of(inputs, context))
    found = repo_record.look(at, id_, context)
    return id_ if found and found.mark == things.owner_of(inputs, context) else None


def _is_ours(found: Record, state: State, inputs: State, at: Hub, context: Context) -> bool:
    def is_same() -> bool:
        kind, bare = repo_record.type_of(found.id), repo_record.bare(found.id)
        asked = at.asked(repo_record.called(found.id), repo_record.account_of(found.id))
        return things.has_commit(at, asked, kind, bare, state.get("sha"), context)

    owners = things.owner_of(inputs, context), things.owner_of(state, context)
    return things.is_ours(found.mark, owners, state, is_same=is_same)


def _bring(found: Record, inputs: State, state: State, *, at: Hub, context: Context) -> State:
    def told(one: Record, asked_for: Any = None) -> State:
        more = {
            "pullRequest": asked_for.url if asked_for else "",
            "isImported": bool(state.get("isImported")),
            "drift": None,
        }
        return {**inputs, **repo_record.outputs(one, at), **more}

    if not state:  # else a change that fails would forget what has yet to be dropped
        context.exists(found.id, told(found))
    owner = things.owner_of(inputs, context)
    changed, asked_for = repo_change.bring(found, inputs, state, owner, at=at, context=context)
    return told(changed, asked_for)


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=check,
    diff=diff,
    preview=preview,
    locate=locate,
    needs=("huggingface_hub.hf_api",),
)
