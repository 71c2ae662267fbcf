"""The inputs that would declare an endpoint, read from what the API tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moorage.provider.handler import State
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_images, endpoint_owner
from moorage.provider.hugging_face.endpoints.endpoint_images import ENGINES
from moorage.provider.hugging_face.endpoints.endpoint_shape import SHAPE

UNREADABLE: Final = frozenset({"secrets", "registry"})  # what the API redacts
# What it never tells, or what is not of the endpoint but of how it is deployed.
UNTOLD: Final = UNREADABLE | {"owner", "checkAccess", "probe", "readyTimeoutSeconds"}
_OWN_INPUTS: Final = frozenset({"url", "credentials"})  # members of an image that are no options
_FILLED_IN: Final = {"port": 80, "healthRoute": "/health"}  # by the service, in an image


def declared(record: Record, account: str) -> State:
    """The inputs, without what the service fills in by itself."""
    told = {
        "name": record["name"],
        "namespace": account,
        **_picked(record["provider"], "vendor", "region"),
        **_picked(record["compute"], "accelerator", "instanceType", "instanceSize"),
        **_scaling(record["compute"].get("scaling") or {}),
        **_model(record["model"]),
        "access": record.get("type"),
        **_picked(record.get("route") or {}, "domain", "path"),
        **_link(record.get("privateService") or {}),
        **_picked(record, "customRouter", "notifications", "experimentalFeatures", "network"),
        "cacheHttpResponses": record.get("cacheHttpResponses") or None,
        "tags": endpoint_owner.others(record) or None,
        "paused": is_at_rest(record),
    }
    return {name: value for name, value in told.items() if not _is_nothing(value)}


def imported(record: Record, account: str, owner: str | None) -> State:
    """The same with the defaults of what is not told; `owner` where it is not the program's."""
    kept = {name: SHAPE.inputs[name].default for name in sorted(UNTOLD)}
    defaults = {name: value for name, value in kept.items() if value is not None}
    return {**declared(record, account), **defaults, **({"owner": owner} if owner else {})}


def readable(inputs: State) -> State:
    """The inputs but for those that nobody can read back."""
    return {name: one for name, one in inputs.items() if name not in UNREADABLE}


def is_at_rest(record: Record) -> bool:
    """Whether somebody wants it paused; the budget guard's pause is nobody's wish."""
    return record["status"]["state"] == "paused" and not endpoint_owner.is_guarded(record)


def _scaling(scaling: Record) -> State:
    measure = scaling.get("measure") or {}
    metric = next((name for name, value in measure.items() if value is not None), None)
    told = _picked(scaling, "minReplica", "maxReplica")
    if scaling.get("minReplica") == 0:
        told["scaleToZeroMinutes"] = scaling.get("scaleToZeroTimeout")
    if metric:
        told |= {"scalingMetric": metric, "scalingThreshold": measure[metric]}
    return told


def _model(model: Record) -> State:
    key, image = next(iter((model.get("image") or {"huggingface": {}}).items()))
    engine = endpoint_images.named(key)
    return {
        **_picked(model, "repository", "revision", "task", "command", "args", "env"),
        "framework": own_framework(model.get("framework"), engine),
        "engine": engine,
        "image": (image or {}).get("url"),
        "engineOptions": own_options(image or {}),
    }


def own_framework(framework: str | None, engine: str) -> str | None:
    """The framework of a model where it says more than its engine does by itself."""
    known = ENGINES.get(engine)
    return None if known is not None and framework == known.framework else framework


def own_options(image: Mapping[str, Any]) -> State:
    """The options of an engine that say more than the service does by itself."""
    return {
        name: value
        for name, value in image.items()
        if name not in _OWN_INPUTS and not _is_nothing(value) and _FILLED_IN.get(name) != value
    }


def _link(link: Record) -> State:
    if not link:
        return {}
    told = {"account": link.get("accountId"), **_picked(link, "region", "shared")}
    return {"privateLink": {name: value for name, value in told.items() if value is not None}}


def _picked(record: Mapping[str, Any], *names: str) -> State:
    return {name: record[name] for name in names if not _is_nothing(record.get(name))}


def _is_nothing(value: Any) -> bool:
    """What the API fills in for what was not given."""
    return value is None or value in ({}, [])
