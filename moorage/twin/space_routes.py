"""The Hub's routes of Spaces: runtime, logs, settings; and the apps themselves."""

from __future__ import annotations

import json
from typing import Any, Final

from aiohttp import web

from moorage.twin import spaces
from moorage.twin.desk import ID, Asked, Refusal, Served, readable, route, rows, writable
from moorage.twin.repos import Stored
from moorage.twin.spaces import Space

APPS: Final = "/apps"
_PAGES: Final = ("", "health")  # that an app of the twin has


def mount(app: web.Application, hub: Served) -> None:
    """Add them."""
    add, api = app.router, f"/api/spaces/{ID}"
    add.add_get("/api/spaces/hardware", route(hub, lambda _: spaces.hardware()))
    add.add_get(f"{api}/runtime", route(hub, lambda asked: _runtime(asked, *_readable(asked))))
    add.add_get(f"{api}/logs/{{kind:build|run}}", route(hub, _logs))
    for name in ("secrets", "variables"):
        add.add_get(f"{api}/{name}", route(hub, _settings_of(name)))
        add.add_post(f"{api}/{name}", route(hub, _set(name)))
        add.add_delete(f"{api}/{name}", route(hub, _unset(name)))
    for name, function in _CHANGES.items():
        add.add_post(f"{api}/{name}", route(hub, _change(function)))
    add.add_put(f"{api}/volumes", route(hub, _change(_volumes)))
    add.add_delete(f"{api}/volumes", route(hub, _change(_no_volumes)))
    mount_apps(app, hub, APPS)


def mount_apps(app: web.Application, hub: Served, prefix: str) -> None:
    """The apps of Spaces, each below `prefix`/<owner>/<name>."""
    for path in (f"{prefix}/{ID}", f"{prefix}/{ID}/{{rest:.*}}"):
        app.router.add_route("*", path, _app(hub))


def described(hub: Served, stored: Stored, told: dict[str, Any]) -> dict[str, Any]:
    """The facts of a Space beside those of every repository."""
    id_ = stored.id.removeprefix("spaces/")
    space: Space | None = hub.desk.spaces.get(id_)
    if space is None:
        return told
    where = hub.desk.apps_url or f"{hub.content_url}{APPS}"
    more = {
        "sdk": space.sdk,
        "subdomain": id_.replace("/", "-").lower(),
        "host": f"{where}/{id_}",
        "runtime": spaces.runtime(space, hub.desk, stored),
        "visibility": stored.repo.visibility,
    }
    return told | more


def _readable(asked: Asked) -> tuple[Space, Stored]:
    stored = readable(asked.hub, asked.request)
    return _space(asked), stored


def _writable(asked: Asked) -> tuple[Space, Stored]:
    _, stored = writable(asked)
    return _space(asked), stored


def _space(asked: Asked) -> Space:
    """A Space of a scenario's files has no runtime."""
    space: Space | None = asked.desk.spaces.get(asked.part("id"))
    if space is None:
        raise Refusal(404, "Space not found")
    return space


def _runtime(asked: Asked, space: Space, stored: Stored) -> Any:
    return spaces.runtime(space, asked.desk, stored)


def _logs(asked: Asked) -> Any:
    space, _ = _writable(asked)
    stamp = asked.desk.clock.stamp()
    lines = spaces.logs(space, asked.part("kind"))
    events = (json.dumps({"data": f"{line}\n", "timestamp": stamp}) for line in lines)
    text = "".join(f"event: log\ndata: {event}\n\n" for event in events)
    return web.Response(text=text + "data:\n\n", content_type="text/event-stream")


def _settings_of(name: str) -> Any:
    def told(asked: Asked) -> Any:
        # Variables are public; secrets are told to writers, without their values.
        space, _ = _readable(asked) if name == "variables" else _writable(asked)
        return _shown(getattr(space, name))

    return told


