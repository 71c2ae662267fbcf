"""The life of an endpoint: how it starts, fails, and ends."""

from __future__ import annotations

from moorage.twin.face import Repo, Scenario, Start, Timings
from tests.contract.place import Place, holds, same, says
from tests.contract.register import LLM, check
from tests.contract.steps import driven_up, made

_SLOW = Timings(pending_s=10, initializing_s=20, loading_s=30)
_DRIVEN = Scenario(clock="driven", timings=_SLOW)


@check("life.pending-initializing-running", _DRIVEN)
def _(place: Place) -> None:
    name = made(place)
    for seconds, state in ((9, "pending"), (2, "initializing"), (20, "running")):
        place.advance(seconds)
        same(place.state(name), state, "state")


@check("life.running-but-loading", _DRIVEN)
def _(place: Place) -> None:
    name = made(place)
    place.advance(31)
    same(place.state(name), "running", "state")
    says(place.call("GET", f"{place.url(name)}/health"), 503)
    place.advance(30)
    same(place.call("GET", f"{place.url(name)}/health").status, 200, "the health route")


@check("life.address-before-ready", _DRIVEN)
def _(place: Place) -> None:
    name = made(place)
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
    name = made(place)
    status = place.until(name, "failed")["status"]
    holds("failed" in status["message"], f"message: {status['message']}")
    holds("CUDA out of memory" in place.api("GET", f"{name}/logs").text, "the log lacks it")


_STUCK = Start(ends="stuck", log=("listening on port 8000",))


@check("life.stuck-initializing", Scenario(starts=(_STUCK,), clock="driven"))
def _(place: Place) -> None:
    name = made(place)
    place.advance(100_000)
    same(place.state(name), "initializing", "state")
    holds("port 8000" in place.api("GET", f"{name}/logs").text, "the log does not look well")


_FULL = Start(ends="unscheduled", message="Waiting for hardware")


@check("life.no-hardware", Scenario(starts=(_FULL,), clock="driven"))
def _(place: Place) -> None:
    name = made(place)
    place.advance(100_000)
    same(place.state(name), "pending", "state")
    same(place.api("GET", name).json["status"]["message"], "Waiting for hardware", "message")


@check("life.gated-model-fails")
def _(place: Place) -> None:
    name = made(place, model__repository="zoe/closed")
    holds("restricted" in place.until(name, "failed")["status"]["message"], "another reason")


@check("life.missing-file-fails")
def _(place: Place) -> None:
    image = {"url": "a:1", "modelPath": "t.gguf", "ctxSize": 1, "nParallel": 1, "threadsHttp": 1}
    name = made(place, model__image={"llamacpp": image})
    place.until(name, "failed")
    holds("t.gguf" in place.api("GET", f"{name}/logs").text, "the log does not name the file")


_FILES = {"a-q4.gguf": b"GGUF", "a-q8.gguf": b"GGUF"}


@check("life.variant-says-what-is-fetched", Scenario(repos={LLM: Repo(files=_FILES)}))
def _(place: Place) -> None:
    image = {"url": "a:1", "modelPath": "a-q8.gguf", "ctxSize": 1, "nParallel": 1, "threadsHttp": 1}
    name = made(place, model__image={"llamacpp": {**image, "variant": "*q8*"}})
    place.until(name, "running")
    name = made(place, model__image={"llamacpp": {**image, "variant": "*q4*"}})
    place.until(name, "failed")


@check("life.parallel-sizes-must-fit")
def _(place: Place) -> None:
    image = {"vLLM": {"url": "a:1", "tensorParallelSize": 4}}
    gpu = {"compute__accelerator": "gpu", "compute__instanceType": "nvidia-l4"}
    name = made(place, model__image=image, **gpu)
    holds("parallel" in place.until(name, "failed")["status"]["message"], "another reason")


@check("delete.gone-later", Scenario(clock="driven", timings=Timings(delete_s=0.4)))
def _(place: Place) -> None:
    name = driven_up(place)
    same(place.api("DELETE", name).status // 100, 2, "the answer's class")
    same(place.api("GET", name).status, 200, "a GET right after")
    place.advance(0.5)
    same(place.api("GET", name).status, 404, "a GET later")


@check("delete.frees-the-name")
def _(place: Place) -> None:
    name = made(place)
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


@check("logs.as-events")
def _(place: Place) -> None:
    answer = place.api("GET", f"{place.serving()}/logs/sse?tail=1")
    holds(answer.headers["content-type"].startswith("text/event-stream"), "no event stream")
    holds(answer.text.startswith("data: "), "no event")


@check("replicas.are-listed")
def _(place: Place) -> None:
    answer = place.api("GET", f"{place.serving()}/replica")
    same((answer.status, len(answer.json["items"])), (200, 1), "status and replicas")
