"""An endpoint that is paused, or scaled to zero, and how it comes back."""

from __future__ import annotations

import time

from moorage.twin.face import Scenario, Timings
from tests.contract.place import Place, holds, same, says
from tests.contract.register import check
from tests.contract.steps import UPDATES, driven_up, on_a_gpu, used

_AWAKE = {"minReplica": 0, "maxReplica": 1, "scaleToZeroTimeout": 15}


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
    name = driven_up(place)
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
    name = on_a_gpu(place)
    same(used(place), 1, "accelerators used while it runs")
    place.api("POST", f"{name}/pause")
    same(used(place), 0, "accelerators used while it is paused")


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
    name = driven_up(place, compute__scaling=_AWAKE)
    place.advance(14 * 60)
    same(place.state(name), "running", "state after 14 minutes")
    place.advance(2 * 60)
    same(place.state(name), "scaledToZero", "state after 16 minutes")


@check("sleep.may-be-late", Scenario(clock="driven", timings=Timings(late_s=1740)))
def _(place: Place) -> None:
    name = driven_up(place, compute__scaling=_AWAKE)
    for minutes, state in ((40, "running"), (5, "scaledToZero")):
        place.advance(minutes * 60)
        same(place.state(name), state, "state")


@check("sleep.requests-keep-awake", Scenario(clock="driven"))
def _(place: Place) -> None:
    name = driven_up(place, compute__scaling=_AWAKE)
    for _ in range(3):
        place.advance(10 * 60)
        same(place.call("GET", f"{place.url(name)}/v1/models").status, 200, "status")
    same(place.state(name), "running", "state")


@check("sleep.refused-ones-do-not", Scenario(clock="driven"))
def _(place: Place) -> None:
    name = driven_up(place, compute__scaling=_AWAKE, type="private")
    url = place.url(name)
    place.advance(10 * 60)
    says(place.call("GET", f"{url}/v1/models", token=place.foreign), 403)
    place.advance(6 * 60)
    same(place.state(name), "scaledToZero", "state")
    says(place.call("GET", f"{url}/v1/models", token=place.foreign), 403)
    same(place.state(name), "scaledToZero", "state after one more")


@check("sleep.keeps-quota")
def _(place: Place) -> None:
    name = on_a_gpu(place)
    place.api("POST", f"{name}/scale-to-zero")
    same(used(place), 1, "accelerators used while it sleeps")


@check("sleep.paused-one-refused")
def _(place: Place) -> None:
    name = place.serving()
    place.api("POST", f"{name}/pause")
    says(place.api("POST", f"{name}/scale-to-zero"), 400)


@check("sleep.update-leaves-asleep", UPDATES)
def _(place: Place) -> None:
    name = driven_up(place)
    place.api("POST", f"{name}/scale-to-zero")
    place.api("PUT", name, {"tags": ["x"]})
    for seconds, state in ((2, "updating"), (50, "scaledToZero")):
        place.advance(seconds)
        same(place.state(name), state, "state")
