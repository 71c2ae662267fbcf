"""Inputs as the JSON body that the API is sent, for a create and for a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from moorage.errors import MoorageError
from moorage.provider.handler import State
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_inputs, endpoint_owner
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


def changed(inputs: State, owner: str, found: Record, before: State) -> Record:
    """The body of a change: everything, since the API has lost what was left out before.

    The budget guard's mark stays, as its pause does. What was dropped from the inputs is sent
    empty, or it would stay as it was. `before` is what state knows; nothing, where it is adopted.
    """
    kept = [endpoint_owner.GUARD] if endpoint_owner.is_guarded(found) else []
    body = _common(inputs, [*endpoint_owner.marks(owner), *kept])
    for name, empty in _EMPTY.items():
        if found.get(name) and name not in body:
            body[name] = empty
    if "scalingMetric" in before and "scalingMetric" not in inputs:
        body["compute"]["scaling"]["measure"] = None
    if found.get("type") != inputs["access"]:
        body["type"] = inputs["access"]  # somebody has opened it, or closed it
    for name in _others(inputs, found, before):
        del body["model"][name]
    return body


def _others(inputs: State, found: Record, before: State) -> Iterator[str]:
    """The parts of a model that hold what somebody else has set and nobody can read back.

    Not to send them leaves them as they are; an empty one would take it away.
    """
    if not before:
        return
    if not inputs.get("secrets") and not before.get("secrets"):
        yield "secrets"
    image = next(iter((found["model"].get("image") or {}).values()), None) or {}
    if image.get("credentials") and "registry" not in (inputs.keys() | before.keys()):
        if not _is_image(inputs, image, before):
            message = (
                f"{inputs['name']} pulls its image with credentials that cannot be read back, and"
                " another image would lose them: declare registry"
            )
            raise MoorageError(message)
        yield "image"


def _is_image(inputs: State, image: Record, before: State) -> bool:
    """Whether the image that is there is the declared one, and was so before."""
    now, then = (
        endpoint_inputs.own_options(one.get("engineOptions", {})) for one in (inputs, before)
    )
    wanted = {**now, "url": inputs.get("image")}
    return now == then and all(image.get(name) == value for name, value in wanted.items())


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
