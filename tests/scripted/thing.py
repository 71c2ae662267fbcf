"""Thing and Berth: resources of the folder's cloud; a Berth is deleted before it is replaced."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moorage.errors import MoorageError
from moorage.provider.handler import (
    Context,
    Created,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.shape import TEXT
from tests.scripted.cloud import Body, Cloud

POLL_S = 0.02

INPUTS = {
    "name": Field(kind="string", doc="Name in the cloud.", required=True, replaces=True),
    "zone": Field(kind="string", doc="Where it stands.", default="z1", replaces=True),
    "owner": Field(kind="string", doc="Whose it is.", required=True),
    "size": Field(kind="integer", doc="How large.", default=1, least=1),
    "note": Field(kind="string", doc="Anything."),
    "tags": Field(kind="map", doc="Labels.", items=TEXT),
    "password": Field(kind="string", doc="A secret.", secret=True),
    "waitFor": Field(kind="string", doc="It is ready once this path exists."),
    "hourlyUsd": Field(kind="number", doc="What an hour costs."),
}
OUTPUTS = {
    "url": Field(kind="string", doc="Where it answers.", required=True, stable=True),
    "revision": Field(kind="integer", doc="How often it was changed.", required=True),
    "token": Field(kind="string", doc="Opens it.", required=True, secret=True, stable=True),
}
THING = Shape(
    doc="A thing of the folder's cloud.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    import_id="its key, name-zone",
)
BERTH = Shape(
    doc="A thing whose name is taken while it stands.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    delete_before_replace=True,
    refresh_before_update=True,
    import_id="its name",
)


def cloud() -> Cloud:
    return Cloud(folder=Path(os.environ["MOORAGE_TEST_CLOUD"]))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The functions of one of the two types."""

    shape: Shape

    def key_of(self, inputs: State) -> str:
        name, zone = inputs["name"], inputs["zone"]
        return str(name if self.shape.delete_before_replace else f"{name}-{zone}")

    def create(self, inputs: State, context: Context) -> Created:
        key = self.key_of(inputs)
        cloud().note(f"create {key}")
        found = self.ours(key, inputs)
        revision = found["revision"] if found else 1
        if found is None:
            cloud().post(key, {"inputs": kept(inputs), "revision": revision})
        elif found["inputs"] != kept(inputs):
            revision += 1
            cloud().put(key, {"inputs": kept(inputs), "revision": revision})
        state = described(key, inputs, revision)
        context.exists(key, state)
        await_ready(key, inputs, context)
        return Created(id=key, state=state)

    def ours(self, key: str, inputs: State) -> Body | None:
        found = cloud().get(key)
        if found is not None and found["inputs"]["owner"] != inputs["owner"]:
            message = f"{key} belongs to {found['inputs']['owner']}; choose another name"
            raise MoorageError(message)
        return found

    def read(self, id_: str, state: State, inputs: State, context: Context) -> Found | None:
        cloud().note(f"read {id_}")
        found = cloud().get(id_)
        if found is None:
            return None
        secret = {"password": inputs["password"]} if "password" in inputs else {}
        declared = {**found["inputs"], **secret}
        return Found(state=described(id_, declared, found["revision"]), inputs=declared)

    def update(self, id_: str, state: State, inputs: State, context: Context) -> State:
        cloud().note(f"update {id_}")
        found = self.ours(id_, {"owner": state["owner"]}) or {"inputs": None, "revision": 0}
        revision = found["revision"]
        if found["inputs"] != kept(inputs):
            revision += 1
            cloud().put(id_, {"inputs": kept(inputs), "revision": revision})
        new = described(id_, inputs, revision)
        context.exists(id_, new)
        await_ready(id_, inputs, context)
        return new

    def delete(self, id_: str, state: State, context: Context) -> None:
        cloud().note(f"delete {id_}")
        cloud().delete(id_, owner=state["owner"])

    def locate(self, inputs: State, _context: Context) -> str | None:
        found = cloud().get(self.key_of(inputs))
        ours = found is not None and found["inputs"]["owner"] == inputs["owner"]
        return self.key_of(inputs) if ours else None

    def handler(self) -> Handler:
        return Handler(
            shape=self.shape,
            create=self.create,
            read=self.read,
            update=self.update,
            delete=self.delete,
            locate=self.locate,
        )


def kept(inputs: State) -> dict[str, Any]:
    """What the cloud keeps and gives back: never the password."""
    return {name: value for name, value in inputs.items() if name != "password"}


def described(key: str, inputs: State, revision: int) -> State:
    return {
        **inputs,
        "url": f"https://{key}.example",
        "revision": revision,
        "token": f"token-of-{key}",
    }


def await_ready(key: str, inputs: State, context: Context) -> None:
    cloud().fail(f"AWAIT {key}")
    while inputs.get("waitFor") and not Path(inputs["waitFor"]).exists():
        context.progress(f"waiting for {inputs['waitFor']}")
        context.pause(POLL_S)
