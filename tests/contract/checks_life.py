"""The life of an endpoint: its states, changes of it, pause, sleep, failure, end."""

from __future__ import annotations

import time

from moorage.twin.face import Scenario, Start, Timings
from tests.contract.place import Place, holds, same, says
from tests.contract.register import check

_SLOW = Timings(pending_s=10, initializing_s=20, loading_s=30)
_DRIVEN = Scenario(clock="driven", timings=_SLOW)
_AWAKE = {"minReplica": 0, "maxReplica": 1, "scaleToZeroTimeout": 15}


@check("life.pending-initializing-running", _DRIVEN)
def _(place: Place) -> None:
    name = _made(place)
    for seconds, state in ((9, "pending"), (2, "initializing"), (20, "running")):
        place.advance(seconds)
        same(place.state(name), state, "state")


@check("life.running-but-loading", _DRIVEN)
def _(place: Place) -> None:
    name = _made(place)
    place.advance(31)
    same(place.state(name), "running", "state")
    says(place.call("GET", f"{place.url(name)}/health"), 503)
    place.advance(30)
    same(place.call("GET", f"{place.url(name)}/health").status, 200, "the health route")


@check("life.address-before-ready", _DRIVEN)
def _(place: Place) -> None:
    name = _made(place)
    holds("url" not in place.api("GET", name).json["status"], "a url while pending")
    place.advance(11)
    holds("url" in place.api("GET", name).json["status"], "no url while initializing")


@check("life.real-start-comes-to-run")
def _(place: Place) -> None:
    name = place.serving()
    same(place.state(name), "running", "state")
    same(place.api("GET", name).json["status"]["readyReplica"], 1, "readyReplica")


_FAILS = Start(message="Endpoint failed to start", log=("CUDA out of memory",))


@check("life.failed-start", Scenario(starts=(_FAILS,)))
def _(place: Place) -> None:
    name = _made(place)
    status = place.until(name, "failed")["status"]
    holds("failed" in status["message"], f"message: {status['message']}")
    holds("CUDA out of memory" in place.api("GET", f"{name}/logs").text, "the log lacks it")


@check("life.stuck-initializing", Scenario(starts=(Start(ends="stuck"),), clock="driven"))
def _(place: Place) -> None:
    name = _made(place)
    place.advance(100_000)
    same(place.state(name), "initializing", "state")


_FULL = Start(ends="unscheduled", message="Waiting for hardware")


@check("life.no-hardware", Scenario(starts=(_FULL,), clock="driven"))
def _(place: Place) -> None:
    name = _made(place)
    place.advance(100_000)
    same(place.state(name), "pending", "state")
    same(place.api("GET", name).json["status"]["message"], "Waiting for hardware", "message")


@check("life.gated-model-fails")
def _(place: Place) -> None:
    name = _made(place, model__repository="zoe/closed")
    holds("restricted" in place.until(name, "failed")["status"]["message"], "another reason")


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
    name = _driven_up(place)
    answered = place.api("PUT", name, {"tags": ["x"]}).json["status"]
    told = place.api("GET", name).json["status"]
    same(told["state"], "running", "state right after the answer")
    same(told["updatedAt"], answered["updatedAt"], "updatedAt, as the answer told it")
    place.advance(6)
    told = place.api("GET", name).json["status"]
    holds(told["updatedAt"] > answered["updatedAt"], "updatedAt did not move")


_UPDATES = Scenario(clock="driven", timings=Timings(stale_s=1, updating_s=50))


@check("put.updating-then-running", _UPDATES)
def _(place: Place) -> None:
    name = _driven_up(place)
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


@check("put.not-served-between", _UPDATES)
def _(place: Place) -> None:
    name = _driven_up(place)
    place.api("PUT", name, {"model": {"env": {"A": "1"}}})
    place.advance(2)
    says(place.call("GET", f"{place.url(name)}/v1/models"), 503)


_BAD_UPDATE = Start(on="update", message="Update failed", log=("no such image",))


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


@check("pause.stops-it")
def _(place: Place) -> None:
    name = place.serving()
    told = place.api("POST", f"{name}/pause").json["status"]
    same((told["state"], told.get("url")), ("paused", None), "state and url")


@check("pause.target-stays")
def _(place: Place) -> None:
    name = place.serving()
    told = place.api("POST", f"{name}/pause").json["status"]
    holds(told["targetReplica"] > 0, "targetReplica is 0")


@check("pause.last-replica-drains", Scenario(clock="driven", timings=Timings(drain_s=5)))
def _(place: Place) -> None:
    name = _driven_up(place)
    same(place.api("POST", f"{name}/pause").json["status"]["readyReplica"], 1, "readyReplica")
    place.advance(6)
    same(place.api("GET", name).json["status"]["readyReplica"], 0, "readyReplica, drained")


@check("pause.engine-refuses")
def _(place: Place) -> None:
    name = place.serving()
    url = place.url(name)
    place.api("POST", f"{name}/pause")
    says(place.call("GET", f"{url}/v1/models"), 400, "invalid state")


@check("pause.frees-quota")
def _(place: Place) -> None:
    name = _gpu(place)
    same(_used(place), 1, "accelerators used while it runs")
    place.api("POST", f"{name}/pause")
    same(_used(place), 0, "accelerators used while it is paused")


@check("resume.running-one-refused")
def _(place: Place) -> None:
    says(place.api("POST", f"{place.serving()}/resume"), 400, "already running")