def _shown(settings: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {key: {"key": key, **_public(one)} for key, one in settings.items()}


def _public(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "_value" and value is not None}


def _set(name: str) -> Any:
    def change(asked: Asked) -> Any:
        space, _ = _writable(asked)
        body, stamp = asked.json(key=str, value=str), asked.desk.clock.stamp()
        other = space.variables if name == "secrets" else space.secrets
        if body["key"] in other:
            raise Refusal(400, f"Collision on variables and secrets names: {body['key']}")
        kept = getattr(space, name)
        kept[body["key"]] = spaces.setting(body, stamp, show=name == "variables")
        spaces.restart(space, asked.desk)
        return _shown(kept)

    return change


def _unset(name: str) -> Any:
    def change(asked: Asked) -> Any:
        space, _ = _writable(asked)
        kept = getattr(space, name)
        kept.pop(asked.json(key=str)["key"], None)
        spaces.restart(space, asked.desk)
        return _shown(kept)

    return change


def _change(function: Any) -> Any:
    def change(asked: Asked) -> Any:
        space, stored = _writable(asked)
        function(asked, space)
        return _runtime(asked, space, stored)

    return change


def _hardware(asked: Asked, space: Space) -> None:
    body = asked.json(flavor=str)
    _check_sleep(body.get("sleepTimeSeconds"))
    spaces.refuse_hardware(asked, space.id.partition("/")[0], body["flavor"])
    space.hardware = body["flavor"]
    if "sleepTimeSeconds" in body:
        space.sleep_s = body["sleepTimeSeconds"]
    spaces.restart(space, asked.desk)


def _sleep(asked: Asked, space: Space) -> None:
    seconds = asked.json().get("seconds")
    _check_sleep(seconds)
    space.sleep_s = seconds


def _check_sleep(seconds: object) -> None:
    if not isinstance(seconds, int | None):
        raise Refusal(400, "Invalid sleep time, must be a whole number of seconds")


def _pause(asked: Asked, space: Space) -> None:  # noqa: ARG001  all changes look alike
    space.is_paused = True


def _restart(asked: Asked, space: Space) -> None:
    if asked.request.query.get("factory") == "true":
        spaces.reboot(space, asked.desk)
        return
    space.is_paused = False
    spaces.restart(space, asked.desk)


def _volumes(asked: Asked, space: Space) -> None:
    space.volumes = rows(asked.json(volumes=list), "volumes")
    spaces.restart(space, asked.desk)


def _no_volumes(asked: Asked, space: Space) -> None:
    space.volumes = []
    spaces.restart(space, asked.desk)


_CHANGES: Final = {
    "hardware": _hardware,
    "sleeptime": _sleep,
    "pause": _pause,
    "restart": _restart,
}


def _app(hub: Served) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        asked = Asked(hub=hub, request=request, body=await request.read())
        space: Space | None = hub.desk.spaces.get(asked.part("id"))
        stored = hub.repos.get(f"spaces/{asked.part('id')}")
        if space is None or stored is None or not _may_open(asked, stored):
            return web.Response(
                status=404, text="Sorry, we can't find the page you are looking for."
            )
        return await _answer(asked, space, stored)

    return handler


def _may_open(asked: Asked, stored: Stored) -> bool:
    """A protected Space hides its code only; its app is open to all."""
    return stored.repo.visibility != "private" or asked.reader(asked.part("id").partition("/")[0])


async def _answer(asked: Asked, space: Space, stored: Stored) -> web.StreamResponse:
    desk = asked.desk
    stage = spaces.stage(space, desk, stored)
    if stage == "SLEEPING":  # a request wakes it
        spaces.restart(space, desk)
    if not stage.startswith("RUNNING") or not spaces.is_loaded(space, desk):
        return web.Response(status=503, text=f"Your space is {stage.lower()}")
    space.used_s = desk.clock.now_s()
    if desk.answer is not None:
        answer: web.StreamResponse = await desk.answer(asked, asked.request)
        return answer
    if asked.request.match_info.get("rest", "") not in _PAGES:
        return web.Response(status=404, text="Not Found")
    told = {"space": space.id, "sha": stored.commit, "variables": sorted(space.variables)}
    return web.json_response(told)
