"""Spaces: how one is made and paid, built, set, seen, and how it falls asleep or fails."""

from __future__ import annotations

import base64
import json
from typing import Any

from moorage.twin.face import Account, Habit, Scenario, Token
from tests.contract.place import WITHOUT, Answer, Place, holds, same, says
from tests.contract.register import check

_SLOW = Scenario(
    clock="driven", spaces={"*": Habit(building_s=60, starting_s=10, loading_s=5, stale_s=3)}
)
_STOPPED = Scenario(clock="driven")


@check("space.begins-building", _SLOW)
def _(place: Place) -> None:
    _made(place)
    for seconds, stage in ((59, "BUILDING"), (2, "APP_STARTING"), (10, "RUNNING")):
        place.advance(seconds)
        same(_stage(place), stage, "stage")


@check("space.running-but-loading", _SLOW)
def _(place: Place) -> None:
    _made(place)
    place.advance(71)
    says(place.call("GET", _app(place)), 503)
    place.advance(10)
    same(place.call("GET", _app(place)).status, 200, "the app")


@check("space.without-app-file", _STOPPED)
def _(place: Place) -> None:
    _made(place, files=[])
    place.advance(60)
    same(_stage(place), "NO_APP_FILE", "stage")


@check("space.without-sdk", _STOPPED)
def _(place: Place) -> None:
    _made(place)
    _push(place, "README.md", b"# without metadata")
    same(_stage(place), "CONFIG_ERROR", "stage")


@check("space.push-tells-old-stage", _SLOW)
def _(place: Place) -> None:
    _made(place)
    place.advance(120)
    _push(place)
    same(_stage(place), "RUNNING", "stage right after a push")
    place.advance(4)
    same(_stage(place), "RUNNING_BUILDING", "stage a moment later")


@check("space.taken-name-changes-nothing", _STOPPED)
def _(place: Place) -> None:
    _made(place)
    says(_create(place, hardware="cpu-upgrade"), 409)
    same(_runtime(place).json["hardware"]["requested"], "cpu-basic", "hardware")


@check("space.unknown-hardware-refused")
def _(place: Place) -> None:
    says(_create(place, hardware="abacus"), 400)


@check("space.hardware-priced-by-minute")
def _(place: Place) -> None:
    row = place.hub("/api/spaces/hardware", token=WITHOUT).json[0]
    holds({"name", "unitCostUSD", "unitLabel"} <= {*row}, f"keys: {sorted(row)}")
    same(row["unitLabel"], "minute", "unitLabel")


_FREE = (Account(name="acme", tokens=(Token(text="hf_free"),), plan="free"),)


@check("space.plan-is-needed", Scenario(accounts=_FREE, deploys="hf_free"))
def _(place: Place) -> None:
    for sdk in ("gradio", "docker"):
        says(_create(place, sdk=sdk), 402)
    same(_create(place, sdk="static").status, 200, "a static one")
    paid = _create(place, sdk="docker", name="paid", hardware="t4-small")
    same(paid.status, 200, "one on hardware that is paid by the hour")


@check("space.variables-are-public", _STOPPED)
def _(place: Place) -> None:
    _made(place, variables=[{"key": "A", "value": "1"}])
    told = _hub(place, "GET", f"{_API}/variables", token=place.foreign).json
    same(told["A"]["value"], "1", "the variable, as a stranger sees it")


@check("space.secrets-unreadable", _STOPPED)
def _(place: Place) -> None:
    _made(place, secrets=[{"key": "KEY", "value": "p-o-r-t"}])
    answer = _hub(place, "GET", f"{_API}/secrets")
    same([*answer.json], ["KEY"], "the names")
    holds("updatedAt" in answer.json["KEY"], "no date")
    holds("p-o-r-t" not in answer.text, "the value is told")


@check("space.one-name-for-both", _STOPPED)
def _(place: Place) -> None:
    _made(place, variables=[{"key": "A", "value": "1"}])
    says(_hub(place, "POST", f"{_API}/secrets", {"key": "A", "value": "2"}), 400, "collision")


@check("space.setting-restarts", _SLOW)
def _(place: Place) -> None:
    _made(place)
    place.advance(120)
    _hub(place, "POST", f"{_API}/variables", {"key": "A", "value": "2"})
    holds(_stage(place) != "RUNNING", "it runs on")


