"""Bringing a model or dataset repository to what is declared, by commits or by a pull request."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub, things
from moorage.provider.hugging_face.client import Refused
from moorage.provider.hugging_face.hub import Call, Done, Hub
from moorage.provider.hugging_face.repositories import repo_files, repo_record
from moorage.provider.hugging_face.repositories.repo_files import README, Difference
from moorage.provider.hugging_face.repositories.repo_record import Asked, Record

_ROUNDS: Final = 4
_PAUSE_S: Final = 0.5
_STALE: Final = 412
_MESSAGE: Final = "Deploy by moorage"
_SCOPE: Final = "repo.write"


def make(id_: str, inputs: State, owner: str, *, at: Hub, context: Context) -> tuple[Record, bool]:
    """The repository, made with the card that says whose it is, or by whoever was faster.

    With it comes whether it is surely new: then it is ours, also where the Hub takes no files at
    creation and it has yet to say so.
    """
    what = repo_record.called(id_)
    asked = at.asked(what, repo_record.account_of(id_))
    call = hub.post("/api/repos/create", _body(id_, inputs, owner))
    outcome, found = things.asked_for(at, asked, call, partial(repo_record.look, at, id_), context)
    return found, isinstance(outcome, Done)


def _body(id_: str, inputs: State, owner: str) -> dict[str, Any]:
    account, _, name = repo_record.bare(id_).partition("/")
    readme = repo_record.local_files(inputs, owner)[README]
    assert isinstance(readme, bytes), "a README with a card is composed, not a file"
    content = base64.b64encode(readme).decode()
    told = {
        "type": repo_record.type_of(id_),
        "name": name,
        "organization": account,
        "visibility": inputs["visibility"],
        "resourceGroupId": inputs.get("resourceGroup"),
        "region": inputs.get("region"),
        "files": [{"path": README, "content": content, "encoding": "base64"}],
    }
    return {key: value for key, value in told.items() if value is not None}


def bring(
    found: Record, inputs: State, state: State, owner: str, *, at: Hub, context: Context
) -> tuple[Record, Asked | None]:
    """Write what differs; the repository as it is then, and the pull request that waits."""
    lost, without = "", repo_record.dropped(inputs, state, owner)
    # Until it has said whose it is, nothing of it waits for others.
    has_said = found.mark is not None or (bool(state) and not state.get("isImported"))
    by_pull_request = inputs["changesBy"] == "pull-request" and has_said
    asked_for = pull_request(found, owner, at, context) if by_pull_request else None
    for number in range(_ROUNDS + 1):
        wanted = list(_settings(found, inputs))
        base = asked_for.record if asked_for else found
        if not repo_record.is_as_declared(inputs, base, owner, without):
            commit = _commit(found, inputs, owner, asked_for, without, opens=by_pull_request)
            wanted.append(commit)
        if not wanted:
            return found, asked_for
        if number == _ROUNDS:
            break
        if number:
            context.pause(_PAUSE_S)
        lost = _write(wanted, found.id, at, context)
        found = things.still(repo_record.look(at, found.id, context), repo_record.called(found.id))
        asked_for = pull_request(found, owner, at, context) if by_pull_request else None
    why = lost or "the Hub takes what is written and keeps it as it was"
    message = f"{repo_record.called(found.id)}: {why}; run up again"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _write(wanted: list[Call], id_: str, at: Hub, context: Context) -> str:
    asked = at.asked(repo_record.called(id_), repo_record.account_of(id_))
    for call in wanted:
        context.progress(f"changing {asked.what}")
        outcome = hub.commit(at, asked, call, context)
        if isinstance(outcome, Refused):
            if outcome.status != _STALE:
                raise outcome.fail()
            context.warn(f"{asked.what}: somebody else commits to it; looking again")
            return "somebody else commits to it all the time"
        if not isinstance(outcome, Done):
            return str(outcome)
    return ""


def _settings(found: Record, inputs: State) -> Iterator[Call]:
    name, kind = repo_record.bare(found.id), repo_record.type_of(found.id)
    wanted, group = inputs["visibility"], inputs.get("resourceGroup")
    if found.visibility != wanted:
        yield lambda api: api.update_repo_settings(name, repo_type=kind, visibility=wanted)
    if group is not None and group != found.group:
        yield hub.post(f"/api/{kind}s/{name}/resource-group", {"resourceGroupId": group})


def _commit(
    found: Record,
    inputs: State,
    owner: str,
    asked_for: Asked | None,
    without: frozenset[str],
    *,
    opens: bool,
) -> Call:
    """One commit: on main, on a new pull request, or on the one that is open."""
    base = asked_for.record if asked_for else found

    def call(api: Any) -> Any:
        local, difference = _planned(api, base, inputs, owner, without)
        return api.create_commit(
            repo_record.bare(found.id),
            repo_type=repo_record.type_of(found.id),
            operations=repo_files.operations(local, difference),
            commit_message=_title(owner) if opens else _MESSAGE,
            revision=f"refs/pr/{asked_for.number}" if asked_for else None,
            parent_commit=base.sha or None,
            create_pr=opens and asked_for is None,
        )

    return call


def _planned(
    api: Any, base: Record, inputs: State, owner: str, without: frozenset[str]
) -> tuple[repo_files.Local, Difference]:
    """The files and what is to be done; where only the card is declared, its README stays."""
    if repo_files.is_given(inputs):
        local = repo_record.local_files(inputs, owner)
        return local, repo_files.between(local, base.files)
    if README not in base.files:
        return repo_record.local_files(inputs, owner), Difference(added=(README,))
    text = _readme(api, base)
    card = repo_record.card_of(inputs, owner)
    return {README: repo_files.carded(text, card, without).encode()}, Difference(changed=(README,))


def _readme(api: Any, base: Record) -> str:
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import get_session, hf_raise_for_status

    url = f"{api.endpoint}/{base.id}/resolve/{base.sha}/{README}"
    response = get_session().get(url, headers=build_hf_headers(token=api.token))
    hf_raise_for_status(response)
    return str(response.text)


def _title(owner: str) -> str:
    return f"{_MESSAGE}: {owner}"


def pull_request(found: Record, owner: str, at: Hub, context: Context) -> Asked | None:
    """The open pull request of ours, where there is one."""
    what = repo_record.called(found.id)
    asked = at.asked(what, repo_record.account_of(found.id), scope="discussion.write")
    title = _title(found.mark or owner)
    number = hub.read(at, asked, lambda api: _number(api, found.id, title), context)
    if not number:
        return None
    reference = f"refs/pr/{number}"
    change = repo_record.look(at, found.id, context, revision=reference) or found
    # Of a pull request a Hub may tell the card of main.
    card = hub.read(at, asked, lambda api: _card(api, change), context)
    url = f"{at.url}/{found.id}/discussions/{number}"
    return Asked(number=number, url=url, record=replace(change, card=card or {}))


def _card(api: Any, change: Record) -> dict[str, Any]:
    """The entries of its card, by its README."""
    from huggingface_hub import RepoCard

    text = _readme(api, change) if README in change.files else ""
    read: Any = RepoCard(text, ignore_metadata_errors=True).data
    return dict(read.to_dict())


def _number(api: Any, id_: str, title: str) -> int:
    """The number of the newest that is open; 0 for none."""
    talks = api.get_repo_discussions(
        repo_record.bare(id_),
        repo_type=repo_record.type_of(id_),
        discussion_type="pull_request",
        discussion_status="open",
    )
    return next((talk.num for talk in talks if talk.title == title), 0)
