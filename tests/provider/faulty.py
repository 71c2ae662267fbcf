"""Handlers that each break one clause of the contract, and one that breaks none.

Run by test_contract.py in a process of its own; a folder is the cloud, a file in it a thing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from moorage.errors import MoorageError
from moorage.provider.contract import HandlerContract
from moorage.provider.handler import Change, Context, Created, Field, Found, Handler, Shape, State
from moorage.provider.package import Package
from moorage.provider.testing import trial
from moorage.provider.testing.trial import Trials

# What is broken -> the clauses that must say so; where one follows from another, both.
FAULTS: dict[str, tuple[str, ...]] = {
    "": (),
    "doubles": ("created_again", "a_create_killed"),
    "takes over": ("a_foreign_thing_of_its_name",),
    "takes away": ("a_foreign_thing_in_its_place",),
    "counts updates": ("an_update_made_twice",),
    "replaces all": ("changes_are_made_in_place_or_replace",),
    "misses the gone": ("deleting_what", "a_delete_killed"),
    "forgets the size": ("by_its_id_alone", "a_create_killed", "an_update_killed"),
    "invents": ("what_is_not_there",),
    "adds a drift": ("nothing_differs_after_create",),
    "reads another size": ("nothing_differs_after_read",),
    "imports anew": ("nothing_differs_after_import",),
    "foresees wrongly": ("what_a_preview_knows",),
    "looks ahead": ("unknown_inputs_are_no_fault",),
    "tells the token": ("no_secret_is_told",),
    "waits unheard": ("a_cancel_ends_the_wait",),
    "outlives its time": ("a_custom_timeout_ends",),
    "locates nothing": ("locate_finds",),
    "makes in two steps": ("a_create_killed_anywhere",),
    "changes in two steps": ("an_update_killed_anywhere",),
    "deletes in two steps": ("a_delete_killed_anywhere",),
}
SHAPE = Shape(
    doc="A thing.",
    inputs={
        "name": Field(kind="string", doc="Name.", required=True, replaces=True),
        "owner": Field(kind="string", doc="Owner.", required=True, replaces=True),
        "size": Field(kind="integer", doc="Size.", default=1),
        "ready": Field(kind="boolean", doc="Whether it gets ready.", default=True),
    },
    outputs={
        "url": Field(kind="string", doc="Where.", required=True),
        "token": Field(kind="string", doc="Opens it.", secret=True),
    },
)


def cloud() -> Path:
    return Path(os.environ["FAULTY_CLOUD"])


def look(key: str) -> Any:
    path = cloud() / key
    return json.loads(path.read_text()) if path.exists() else None


def put(key: str, thing: State) -> None:
    draft = cloud().with_name(f"{key}.draft")
    draft.write_text(json.dumps(thing))
    draft.replace(cloud() / key)


@dataclass(frozen=True)
class Things:
    """The functions of a handler that is sound but for one fault."""

    fault: str

    def create(self, inputs: State, context: Context) -> Created:
        key = inputs["name"]
        found = look(key)
        if found and found.get("owner") != inputs["owner"] and self.fault != "takes over":
            message = f"{key} is not ours; choose another name"
            raise MoorageError(message)
        if found and self.fault == "doubles":
            key += "-2"
        if found is None and self.fault == "makes in two steps":
            put(key, {"name": key})
        if self.fault == "tells the token":
            context.progress(f"the token is token-of-{key}")
        if look(key) != inputs:
            put(key, inputs)
        state = self.state(key, inputs)
        self.settle(key, inputs, state, context)
        return Created(
            id=key, state=state | ({"drift": "x"} if self.fault == "adds a drift" else {})
        )

    def settle(self, key: str, inputs: State, state: State, context: Context) -> None:
        late = {"waits unheard": "OutOfTime", "outlives its time": "Cancelled"}.get(self.fault)
        if late is None:
            context.exists(key, state)
        try:
            while not inputs["ready"]:
                context.progress("waiting")
                context.pause(0.01)
        except MoorageError as error:
            if type(error).__name__ == late:
                context.exists(key, state)
            raise

    def state(self, key: str, inputs: State) -> State:
        return {**inputs, "url": f"thing://{key}", "token": f"token-of-{key}"}

    def read(self, id_: str, state: State, inputs: State, context: Context) -> Found | None:
        key = id_.removeprefix("import:")
        found = look(key)
        if found is None:
            invented = {"name": key, "owner": "us"}
            invents = self.fault == "invents" and not state
            return Found(state=invented, inputs=invented) if invents else None
        declared = {name: found[name] for name in SHAPE.inputs.keys() & found.keys()}
        if self.fault == "forgets the size" and id_ == key and not state:
            del declared["size"]
        if self.fault == "reads another size" and state:
            declared["size"] += 1
        named = "nowhere" if self.fault == "imports anew" and id_ != key else key
        return Found(state=self.state(key, found), inputs=declared, id=named)

    def update(self, id_: str, state: State, inputs: State, context: Context) -> State:
        found = look(id_)
        if found is None or found.get("owner") != state["owner"]:
            message = f"{id_} is gone; run up with --refresh"
            raise MoorageError(message)
        if self.fault == "changes in two steps":
            (cloud() / id_).unlink()
        if self.fault == "counts updates":
            put(id_, {**inputs, "updates": found.get("updates", 0) + 1})
        elif look(id_) != inputs:
            put(id_, inputs)
        context.exists(id_, self.state(id_, inputs))
        return self.state(id_, inputs)

    def delete(self, id_: str, state: State, context: Context) -> None:
        found = look(id_)
        if found is None and self.fault == "misses the gone":
            message = f"{id_} is gone already"
            raise MoorageError(message)
        if found is None or (found["owner"] != state["owner"] and self.fault != "takes away"):
            return
        if self.fault == "deletes in two steps":
            put(id_, {**found, "owner": ""})
        (cloud() / id_).unlink()

    def diff(self, changes: list[Change], old: State, new: State) -> list[Change]:
        if self.fault != "replaces all":
            return changes
        return [Change(path=one.path, kind=one.kind, replaces=True) for one in changes]

    def preview(self, inputs: State, state: State | None) -> State:
        if self.fault == "looks ahead":
            (cloud().parent / "looked").write_text("")
        return {"url": "thing://elsewhere"} if self.fault == "foresees wrongly" else {}

    def locate(self, inputs: State, _context: Context) -> str | None:
        found = look(inputs["name"])
        ours = found is not None and found.get("owner") == inputs["owner"]
        return inputs["name"] if ours and self.fault != "locates nothing" else None

    def handler(self) -> Handler:
        return Handler(
            shape=SHAPE,
            create=self.create,
            read=self.read,
            update=self.update,
            delete=self.delete,
            diff=self.diff,
            preview=self.preview,
            locate=self.locate,
        )


def token_of(fault: str) -> str:
    return f"faulty:index:{fault.title().replace(' ', '') or 'Sound'}"


PACKAGE = Package(
    name="faulty",
    version="0.1.0",
    description="Faulty things",
    handlers={token_of(fault): Things(fault).handler() for fault in FAULTS},
)


@pytest.fixture(scope="module")
def forks() -> Iterator[Trials]:
    """One for all, since the package is the same."""
    with trial.trials(__name__, __file__, "PACKAGE", trial.EFFECTS) as running:
        yield running


class Faulty(HandlerContract):
    package = PACKAGE
    short_s: ClassVar = 0.1
    fault: ClassVar[str]
    cloud: Path

    @pytest.fixture
    def world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cloud = tmp_path / "cloud"
        self.cloud.mkdir()
        monkeypatch.setenv("FAULTY_CLOUD", str(self.cloud))

    @pytest.fixture(name="_forking")
    def _share(self, request: pytest.FixtureRequest) -> Trials:
        name = request.node.originalname
        concerned = not self.fault or any(part in name for part in FAULTS[self.fault])
        if not concerned and os.environ.get("FAULTY") != "all":
            pytest.skip("many processes for what does not concern this fault: FAULTY=all")
        forks: Trials = request.getfixturevalue("forks")
        return forks

    def inputs(self) -> State:
        return {"name": "one", "owner": "us", "size": 2}

    def changed(self) -> State:
        return {**self.inputs(), "size": 3}

    def replaced(self) -> State:
        return {**self.inputs(), "name": "two"}

    def waiting(self) -> State:
        return {**self.inputs(), "ready": False}

    def things(self) -> Mapping[str, Any]:
        return {path.name: json.loads(path.read_text()) for path in self.cloud.iterdir()}

    def plant_foreign(self) -> None:
        (self.cloud / "one").write_text(json.dumps({"name": "one", "owner": "them", "size": 7}))

    def remove(self, id_: str) -> None:
        (self.cloud / id_).unlink()

    def import_id(self, id_: str) -> str:
        return f"import:{id_}"


for _fault in FAULTS:
    _name = f"Test{token_of(_fault).rpartition(':')[2]}"
    globals()[_name] = type(_name, (Faulty,), {"token": token_of(_fault), "fault": _fault})