@check("space.protected-app-is-public")
def _(place: Place) -> None:
    _made(place, visibility="protected")
    _until_running(place)
    says(_hub(place, "GET", _API, token=place.foreign), 404)
    same(place.call("GET", _app(place), token=WITHOUT).status, 200, "the app, without a token")


@check("space.private-app-looks-absent")
def _(place: Place) -> None:
    _made(place, visibility="private")
    _until_running(place)
    for token in (WITHOUT, place.foreign):
        says(place.call("GET", _app(place), token=token), 404)
    same(place.call("GET", _app(place)).status, 200, "the app, as its owner sees it")


_BROKEN = Habit(ends="BUILD_ERROR", message="no such package")


@check("space.build-error", Scenario(spaces={"*": _BROKEN}))
def _(place: Place) -> None:
    _made(place)
    place.wait(lambda: _stage(place), lambda stage: stage == "BUILD_ERROR", "BUILD_ERROR")
    log = _hub(place, "GET", f"{_API}/logs/build")
    holds(log.headers["content-type"].startswith("text/event-stream"), "no event stream")
    holds("no such package" in log.text, "the log lacks it")


_STUCK = Scenario(clock="driven", spaces={"*": Habit(ends="BUILDING", heals=True)})


@check("space.stuck-building-healed-by-reboot", _STUCK)
def _(place: Place) -> None:
    _made(place)
    place.advance(100_000)
    same(_stage(place), "BUILDING", "stage")
    _hub(place, "POST", f"{_API}/restart?factory=true", {})
    place.advance(60)
    same(_stage(place), "RUNNING", "stage after a factory reboot")


@check("space.pause-and-restart")
def _(place: Place) -> None:
    _made(place)
    _until_running(place)
    same(_hub(place, "POST", f"{_API}/pause", {}).json["stage"], "PAUSED", "stage")
    _hub(place, "POST", f"{_API}/restart", {})
    _until_running(place)


@check("space.free-one-sleeps-after-two-days", _STOPPED)
def _(place: Place) -> None:
    _made(place)
    place.advance(172_900)
    same(_stage(place), "SLEEPING", "stage")
    says(place.call("GET", _app(place)), 503)
    place.advance(1)
    same(place.call("GET", _app(place)).status, 200, "the app, once a request woke it")


@check("space.paid-one-stays-awake", _STOPPED)
def _(place: Place) -> None:
    _made(place, hardware="cpu-upgrade")
    place.advance(10_000_000)
    same(_stage(place), "RUNNING", "stage")
    _hub(place, "POST", f"{_API}/sleeptime", {"seconds": 3600})
    same(_stage(place), "SLEEPING", "stage, once it may sleep")


_NAME = "moorage-contract"
_API = f"/api/spaces/acme/{_NAME}"


def _hub(place: Place, method: str, path: str, body: Any = None, **how: Any) -> Answer:
    return place.call(method, f"{place.urls['hub']}{path}", body, **how)


def _create(place: Place, **more: Any) -> Answer:
    content = base64.b64encode(b"print('ahoy')").decode()
    body = {
        "type": "space",
        "name": _NAME,
        "organization": "acme",
        "sdk": "gradio",
        "files": [{"path": "app.py", "content": content, "encoding": "base64"}],
        **more,
    }
    return _hub(place, "POST", "/api/repos/create", body)


def _made(place: Place, **more: Any) -> None:
    place.expect_made(_create(place, **more))


def _push(place: Place, path: str = "app.py", text: bytes = b"print('land')") -> None:
    file = {"path": path, "encoding": "base64", "content": base64.b64encode(text).decode()}
    lines = (
        {"key": "header", "value": {"summary": "land"}},
        {"key": "file", "value": file},
    )
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    place.expect_made(_hub(place, "POST", f"{_API}/commit/main", sent))


def _runtime(place: Place) -> Answer:
    return _hub(place, "GET", f"{_API}/runtime")


def _stage(place: Place) -> str:
    return str(_runtime(place).json["stage"])


def _app(place: Place) -> str:
    return str(_hub(place, "GET", _API).json["host"])


def _until_running(place: Place) -> None:
    place.wait(lambda: _stage(place), lambda stage: stage == "RUNNING", "RUNNING")
    app = _app(place)
    place.wait(lambda: place.call("GET", app).status, lambda got: got == 200, "the app is up")
