"""The state of an endpoint as Pulumi keeps it: its inputs and what has become of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from moorage.provider.handler import State
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_inputs, endpoint_owner, endpoint_probe
from moorage.provider.hugging_face.endpoints.endpoint_place import Place, created_at, is_same
from moorage.provider.values import UNKNOWN

_INSTANCE: Final = ("vendor", "region", "accelerator", "instanceType", "instanceSize")
_SERVES: Final = (
    *("repository", "engine", "engineOptions", "image", "command", "args", "env", "task"),
)
_AT_REST: Final = frozenset({"paused", "scaledToZero"})


def known(place: Place, inputs: State, record: Record, before: State, usd: float | None) -> State:
    """What is to be kept; what is not told while it rests stays as it was before."""
    status = record["status"]
    url = status.get("url")
    return {
        **inputs,
        "url": endpoint_probe.base_url(url, inputs["engine"]) if url else before.get("url"),
        "servedModel": before.get("servedModel") if serves_alike(inputs, before) else None,
        "status": str(status["state"]),
        "readyReplicas": int(status.get("readyReplica") or 0),
        "revisionActual": record["model"].get("revision"),
        "computeId": record["compute"].get("id"),
        "createdAt": created_at(record) or None,
        "pricePerHour": usd,
        "hourlyUsd": hourly_usd(usd, inputs["minReplica"], str(status["state"])),
        "account": place.account,
        "ownedBy": place.owner if endpoint_owner.is_of(record, [place.owner]) else None,
        "isImported": bool(before.get("isImported")) and not endpoint_owner.is_marked(record),
        "drift": None,
    }


def doubtful(place: Place, inputs: State) -> State:
    """What is kept of an endpoint of which nobody knows whether it exists, or with what secrets."""
    told = {"status": "unknown", "readyReplicas": 0, "account": place.account}
    return {
        **endpoint_inputs.readable(inputs),
        **told,
        "ownedBy": place.owner,
        "isImported": False,
        "drift": None,
    }


def hourly_usd(usd: float | None, least: int, status: str) -> float | None:
    """What an hour costs as it is now: nothing at rest, else its fewest replicas."""
    if status in _AT_REST:
        return 0
    return None if usd is None else float(Decimal(str(usd)) * max(least, 1))


def serves_alike(one: State, other: State) -> bool:
    """Whether both are served under the same name."""
    return is_same(one, other, *_SERVES)


def has_same_instance(one: State, other: State) -> bool:
    """Whether both are billed alike."""
    return is_same(one, other, *_INSTANCE)


def foreseen(inputs: State, state: State | None) -> State:
    """The outputs that are known before the run; members of the inputs may be UNKNOWN."""
    told: dict[str, Any] = {"drift": None}
    if isinstance(inputs.get("namespace"), str):
        told["account"] = inputs["namespace"]
    if state is None:
        return told
    for name in ("url", "servedModel"):
        if state.get(name) and serves_alike(inputs, state):
            told[name] = state[name]
    return told | _foreseen_price(inputs, state)


def _foreseen_price(inputs: State, state: State) -> State:
    usd, least = state.get("pricePerHour"), inputs.get("minReplica")
    if usd is None or not has_same_instance(inputs, state):
        return {}
    told = {"pricePerHour": usd}
    if inputs.get("paused") is True:
        return {**told, "hourlyUsd": 0}
    wakes = state.get("status") in _AT_REST or inputs.get("paused") is UNKNOWN
    if wakes or not isinstance(least, int) or least == 0:
        return told
    return {**told, "hourlyUsd": hourly_usd(usd, least, "running")}