@check("resume.comes-to-run")
def _(place: Place) -> None:
    name = place.serving()
    place.api("POST", f"{name}/pause")
    place.api("POST", f"{name}/resume")
    place.until(name, "running")


@check("sleep.by-hand")
def _(place: Place) -> None:
    name = place.serving()
    told = place.api("POST", f"{name}/scale-to-zero").json["status"]
    same((told["state"], told["readyReplica"]), ("scaledToZero", 0), "state and readyReplica")


@check("sleep.request-wakes")
def _(place: Place) -> None:
    name = place.serving()
    url = place.url(name)
    place.api("POST", f"{name}/scale-to-zero")
    says(place.call("GET", f"{url}/v1/models"), 503)
    place.until(name, "running")


@check("sleep.header-holds")
def _(place: Place) -> None:
    name = place.serving()
    url = place.url(name)
    place.api("POST", f"{name}/scale-to-zero")
    wait_s = place.wait_s
    header = {"X-Scale-Up-Timeout": f"{wait_s:g}"}
    answer = place.call("GET", f"{url}/v1/models", headers=header, timeout_s=wait_s + 5)
    same(answer.status, 200, "status")


@check("sleep.header-gives-up", Scenario(timings=Timings(wake_s=60)))
def _(place: Place) -> None:
    name = place.serving()
    place.api("POST", f"{name}/scale-to-zero")
    began_s = time.monotonic()
    header = {"X-Scale-Up-Timeout": "0.2"}
    says(place.call("GET", f"{place.url(name)}/v1/models", headers=header), 503)
    holds(time.monotonic() - began_s >= 0.2, "it did not wait")


@check("sleep.when-idle", Scenario(clock="driven"))
def _(place: Place) -> None:
    name = _driven_up(place, compute__scaling=_AWAKE)
    place.advance(14 * 60)
    same(place.state(name), "running", "state after 14 minutes")
    place.advance(2 * 60)
    same(place.state(name), "scaledToZero", "state after 16 minutes")


@check("sleep.requests-keep-awake", Scenario(clock="driven"))
def _(place: Place) -> None:
    name = _driven_up(place, compute__scaling=_AWAKE)
    for _ in range(3):
        place.advance(10 * 60)
        same(place.call("GET", f"{place.url(name)}/v1/models").status, 200, "status")
    same(place.state(name), "running", "state")


@check("sleep.refused-ones-do-not", Scenario(clock="driven"))
def _(place: Place) -> None:
    name = _driven_up(place, compute__scaling=_AWAKE, type="private")
    url = place.url(name)
    place.advance(10 * 60)
    says(place.call("GET", f"{url}/v1/models", token=place.foreign), 403)
    place.advance(6 * 60)
    same(place.state(name), "scaledToZero", "state")
    says(place.call("GET", f"{url}/v1/models", token=place.foreign), 403)
    same(place.state(name), "scaledToZero", "state after one more")


@check("sleep.keeps-quota")
def _(place: Place) -> None:
    name = _gpu(place)
    place.api("POST", f"{name}/scale-to-zero")
    same(_used(place), 1, "accelerators used while it sleeps")


@check("sleep.paused-one-refused")
def _(place: Place) -> None:
    name = place.serving()
    place.api("POST", f"{name}/pause")
    says(place.api("POST", f"{name}/scale-to-zero"), 400)


@check("sleep.update-leaves-asleep", _UPDATES)
def _(place: Place) -> None:
    name = _driven_up(place)
    place.api("POST", f"{name}/scale-to-zero")
    place.api("PUT", name, {"tags": ["x"]})
    for seconds, state in ((2, "updating"), (50, "scaledToZero")):
        place.advance(seconds)
        same(place.state(name), state, "state")


@check("delete.gone-later", Scenario(clock="driven", timings=Timings(delete_s=0.4)))
def _(place: Place) -> None:
    name = _driven_up(place)
    same(place.api("DELETE", name).status // 100, 2, "the answer's class")
    same(place.api("GET", name).status, 200, "a GET right after")
    place.advance(0.5)
    same(place.api("GET", name).status, 404, "a GET later")


@check("delete.frees-the-name")
def _(place: Place) -> None:
    name = _made(place)
    place.api("DELETE", name)
    place.until_gone(name)
    place.expect_made(place.create(place.body(name)))


@check("delete.absent")
def _(place: Place) -> None:
    says(place.api("DELETE", place.name()), 404)


@check("logs.tail")
def _(place: Place) -> None:
    name = place.serving()
    answer = place.api("GET", f"{name}/logs?tail=1")
    same((answer.status, len(answer.text.splitlines())), (200, 1), "status and lines")


@check("replicas.are-listed")
def _(place: Place) -> None:
    answer = place.api("GET", f"{place.serving()}/replica")
    same((answer.status, len(answer.json["items"])), (200, 1), "status and replicas")


def _made(place: Place, **changes: object) -> str:
    return str(place.expect_made(place.create(place.body(**changes))).json["name"])  # type: ignore[arg-type]


def _driven_up(place: Place, **changes: object) -> str:
    name = _made(place, **changes)
    place.advance(60)
    return name


def _gpu(place: Place) -> str:
    return place.serving(compute__accelerator="gpu", compute__instanceType="nvidia-l4")


def _used(place: Place) -> int:
    vendors = place.catalogue(f"/quotas/{place.account}").json["vendors"]
    rows = [row for vendor in vendors for row in vendor["quotas"] if vendor["name"] == "aws"]
    return next(row["usedAccelerators"] for row in rows if row["instanceType"] == "nvidia-l4")
