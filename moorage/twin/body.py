"""What the Endpoints API makes of a body: what it refuses, fills in, coerces and overlooks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from moorage.twin.hardware import UNPLACEABLE, Compute, find

TYPES: Final = ("public", "authenticated", "private")
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
REDACTED: Final = "[REDACTED]"
HEALTH: Final = "/health"

# The fields of each variant that are known; what else is sent inside one is overlooked.
_COMMON: Final = ("url", "port", "healthRoute", "credentials")
IMAGES: Final[Mapping[str, Sequence[str]]] = {
    "huggingface": (),
    "huggingfaceNeuron": ("batchSize", "sequenceLength", "neuronCache"),
    "vLLM": (
        *_COMMON,
        "tensorParallelSize",
        "dataParallelSize",
        "kvCacheDtype",
        "maxNumBatchedTokens",
        "maxNumSeqs",
    ),
    "vLLMOmni": (*_COMMON, "tensorParallelSize"),
    "vLLMNeuron": (*_COMMON, "tensorParallelSize"),
    "sGLang": (
        *_COMMON,
        "tensorParallelSize",
        "kvCacheDtype",
        "chunkedPrefillSize",
        "maxPrefillTokens",
        "maxRunningRequests",
    ),
    "tgi": (
        *_COMMON,
        "maxInputLength",
        "maxTotalTokens",
        "maxBatchPrefillTokens",
        "maxBatchTotalTokens",
        "quantize",
        "disableCustomKernels",
    ),
    "tgiNeuron": (*_COMMON, "maxInputLength", "maxTotalTokens", "hfNumCores", "hfAutoCastType"),
    "tei": (*_COMMON, "maxBatchTokens", "maxConcurrentRequests", "pooling"),
    "llamacpp": (
        *_COMMON,
        "modelPath",
        "ctxSize",
        "nParallel",
        "threadsHttp",
        "mmprojModelPath",
        "nGpuLayers",
        "mode",
        "pooling",
        "variant",
    ),
    "hfServe": _COMMON,
    "custom": _COMMON,
}
_OBJECTS: Final = (
    "provider",
    "compute",
    "compute.scaling",
    "model",
    "model.image",
    "model.env",
    "model.secrets",
    "route",
)
_URLLESS: Final = ("huggingface", "huggingfaceNeuron")
_NEEDED: Final = {"llamacpp": ("modelPath", "ctxSize", "nParallel", "threadsHttp")}
_PLAIN: Final = (
    "type",
    "tags",
    "cacheHttpResponses",
    "experimentalFeatures",
    "notifications",
    "network",
    "privateService",
    "route",
    "customRouter",
)


def wrong_with_parts(body: Any) -> Iterator[str]:
    """What is no object and should be one, wherever it may stand."""
    if not isinstance(body, dict):
        yield "expected an object"
        return
    for path in _OBJECTS:
        value: Any = body
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict):
            yield f"{path}: expected an object"
    yield from _wrong_with_types(body)


def wrong_with_new(body: Any) -> Iterator[str]:
    """What is wrong with the body of a create."""
    wrong = next(wrong_with_parts(body), None)
    if wrong is not None:
        yield wrong
        return
    name = body.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield "name: must be 1 to 32 lowercase letters, digits or '-', and begin and end with none"
    for part, fields in _REQUIRED.items():
        given = body.get(part)
        if not isinstance(given, dict):
            yield f"missing field `{part}`"
            continue
        yield from (f"{part}: missing field `{key}`" for key in fields if not given.get(key))
    if "type" not in body:
        yield "missing field `type`"


def wrong_with(body: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a whole body, new or merged."""
    model, compute = body["model"], body["compute"]
    if "task" in model and model["task"] is None:
        yield "model.task: invalid type: null, expected a string"
    yield from _wrong_with_image(model.get("image", {}))
    yield from _wrong_with_scaling(compute.get("scaling"))
    path = (body.get("route") or {}).get("path")
    if path is not None and not str(path).startswith("/"):
        yield "route.path: must start with '/'"


def accepted(body: Mapping[str, Any], compute: Compute) -> dict[str, Any]:
    """The record as it is kept and told: coerced, filled in, without what nobody may read."""
    told = {key: deepcopy(body[key]) for key in _PLAIN if body.get(key) is not None}
    given = body["model"]
    model = {key: value for key, value in deepcopy(given).items() if value is not None}
    model["image"] = _kept_image(given.get("image") or {"huggingface": {}})
    model["secrets"] = dict.fromkeys(given.get("secrets") or {}, REDACTED)
    model.setdefault("env", {})
    image = next(iter(model["image"].values()))
    return {
        "name": body["name"],
        "accountId": None,
        "tags": [],
        "cacheHttpResponses": False,
        **told,
        "type": body["type"] if body["type"] in TYPES else "private",
        "healthRoute": image.get("healthRoute", HEALTH),
        "provider": {key: body["provider"][key] for key in ("vendor", "region")},
        "compute": {
            "id": compute.id,
            "accelerator": compute.accelerator,
            "instanceType": compute.instance_type,
            "instanceSize": compute.instance_size,
            "scaling": _kept_scaling(body["compute"].get("scaling")),
        },
        "model": model,
    }


