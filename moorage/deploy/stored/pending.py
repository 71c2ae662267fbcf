"""Pending operations are what a died run left in the state; how each is resolved is decided here.

The engine (3.259) carries a pending create through `up` and `destroy` with a warning, knows nothing
of what it created, and forgets it with `stack import` and `stack rm`. Of the other operations it
forgets that they were under way. Pure: what exists is asked for by moorage.deploy.stored.recover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from moorage.deploy import urns
from moorage.deploy.show.values import SECRET, SIGNATURE

OURS: Final = "moorage:"
ENGINE: Final = "pulumi:"
UNFINISHED: Final = "the run that worked on it died"

State = dict[str, Any]
Found = Mapping[str, str | None]  # what a provider knows: URN -> id, or None where nothing is


def of(state: State) -> list[State]:
    """The pending operations of a state."""
    return list((state.get("deployment") or {}).get("pending_operations") or [])


def is_ours(one: State) -> bool:
    """Whether our provider can be asked about it."""
    return is_remote(one) and type_of(one).startswith(OURS)


def is_strange(one: State) -> bool:
    """Whether only the provider of another package knows of it."""
    return is_remote(one) and not is_ours(one)


def is_remote(one: State) -> bool:
    """Whether a provider works on it; components and the engine's own things are in no cloud."""
    return bool(one["resource"].get("custom", True)) and not type_of(one).startswith(ENGINE)


def is_owed(one: State) -> bool:
    """Whether something may exist that nobody here can ask for: only a person can tell."""
    return one["type"] == "creating" and is_strange(one)


def without_doubles(deployment: State) -> State:
    """The deployment without marks of deletion on a thing that its replacement has adopted.

    Such a thing is there once and in the state twice, where a run died before it could forget the
    old one; the next run would delete what it is to keep.
    """
    resources = list(deployment.get("resources") or [])
    live = {_thing(one) for one in resources if not one.get("delete") and one.get("id")}
    kept = [
        one
        for one in resources
        if not (one.get("delete") and one["type"].startswith(OURS) and _thing(one) in live)
    ]
    return deployment if len(kept) == len(resources) else {**deployment, "resources": kept}


def _thing(resource: State) -> tuple[str, str, str]:
    return resource["urn"], resource["type"], str(resource.get("id"))


def to_ask(state: State, operations: Sequence[State]) -> list[State]:
    """The operations after which a thing may be there or not; the state tells of the others."""
    return [
        one
        for one in operations
        if one["type"] == "creating" or (one["type"] == "deleting" and _current(state, one))
    ]


def _current(state: State, one: State) -> list[State]:
    """What the state holds of the operation's thing, but for what is to be deleted anyway."""
    resources = state["deployment"].get("resources") or []
    return [old for old in resources if _is_about(one, old) and not old.get("delete")]


def _is_about(one: State, resource: State) -> bool:
    """Whether this is the operation's thing, and not its replacement of the same URN."""
    identity = one["resource"].get("id")
    return resource["urn"] == urn_of(one) and identity in (None, resource.get("id"))


def settled_state(state: State, settled: Sequence[State], found: Found) -> State:
    """The state with these pending operations resolved."""
    deployment = state["deployment"]
    resources = list(deployment.get("resources") or [])
    for one in settled:
        resources = _with_settled(resources, one, found)
    rest = {
        "resources": resources,
        "pending_operations": [one for one in of(state) if one not in settled],
    }
    return {**state, "deployment": {**deployment, **rest}}


def _with_settled(resources: list[State], one: State, found: Found) -> list[State]:
    identity, urn = found.get(urn_of(one)), urn_of(one)
    if one["type"] == "creating" and identity:
        resources = _with_created(resources, _created(one, identity, resources))
        return [_marked(old) if old["urn"] == urn else old for old in resources]
    if one["type"] == "creating":
        return resources
    if one["type"] == "deleting" and urn in found and identity is None:
        # It is gone, and what depends on it is not: so the engine keeps what it will create anew.
        return [_gone(old) if _is_about(one, old) else old for old in resources]
    return [_marked(old) if _is_about(one, old) else old for old in resources]


