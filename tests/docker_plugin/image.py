"""RemoteImage: an image that is there, or is pulled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moorage.errors import MoorageError
from moorage.provider.handler import Context, Created, Found, Handler, State
from tests.docker_plugin import daemon, shapes

_INPUTS = ("name", "keepLocally", "forceRemove", "platform", "pullTriggers", "triggers")


def create(inputs: State, context: Context) -> Created:
    """Take what is there, else pull it."""
    doing = "Unable to read Docker image into resource: unable to pull image"
    with daemon.asked(context.config, f"{doing} {inputs['name']}") as client:
        found = _found(client, inputs["name"])
        if found is None:
            client.api.pull(inputs["name"], auth_config=_auth(inputs["name"], context))
            found = _found(client, inputs["name"])
    if found is None:
        message = f"unable to find or pull image {inputs['name']}"
        raise MoorageError(message)
    return Created(id=f"{found.id}{inputs['name']}", state=_state(found, inputs))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Look at it by its name; the id changes when the name means another image."""
    with daemon.asked(context.config, "Error reading docker image list") as client:
        found = _found(client, inputs["name"])
    if found is None:
        return None
    new_id = f"{found.id}{inputs['name']}"
    return Found(id=new_id, state=_state(found, inputs), inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Nothing of it is Docker's."""
    return {**state, **inputs}


def delete(id_: str, state: State, context: Context) -> None:
    """Remove it, unless it is to be kept."""
    if state.get("keepLocally"):
        return
    with daemon.asked(context.config, "Unable to remove Docker image") as client:
        if _found(client, state["name"]) is not None:
            client.api.remove_image(state["name"], force=bool(state.get("forceRemove")))


def _found(client: Any, name: str) -> Any:
    try:
        return client.images.get(name)
    except daemon.Missing:
        return None


def _auth(name: str, context: Context) -> dict[str, str] | None:
    """Who we are for the registry of an image: by name, else as Docker's configuration says."""
    import docker.auth

    for one in context.config.get("registryAuth") or []:
        if not name.startswith(f"{one['address']}/"):
            continue
        if one.get("username"):
            return {"username": one["username"], "password": one.get("password", "")}
        file = str(Path(one.get("configFile") or "~/.docker/config.json").expanduser())
        found = docker.auth.load_config(file).resolve_authconfig(one["address"]) or {}
        known = {name.lower(): value for name, value in found.items()}
        return {name: known.get(name) or "" for name in ("username", "password")}
    return None


def _state(found: Any, inputs: State) -> State:
    digests = [one for one in found.attrs.get("RepoDigests") or [] if one]
    return {**inputs, "imageId": found.id, "repoDigest": digests[0] if digests else ""}


HANDLER = Handler(
    shape=shapes.shape("remoteImage", _INPUTS),
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=shapes.check(_INPUTS),
    diff=shapes.diff("remoteImage"),
)
