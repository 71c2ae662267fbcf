"""Changing an endpoint: what is kept, what is cleared, and what is told meanwhile."""

from __future__ import annotations

from moorage.twin.face import Scenario, Start, Timings
from tests.contract.place import Place, holds, same, says
from tests.contract.register import check
from tests.contract.steps import UPDATES, driven_up


@check("put.changes-what-was-sent")
def _(place: Place) -> None:
    name = place.serving()
    place.api("PUT", name, {"model": {"env": {"A": "1"}}})
    place.api("PUT", name, {"tags": ["one", "two"]})
    told = place.api("GET", name).json
    same(sorted(told["tags"]), ["one", "two"], "tags")
    same(told["model"]["env"], {"A": "1"}, "model.env, which the second change did not name")


@check("put.empty-clears")
def _(place: Place) -> None:
    name = place.serving()
    place.api("PUT", name, {"tags": ["one"], "model": {"env": {"A": "1"}}})
    place.api("PUT", name, {"tags": [], "model": {"env": {}}})
    told = place.api("GET", name).json
    same((told["tags"], told["model"]["env"]), ([], {}), "tags and env")


@check("put.env-may-be-lost", Scenario(forgets_env=True))
def _(place: Place) -> None:
    name = place.serving(model__env={"A": "1"})
    place.api("PUT", name, {"tags": ["x"]})
    same(place.api("GET", name).json["model"]["env"], {}, "model.env")


@check("put.image-whole")
def _(place: Place) -> None:
    image = {"vLLM": {"url": "a/b:1", "maxNumSeqs": 4}}
    name = place.serving(model__image=image)
    place.api("PUT", name, {"model": {"image": {"vLLM": {"url": "a/b:2"}}}})
    same(place.api("GET", name).json["model"]["image"]["vLLM"], {"url": "a/b:2"}, "image")


@check("put.engine-stays")
def _(place: Place) -> None:
    name = place.serving(model__image={"vLLM": {"url": "a/b:1"}})
    says(place.api("PUT", name, {"model": {"image": {"tei": {"url": "a/b:1"}}}}), 400)


@check("put.null-task-refused")
def _(place: Place) -> None:
    says(place.api("PUT", place.serving(), {"model": {"task": None}}), 400, "task")


@check("put.old-state-for-a-moment", Scenario(clock="driven", timings=Timings(stale_s=5)))
def _(place: Place) -> None:
    name = driven_up(place)
    answered = place.api("PUT", name, {"tags": ["x"]}).json["status"]
    told = place.api("GET", name).json["status"]
    same(told["state"], "running", "state right after the answer")
    same(told["updatedAt"], answered["updatedAt"], "updatedAt, as the answer told it")
    place.advance(6)
    told = place.api("GET", name).json["status"]
    holds(told["updatedAt"] > answered["updatedAt"], "updatedAt did not move")


@check("put.updating-then-running", UPDATES)
def _(place: Place) -> None:
    name = driven_up(place)
    place.api("PUT", name, {"tags": ["x"]})
    place.advance(2)
    same(place.state(name), "updating", "state")
    place.advance(50)
    same(place.state(name), "running", "state")


@check("put.real-update-comes-to-run")
def _(place: Place) -> None:
    name = place.serving()
    before = place.api("PUT", name, {"model": {"env": {"B": "2"}}}).json["status"]["updatedAt"]
    place.wait(
        lambda: place.api("GET", name).json["status"],
        lambda told: told["state"] == "running" and told["updatedAt"] > before,
        f"{name} runs again",
    )


@check("put.not-served-between", UPDATES)
def _(place: Place) -> None:
    name = driven_up(place)
    place.api("PUT", name, {"model": {"env": {"A": "1"}}})
    place.advance(2)
    says(place.call("GET", f"{place.url(name)}/v1/models"), 503)


_BAD_UPDATE = Start(when="update", message="Update failed", log=("no such image",))


@check("put.update-failed", Scenario(starts=(_BAD_UPDATE,)))
def _(place: Place) -> None:
    name = place.serving()
    place.api("PUT", name, {"tags": ["x"]})
    same(place.until(name, "updateFailed")["status"]["message"], "Update failed", "message")


@check("put.paused-stays-paused")
def _(place: Place) -> None:
    name = place.serving()
    place.api("POST", f"{name}/pause")
    place.api("PUT", name, {"tags": ["x"]})
    same(place.state(name), "paused", "state")


@check("put.quota-exceeded")
def _(place: Place) -> None:
    gpu = {"compute__accelerator": "gpu", "compute__instanceType": "nvidia-l4"}
    name = place.serving(**gpu)
    says(place.api("PUT", name, {"compute": {"scaling": {"maxReplica": 9}}}), 403, "quota")


@check("put.absent")
def _(place: Place) -> None:
    says(place.api("PUT", place.name(), {"tags": []}), 404)
