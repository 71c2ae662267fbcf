"""Inputs as the JSON body that the API is sent, for a create and for a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moorage.provider.handler import State
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_owner
from moorage.provider.hugging_face.endpoints.endpoint_images import ENGINES

_EMPTY: Final[Record] = {"route": None, "customRouter": None}


def created(inputs: State, owner: str) -> Record:
    """The body of a create. `task` is left out when it is open: the API refuses null there."""
    return {
        "name": inputs["name"],
        "type": inputs["access"],
        "provider": {"vendor": inputs["vendor"], "region": inputs["region"]},
        **_link(inputs),
        **_common(inputs, endpoint_owner.marks(owner)),
    }


def changed(inputs: State, owner: str, found: Record) -> Record:
    """The body of a change: everything, since the API has lost what was left out before.

    The budget guard's mark stays, as its pause does. What was dropped from the inputs is sent
    empty, or it would stay as it was.
    """
    kept = [endpoint_owner.GUARD] if endpoint_owner.is_guarded(found) else []
    body = _common(inputs, [*endpoint_owner.marks(owner), *kept])
    for name, empty in _EMPTY.items():
        if found.get(name) and name not in body:
            body[name] = empty
    if found.get("type") != inputs["access"]:
        body["type"] = inputs["access"]  # somebody has opened it, or closed it
    return body


def _common(inputs: State, marks: Sequence[str]) -> Record:
    return {
        "compute": _compute(inputs),
        "model": _model(inputs),
        "tags": [*inputs.get("tags", []), *marks],
        **_route(inputs),
        **_given(inputs, "cacheHttpResponses", "notifications", "experimentalFeatures", "network"),
        **_given(inputs, "customRouter"),
    }


def _compute(inputs: State) -> Record:
    scaling = {
        "minReplica": inputs["minReplica"],
        "maxReplica": inputs["maxReplica"],
        "scaleToZeroTimeout": inputs.get("scaleToZeroMinutes"),
    }
    if "scalingMetric" in inputs:
        scaling["measure"] = {inputs["scalingMetric"]: inputs["scalingThreshold"]}
    return {**_given(inputs, "accelerator", "instanceType", "instanceSize"), "scaling": scaling}


def _model(inputs: State) -> Record:
    engine = ENGINES[inputs["engine"]]
    return {
        "repository": inputs["repository"],
        "framework": inputs.get("framework", engine.framework),
        "revision": inputs.get("revision"),
        **_given(inputs, "task"),
        "image": {engine.key: _image(inputs)},
        "command": inputs.get("command", []),
        "args": inputs.get("args", []),
        "env": inputs.get("env", {}),
        "secrets": inputs.get("secrets", {}),
    }


def _image(inputs: State) -> Record:
    image = {**inputs.get("engineOptions", {})}
    if "image" in inputs:
        image["url"] = inputs["image"]
    if "registry" in inputs:
        image["credentials"] = _given(inputs["registry"], "username", "password")
    return image


def _route(inputs: State) -> Record:
    route = _given(inputs, "domain", "path")
    return {"route": route} if route else {}


def _link(inputs: State) -> Record:
    link = inputs.get("privateLink")
    if link is None:
        return {}
    body = {"accountId": link["account"], "region": link["region"], **_given(link, "shared")}
    return {"privateService": body}


def _given(inputs: State, *names: str) -> Record:
    return {name: inputs[name] for name in names if inputs.get(name) is not None}