def _created(one: State, identity: str, resources: Sequence[State]) -> State:
    """What is known of a thing whose create never answered: its inputs.

    A provider that nothing needed meanwhile has left the state; a resource that names none gets
    one from the engine again, of the stack's settings.
    """
    resource = {**one["resource"], "id": identity, "outputs": one["resource"].get("inputs") or {}}
    providers = {f"{known['urn']}::{known.get('id')}" for known in resources}
    if resource.get("provider") not in providers:
        resource.pop("provider", None)
    return resource


def _marked(resource: State) -> State:
    """Unfinished, so that the next up goes on with it; what is deleted or gone needs nothing."""
    if resource.get("delete") or resource.get("pendingReplacement"):
        return resource
    return {**resource, "initErrors": [UNFINISHED]}


def _gone(resource: State) -> State:
    return resource if resource.get("delete") else {**resource, "pendingReplacement": True}


def _with_created(resources: list[State], created: State) -> list[State]:
    same = [one for one in resources if one["urn"] == created["urn"]]
    # One that was deleted to make room is nowhere else any more, even where it had the same id.
    deleted = [one for one in same if one.get("pendingReplacement")]
    if any(one.get("id") == created["id"] for one in same if one not in deleted):
        return resources
    at = min((resources.index(one) for one in same), default=len(resources))
    # Another thing under the same name is what the died run was about to replace.
    rest = [
        {**one, "delete": True} if one in same else one for one in resources if one not in deleted
    ]
    before = sum(1 for one in resources[:at] if one not in deleted)
    return [*rest[:before], created, *rest[before:]]


def failed_create(state: Any) -> State:
    """A create that failed, from the engine's event, in the form of a pending operation."""
    resource = {
        "urn": state.urn,
        "type": state.type,
        "custom": True,
        "inputs": _without_secrets(state.inputs or {}),
        "parent": state.parent,
        "provider": state.provider,
    }
    return {"type": "creating", "resource": {k: v for k, v in resource.items() if v}}


def _without_secrets(inputs: State) -> State:
    """Events mask secrets, and what is masked must not enter the state as if it were a value.

    Of a list nothing can be left out by itself.
    """
    return {
        key: _without_secrets(value) if isinstance(value, dict) else value
        for key, value in inputs.items()
        if not (SIGNATURE in value if isinstance(value, dict) else _holds_masked(value))
    }


def _holds_masked(value: Any) -> bool:
    if isinstance(value, dict):
        return SIGNATURE in value or any(map(_holds_masked, value.values()))
    return any(map(_holds_masked, value)) if isinstance(value, list) else value == SECRET


def verdict(one: State, found: Found) -> str:
    """What became of an operation of our provider, in words."""
    known = found.get(urn_of(one))
    if one["type"] == "creating":
        return "it was created; now in the state" if known else "it was not created"
    if one["type"] == "deleting" and urn_of(one) in found:
        return "its delete was cut short; it is done again" if known else "it was deleted"
    return f"its {CUT_SHORT.get(one['type'], one['type'])} was cut short; it is done again"


CUT_SHORT: Final = {
    "updating": "update",
    "deleting": "delete",
    "reading": "look-up",
    "importing": "import",
}


def foreign_verdict(one: State, stack: str) -> str:
    """What an operation of another provider means, and what a person has to do about it."""
    name, kind = name_of(one), type_of(one)
    if is_owed(one):
        settle = f"moorage state settle {urns.word(urn_of(one))} --stack {stack}"
        return (
            f"{name}: a run that died may have created it, and its provider cannot be asked; look "
            f"for it ({kind}), then say `{settle} --id ID`, or `--gone` where there is none"
        )
    told = CUT_SHORT.get(one["type"], one["type"])
    return f"{name}: its {told} was cut short; `moorage refresh` finds what it is now"


def type_of(one: State) -> str:
    """The type of what is being worked on."""
    return str(one["resource"]["type"])


def urn_of(one: State) -> str:
    """The URN of what is being worked on."""
    return str(one["resource"]["urn"])


def name_of(one: State) -> str:
    """Its name for a person."""
    return urns.label(urn_of(one))
