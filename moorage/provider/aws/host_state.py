"""The state of a host as Pulumi keeps it: its inputs and what has become of them."""

from __future__ import annotations

from typing import Any, Final

from moorage.provider.aws.cloud import Record
from moorage.provider.aws.host_place import Place
from moorage.provider.handler import State
from moorage.provider.values import UNKNOWN, has_unknown

_BY_ITSELF: Final = "Client.InstanceInitiatedShutdown"
_V1: Final = "/v1"
# What the engine told when it was proven; it holds as long as what is served is the same.
_PROVEN: Final = ("servedModel", "engineVersion", "kvTokens", "kvDifference")
_SERVES: Final = ("userData", "instanceType", "port")


def known(place: Place, inputs: State, instance: Record | None, before: State) -> State:
    """What is to be kept; what the engine told stays, while it is the same."""
    found: Record = instance or {}
    url = base_url(found, inputs)
    same = found.get("InstanceId") == before.get("instanceId") and serves_alike(inputs, before)
    return {
        **inputs,
        "url": f"{url}{_V1}" if url else None,
        "instanceId": found.get("InstanceId"),
        "privateIp": found.get("PrivateIpAddress"),
        "publicIp": found.get("PublicIpAddress"),
        "zone": found.get("Placement", {}).get("AvailabilityZone"),
        "subnetId": found.get("SubnetId"),
        "imageId": found.get("ImageId"),
        "state": word(found),
        **{name: before.get(name) if same else None for name in _PROVEN},
        "isImported": place.is_by_hand,
        "drift": None,
    }


def word(instance: Record) -> str:
    """EC2's word for its state, or ours where there is none."""
    if not instance:
        return "none"
    return "asleep" if is_asleep(instance) else str(instance["State"]["Name"])


def is_asleep(instance: Record) -> bool:
    """Whether it has stopped by itself, as it does when nobody asks for long."""
    stops = instance["State"]["Name"] in ("stopping", "stopped")
    return stops and reason_code(instance) == _BY_ITSELF


def may_sleep(inputs: State, state: State) -> bool:
    """Whether it may stay asleep: it has served before as what it is declared to be."""
    return bool(inputs["stopWhenIdle"] and state.get("servedModel") and serves_alike(inputs, state))


def serves_alike(inputs: State, state: State) -> bool:
    """Whether the same is served at the same port."""
    return all(inputs.get(name) == state.get(name) for name in _SERVES)


def base_url(instance: Record, inputs: State) -> str | None:
    """Where its engine is, by its private address."""
    address = instance.get("PrivateIpAddress")
    return f"http://{address}:{inputs['port']}" if address else None


def reason(instance: Record | None) -> str:
    """Why it is in its state, in EC2's words."""
    if instance is None:
        return "it is gone"
    told = instance.get("StateReason") or {}
    return str(
        told.get("Message") or instance.get("StateTransitionReason") or "EC2 gives no reason"
    )


def reason_code(instance: Record | None) -> str:
    """The same as EC2's code, such as `Server.SpotInstanceTermination`; empty where it has none."""
    return str(((instance or {}).get("StateReason") or {}).get("Code") or "")


def foreseen(inputs: State, state: State | None) -> State:
    """The outputs that are known before the run; members of the inputs may be UNKNOWN."""
    told: dict[str, Any] = {"drift": None}
    if state is None:
        return told | {"isImported": False}
    told["isImported"] = state.get("isImported", False)
    same = state.get("state") == "running" and not state.get("drift")
    known_now = not any(has_unknown(inputs.get(name, UNKNOWN)) for name in _SERVES)
    if not same or not known_now or not serves_alike(inputs, state):
        return told
    names = ("url", "instanceId", "privateIp", "zone", "subnetId", "imageId", "servedModel")
    return told | {name: state[name] for name in names if state.get(name) is not None}
