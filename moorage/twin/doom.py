"""Starts that must fail, for what was asked cannot be run: what no check of a body can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from moorage.twin.body import variant
from moorage.twin.hardware import Compute
from moorage.twin.repos import Stored
from moorage.twin.scenario import Start
from moorage.twin.world import World


def doomed(
    world: World, token: str | None, body: Mapping[str, Any], compute: Compute
) -> tuple[Start, ...]:
    """How the starts and updates of an endpoint end, as far as its body decides."""
    reasons = [*_of_the_model(world, token, body["model"]), *_of_the_engine(body, compute)]
    return tuple(
        _failing(str(body["name"]), says, when)
        for says in reasons[:1]
        for when in ("start", "update")
    )


def _of_the_model(world: World, token: str | None, model: Mapping[str, Any]) -> Iterator[str]:
    stored = world.hub.repos.get(str(model["repository"]))
    if stored is None:
        return
    is_closed = stored.repo.gated or stored.repo.private
    if is_closed and token is not None and not world.hub.lets_read(token, stored):
        yield f"Access to model {stored.id} is restricted"
    commit = stored.resolve(model.get("revision") or "main")
    if commit is None:
        yield f"{model['revision']} is no revision of {stored.id}"
        return
    yield from _of_the_file(stored, commit, model)


def _of_the_file(stored: Stored, commit: str, model: Mapping[str, Any]) -> Iterator[str]:
    image = (model.get("image") or {}).get("llamacpp") or {}
    path, wanted = image.get("modelPath"), str(image.get("variant") or "*")
    fetched = [one for one in stored.at(commit) if fnmatchcase(one, wanted)]
    if path is not None and path not in fetched:
        yield f"failed to load model: /repository/{path}: no such file"


def _of_the_engine(body: Mapping[str, Any], compute: Compute) -> Iterator[str]:
    """vLLM wants as many GPUs as its two parallel sizes multiply to."""
    image = (body["model"].get("image") or {}).get("vLLM") or {}
    sizes = [image.get(key) for key in ("tensorParallelSize", "dataParallelSize")]
    if variant(body) != "vLLM" or compute.accelerator != "gpu" or sizes == [None, None]:
        return
    tensor, data = (int(size or 1) for size in sizes)
    if tensor * data != compute.accelerators:
        yield (
            f"tensor parallel size {tensor} times data parallel size {data} is not the number of"
            f" GPUs, {compute.accelerators}"
        )


def _failing(name: str, says: str, when: str) -> Start:
    message = f"Endpoint failed to start: {says}"
    return Start(name=name, when=when, message=message, log=(f"ERROR {says}",))