def credentials(body: Mapping[str, Any]) -> dict[str, str]:
    """The registry's user and password, which the API never tells again."""
    image = next(iter((body["model"].get("image") or {"": {}}).values()))
    given: dict[str, str] = image.get("credentials") or {}
    return given


def merged(old: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """An update: keys that were sent replace, inside compute and model one by one."""
    whole = deepcopy(dict(old))
    for key in _PLAIN:
        if key in sent and (key != "type" or sent[key] is not None):
            whole[key] = sent[key]
    for part in ("compute", "model"):
        whole[part] |= deepcopy(sent.get(part) or {})
    scaling = (sent.get("compute") or {}).get("scaling")
    if scaling:
        whole["compute"]["scaling"] = {**old["compute"]["scaling"], **scaling}
    return whole


def variant(body: Mapping[str, Any]) -> str:
    """The engine of a body."""
    kind: str = next(iter(body["model"].get("image") or {"huggingface": {}}))
    return kind


def placed(computes: Sequence[Compute], body: Mapping[str, Any]) -> Compute | str:
    """The compute that a body asks for, or why there is none."""
    compute = find(computes, body["provider"], body["compute"])
    asked = f"{body['compute'].get('instanceType')} {body['compute'].get('instanceSize')}"
    place = f"{body['provider'].get('vendor')} {body['provider'].get('region')}"
    if compute is None:
        return f"compute: no instance {asked} in {place}"
    if compute.status in UNPLACEABLE:
        return f"compute: {asked} is {compute.status} in {place}"
    found: Compute = compute
    return found


_REQUIRED: Final = {
    "provider": ("vendor", "region"),
    "compute": ("accelerator", "instanceType", "instanceSize", "scaling"),
    "model": ("repository", "framework", "image"),
}


def _wrong_with_types(body: Mapping[str, Any]) -> Iterator[str]:
    model = body.get("model") or {}
    for path, value in (
        ("tags", body.get("tags")),
        ("model.args", model.get("args")),
        ("model.command", model.get("command")),
    ):
        is_texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if value is not None and not is_texts:
            yield f"{path}: expected a list of texts"
    texts = {"type": body.get("type")} | {
        f"model.{key}": model.get(key) for key in ("repository", "revision", "framework", "task")
    }
    for path, value in texts.items():
        if value is not None and not isinstance(value, str):
            yield f"{path}: expected a text"


def _wrong_with_image(image: Any) -> Iterator[str]:
    if not isinstance(image, dict) or len(image) != 1:
        yield "model.image: expected exactly one variant"
        return
    ((key, fields),) = image.items()
    if fields is not None and not isinstance(fields, dict):
        yield f"model.image.{key}: expected an object"
        return
    if key not in IMAGES:
        yield f"model.image: unknown variant `{key}`, expected one of {', '.join(IMAGES)}"
        return
    if isinstance(fields, dict) and not isinstance(fields.get("credentials") or {}, dict):
        yield f"model.image.{key}.credentials: expected an object"
    needed = (*(() if key in _URLLESS else ("url",)), *_NEEDED.get(key, ()))
    yield from (
        f"model.image.{key}: missing field `{one}`"
        for one in needed
        if (fields or {}).get(one) is None
    )


def _wrong_with_scaling(scaling: Any) -> Iterator[str]:
    if not isinstance(scaling, dict):
        yield "compute.scaling: expected an object"
        return
    least, most = (_count(scaling.get(key)) for key in ("minReplica", "maxReplica"))
    if least is None or most is None:
        yield "compute.scaling: minReplica and maxReplica must be whole numbers, not below 0"
        return
    if most < max(least, 1):
        yield "compute.scaling: maxReplica must be at least 1 and at least minReplica"
    if least and scaling.get("scaleToZeroTimeout") is not None:
        yield "compute.scaling: scaleToZeroTimeout requires minReplica to be 0"


def _count(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and value >= 0 else None


def _kept_image(image: Mapping[str, Any]) -> dict[str, Any]:
    ((key, fields),) = image.items()
    kept = {name: value for name, value in (fields or {}).items() if name in IMAGES[key]}
    if kept.get("credentials"):
        kept["credentials"] = {
            "username": kept["credentials"].get("username"),
            "password": REDACTED,
        }
    return {key: kept}


def _kept_scaling(scaling: Any) -> dict[str, Any]:
    kept = {key: value for key, value in (scaling or {}).items() if value is not None}
    if kept.get("minReplica") == 0:
        kept.setdefault("scaleToZeroTimeout", 15)
    return {**kept, "scaleToZeroTimeout": kept.get("scaleToZeroTimeout")}
