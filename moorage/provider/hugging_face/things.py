"""What the things of an account have in common: names, whose they are, how they are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import Any, Final, TypeVar

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Change, Context, Field, State
from moorage.provider.hugging_face import client, hub
from moorage.provider.hugging_face.client import Refused
from moorage.provider.hugging_face.faults import Asked
from moorage.provider.hugging_face.hub import Call, Hub, Outcome
from moorage.provider.values import UNKNOWN

TRIES: Final = 5  # of what may be done again
_BUSY: Final = "another conflicting operation"
_BUSY_PAUSE_S: Final = 1.0
_CONFLICT: Final = 409
_LOOKS_S: Final = (0.0, 0.3, 1.0, 3.0)
_NAME: Final = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")

T = TypeVar("T")


# --- what is declared


def is_repo_name(name: str) -> str | None:
    """A repository's name, without its owner."""
    good = _NAME.fullmatch(name)
    return None if good else "must be 1 to 96 letters, digits, `.`, `_` and `-`, without -- or .."


def is_account(name: str) -> str | None:
    """A user or an organisation."""
    return None if name and "/" not in name else "must be the name of one user or organisation"


def foreseen(inputs: State, state: State | None, *stays: str) -> State:
    """Whose it will be; of what is there, what `stays`. The rest is told by the Hub alone."""
    known: State = {"drift": None}
    if state:
        return known | {name: state[name] for name in (*stays, "account") if name in state}
    account = inputs.get("namespace")
    return known if account in (None, UNKNOWN) else known | {"account": account}


def besides(changes: list[Change], may_be_absent: Set[str]) -> list[Change]:
    """What is left out is as it is there; what is declared anew has yet to be brought about.

    That is never by a replacement, for it may be so already; an update sees.
    """
    return list(_besides(changes, may_be_absent))


def _besides(changes: list[Change], may_be_absent: Set[str]) -> Iterator[Change]:
    for change in changes:
        if change.path not in may_be_absent or change.kind == "update":
            yield change
        elif change.kind == "add" and change.path != "owner":  # which the URN tells as well
            yield replace(change, replaces=False)


NAMESPACE: Final = Field(
    kind="string",
    doc="The user or organisation that has and pays it; absent: who the token belongs to.",
    replaces=True,
    rule=is_account,
)
OWNER: Final = Field(
    kind="string",
    doc="Who declares it, `project/stack/name`, as it is marked; absent: as the URN says.",
)
REPOSITORY: Final = {
    "name": Field(
        kind="string",
        doc="Its name in the account.",
        required=True,
        replaces=True,
        rule=is_repo_name,
    ),
    "namespace": NAMESPACE,
    "owner": OWNER,
    "region": Field(
        kind="string", doc="Where its files are kept.", choices=("us", "eu"), replaces=True
    ),
    "resourceGroup": Field(kind="string", doc="The resource group of the organisation."),
}

URL: Final = Field(kind="string", doc="Its page.", required=True, stable=True)
ACCOUNT: Final = Field(kind="string", doc="Whose it is.", required=True, stable=True)
IS_IMPORTED: Final = Field(kind="boolean", doc="Whether it was made by others, and imported.")


# --- whose it is


def owner_of(inputs: Mapping[str, Any], context: Context) -> str:
    """Whose a thing is: as declared, or as the resource is called."""
    return str(inputs.get("owner") or owner_by(context.urn))


def owner_by(urn: str) -> str:
    """The owner that a resource's URN tells: `project/stack/name`."""
    parts = urn.split("::", 3)
    if len(parts) < 4:
        return urn
    return f"{parts[1]}/{parts[0].removeprefix('urn:pulumi:')}/{parts[3]}"


def account_of(inputs: Mapping[str, Any], context: Context) -> str:
    """The declared namespace, or the token's own account."""
    return str(inputs.get("namespace") or client.own_account(client.deploying_token(), context))


def refuse_foreign(what: str, mark: str | None, owner: str) -> None:
    """What is not ours is never taken over."""
    if mark == owner:
        return
    message = f"{what} is there already and {_whose(mark)}; choose another name, or import it"
    raise MoorageError(message, exit_code=Exit.NEEDS_PERSON)


