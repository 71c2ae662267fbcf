"""Container: made and started, and hardly ever looked at again."""

from __future__ import annotations

import io
import tarfile
import time
from contextlib import suppress
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Context, Created, Found, Handler, State
from tests.docker_plugin import daemon, shapes
from tests.docker_plugin.rendering import as_go, rendered

_INPUTS: Final = (
    *("name", "image", "command", "entrypoints", "envs", "user", "workingDir", "hostname"),
    *("ports", "hosts", "networkMode", "networksAdvanced", "volumes", "tmpfs", "uploads"),
    *("deviceRequests", "gpus", "runtime", "shmSize", "ipcMode", "memory", "ulimits", "init"),
    *("capabilities", "securityOpts", "readOnly", "groupAdds", "labels", "logDriver", "logOpts"),
    *("restart", "maxRetryCount", "stopSignal", "stopTimeout", "destroyGraceSeconds"),
    *("healthcheck", "wait", "waitTimeout", "start", "mustRun", "rm", "removeVolumes"),
)
_DURATIONS: Final = {"interval": "Interval", "timeout": "Timeout", "startPeriod": "StartPeriod"}
_LIVE: Final = ("restart", "maxRetryCount", "memory")  # what Docker changes in place


def create(inputs: State, context: Context) -> Created:
    """Make and start it; what fails after it was made is replaced by the next run."""
    with daemon.asked(context.config, "Unable to create container") as client:
        _needs_image(client, inputs["image"])
        made = client.api.create_container_from_config(rendered(inputs), inputs["name"])
        context.exists(made["Id"], dict(inputs))
        _join_networks(client, made["Id"], inputs)
        _upload(client, made["Id"], inputs.get("uploads") or [])
    if inputs["start"]:
        with daemon.asked(context.config, "Unable to start container") as client:
            client.api.start(made["Id"])
            if inputs["wait"]:
                _wait_until_healthy(client, made["Id"], inputs["waitTimeout"])
    with daemon.asked(context.config, "Unable to inspect container") as client:
        found = client.api.inspect_container(made["Id"])
    return Created(id=made["Id"], state=_state(found, inputs))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Look at it by its id; one that does not run is told by `mustRun`, and has no ports."""
    with daemon.asked(context.config, "Unable to inspect container") as client:
        try:
            found = client.api.inspect_container(id_)
        except daemon.Missing:
            return None
    declared = {**inputs, **_looked_at(found, inputs)}
    return Found(state=_state(found, declared), inputs=declared)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Start what has stopped, and change the little that Docker changes; claim the rest.

    An edit of the health check is told as made, and is not: so does the real one.
    """
    with daemon.asked(context.config, "Unable to update a container") as client:
        if not state.get("mustRun", True) and inputs["mustRun"] and inputs["start"]:
            client.api.start(id_)
        if any(state.get(name) != inputs.get(name) for name in _LIVE):
            host = rendered(inputs)["HostConfig"]
            changed = {name: host[name] for name in ("RestartPolicy", "Memory") if host.get(name)}
            url = client.api._url("/containers/{0}/update", id_)
            client.api._result(client.api._post_json(url, data=changed))
        found = client.api.inspect_container(id_)
    return _state(found, inputs)


def delete(id_: str, state: State, context: Context) -> None:
    """Stop it, at once where no grace was declared, and remove it; one that is gone is fine."""
    with daemon.asked(context.config, "Error deleting container") as client:
        with suppress(daemon.Missing):
            client.api.stop(id_, timeout=state.get("destroyGraceSeconds") or 0)
        try:
            client.api.remove_container(id_, v=state.get("removeVolumes", True), force=True)
        except daemon.Missing:
            return
        except daemon.Refused as error:
            if "is already in progress" not in str(error):
                raise


def _needs_image(client: Any, image: str) -> None:
    """The container's own pull, of what is not there."""
    try:
        client.images.get(image)
    except daemon.Missing:
        client.api.pull(image)


def _join_networks(client: Any, id_: str, inputs: State) -> None:
    networks = inputs.get("networksAdvanced") or []
    if networks:
        with suppress(daemon.Refused):  # it is in none where networkMode says so
            client.api.disconnect_container_from_network(id_, "bridge")
    for one in networks:
        client.api.connect_container_to_network(id_, one["name"], aliases=one.get("aliases"))


def _upload(client: Any, id_: str, files: list[State]) -> None:
    for one in files:
        text = one["content"].encode()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo(one["file"].lstrip("/"))
            entry.size = len(text)
            entry.mode = int(one.get("permissions") or ("744" if one["executable"] else "644"), 8)
            tar.addfile(entry, io.BytesIO(text))
        client.api.put_archive(id_, "/", archive.getvalue())


def _wait_until_healthy(client: Any, id_: str, timeout_s: int) -> None:
    """Once a second, to the very end, whatever becomes of the container."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        health = client.api.inspect_container(id_)["State"].get("Health")
        if health is None:
            message = "you have supplied a 'wait' argument, but there is no healthcheck"
            raise MoorageError(message)
        if health["Status"] == "healthy":
            return
        time.sleep(1)
    raise MoorageError("container failed to be in healthy state")


def _looked_at(found: Any, inputs: State) -> State:
    """Inputs as they would have to be declared for what is there."""
    runs = found["State"]["Running"]
    image = inputs.get("image", "")
    told: State = {
        "name": found["Name"].lstrip("/"),
        "image": found["Image"] if image.startswith("sha256:") else found["Config"]["Image"],
        "restart": found["HostConfig"]["RestartPolicy"]["Name"] or "no",
    }
    if inputs.get("mustRun", True):
        told["mustRun"] = runs
        if not runs and inputs.get("ports"):
            told["ports"] = []
    if inputs.get("healthcheck"):
        told["healthcheck"] = _health(found["Config"].get("Healthcheck") or {}, inputs)
    return told


def _health(found: Any, inputs: State) -> State:
    """The health check of the real container, its durations as Go writes them."""
    told = {name: as_go(found.get(key, 0)) for name, key in _DURATIONS.items()}
    return {**inputs["healthcheck"], **told, "tests": found.get("Test") or []}


def _state(found: Any, inputs: State) -> State:
    settings = found["NetworkSettings"]
    ports = [_port(one, settings.get("Ports") or {}) for one in inputs.get("ports") or []]
    return {
        **inputs,
        **({"ports": ports} if ports else {}),
        "bridge": settings.get("Bridge") or "",
        "exitCode": found["State"]["ExitCode"],
        "networkDatas": [
            {"networkName": name, "ipAddress": one["IPAddress"], "gateway": one["Gateway"]}
            for name, one in settings["Networks"].items()
        ],
    }


def _port(declared: State, bound: Any) -> State:
    """A declared port with the one outside that it got."""
    bindings = bound.get(f"{declared['internal']}/{declared['protocol']}") or []
    return {**declared, "external": int(bindings[0]["HostPort"])} if bindings else declared


HANDLER = Handler(
    shape=shapes.shape("container", _INPUTS, delete_before_replace=True),
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=shapes.check(_INPUTS),
    diff=shapes.diff("container"),
)