def leave_foreign(what: str, mark: str | None, context: Context) -> None:
    """What is not ours is never taken away, and may go on to cost: that is said."""
    context.warn(f"{what} {_whose(mark)} and is left as it is")


def _whose(mark: str | None) -> str:
    return f"belongs to {mark}" if mark else "was not made by moorage"


def refuse_move(what: str, account: str, inputs: State, state: State) -> None:
    """No change takes a thing to another account, or to another region than it was made in."""
    if inputs.get("namespace") not in (None, account):
        message = f"{what} cannot move to {inputs['namespace']}; declare it by another name"
        raise MoorageError(message)
    if inputs.get("region") not in (None, state.get("region")):
        message = (
            f"{what} was made without a region and cannot move to {inputs['region']}; leave region"
            " out, or have it replaced"
        )
        raise MoorageError(message)


# --- what is there


def is_ours(
    mark: str | None,
    ours: Iterable[str | None],
    state: State,
    *,
    is_same: Callable[[], bool] = lambda: False,
) -> bool:
    """Marked as ours, now or before; or marked by nobody, and imported, or the same as ever."""
    if mark:
        return mark in set(ours)
    return bool(state.get("isImported")) or is_same()


def has_commit(at: Hub, asked: Asked, kind: str, bare: str, sha: Any, context: Context) -> bool:
    """Whether a repository is the one that had this commit: one made anew by that name has not.

    People overwrite its card or take away a variable, and so its mark.
    """
    if not isinstance(sha, str):
        return False

    def call(api: Any) -> Any:
        return api.repo_info(bare, repo_type=kind, revision=sha)

    return hub.read(at, asked, call, context) is not None


def there(found: T | None, what: str) -> T:
    """What state knows of."""
    if found is None:
        raise gone(what)
    return found


def still(found: T | None, what: str) -> T:
    """What was looked for again while it was changed."""
    if found is None:
        message = f"{what} has gone while it was changed; run up with --refresh"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return found


def gone(what: str) -> MoorageError:
    """The line for what somebody else has taken away."""
    message = f"{what} is gone; run up with --refresh to have it made again"
    return MoorageError(message, exit_code=Exit.UNANSWERED)


def still_there(what: str) -> MoorageError:
    """The line for what a delete does not take away."""
    message = f"{what} is still there after it was deleted; run destroy again"
    return MoorageError(message, exit_code=Exit.UNANSWERED)


# --- how it is asked for


def settled(outcome: Outcome) -> bool:
    """Whether a write was made; a refused one fails, an unknown one has to be looked for."""
    if isinstance(outcome, Refused):
        raise outcome.fail()
    return isinstance(outcome, hub.Done)


def asked_for(
    at: Hub, asked: Asked, call: Call, look: Callable[[Context], T | None], context: Context
) -> tuple[Outcome, T]:
    """Ask for it, again only where it was refused for now; then what is there, whoever made it.

    A cancel ends neither: what was made is known to be there before anybody stops.
    """
    context.progress(f"creating {asked.what}")
    outcome = hub.write(at, asked, call, context)
    for _ in range(TRIES):
        if not _is_busy(outcome):
            break
        context.pause(_BUSY_PAUSE_S)
        outcome = hub.write(at, asked, call, context)
    if isinstance(outcome, Refused) and outcome.status != _CONFLICT:
        raise outcome.fail()
    steady = context.steady()
    for pause_s in _LOOKS_S:
        steady.pause(pause_s)
        found = look(steady)
        if found is not None:
            return outcome, found
    raise _unseen(outcome, asked.what)


def _is_busy(outcome: Outcome) -> bool:
    """Whether the Hub makes another repository of this account just now."""
    if not isinstance(outcome, Refused) or outcome.status != _CONFLICT:
        return False
    return _BUSY in outcome.answer.text


def _unseen(outcome: Outcome, what: str) -> MoorageError:
    if isinstance(outcome, Refused):
        message = f"{what}: the name is taken by what this token cannot see; take another"
        return MoorageError(message, exit_code=Exit.NEEDS_PERSON)
    why = "it was made, and is not to be seen" if isinstance(outcome, hub.Done) else str(outcome)
    message = f"{what}: {why}; run up again, it takes on what is there by then"
    return MoorageError(message, exit_code=Exit.UNANSWERED)
