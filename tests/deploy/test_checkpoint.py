"""A damaged state is told apart from a whole one, and its newest copy is found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from moorage.deploy.place import Place
from moorage.deploy.stored import checkpoint
from moorage.errors import Exit, MoorageError

THING = {"urn": "urn:pulumi:local::demo::moorage:index:Process::one", "custom": True}


def written(path: Path, *, things: int = 1, age_s: float = 0.0) -> None:
    resources = [{**THING, "type": "moorage:index:Process"}] * things
    latest: dict[str, Any] = {"resources": resources}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    then_s = path.stat().st_mtime - age_s
    os.utime(path, (then_s, then_s))


@pytest.fixture
def where(tmp_path: Path) -> Place:
    return Place(
        root=tmp_path,
        stack="local",
        project="demo",
        backend=f"file://{tmp_path}/.moorage/state",
        environ={},
        settings={},
        manifest={},
    )


@pytest.fixture
def state(where: Place) -> Path:
    assert where.state_file is not None
    return where.state_file


def refusal(where: Place) -> str:
    with pytest.raises(MoorageError) as fault:
        checkpoint.settle(where, pytest.fail)
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    return str(fault.value)


def test_a_whole_state_and_none_at_all_are_fine(where: Place, state: Path) -> None:
    checkpoint.settle(where, pytest.fail)
    written(state)
    checkpoint.settle(where, pytest.fail)


@pytest.mark.parametrize("text", ["{", '{"version": 3}', "[]", '{"checkpoint": 1}'])
def test_a_damaged_state_is_refused(where: Place, state: Path, text: str) -> None:
    written(state)
    state.write_text(text)
    assert "there is no copy of it" in refusal(where)
    written(state.with_name("local.json.bak"), things=2)
    assert "puts back its newest copy (2 things, written 0 s ago)" in refusal(where)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_state_that_a_full_disk_emptied_is_put_back(where: Place, state: Path, text: str) -> None:
    written(state)
    state.write_text(text)
    assert "there is no copy of it" in refusal(where)
    written(state.with_name("local.json.bak"), things=2)
    told: list[str] = []
    checkpoint.settle(where, told.append)
    assert "its newest copy is in its place (2 things, written 0 s ago)" in told[0]
    assert state.read_text() == state.with_name("local.json.bak").read_text()


def test_a_state_that_vanished_is_no_fresh_start(where: Place, state: Path) -> None:
    """Only `stack rm` leaves a copy that knows of nothing, when it dies half-way."""
    copy = state.with_name("local.json.bak")
    written(copy, things=0)
    checkpoint.settle(where, pytest.fail)
    written(copy, things=1)
    assert f"the state {state} is gone" in refusal(where)


def test_a_compressed_state_is_left_to_the_engine(where: Place, state: Path) -> None:
    written(state.with_name("local.json.bak"))
    state.with_name("local.json.gz").write_bytes(b"\x1f\x8b")
    checkpoint.settle(where, pytest.fail)


def test_the_newest_whole_copy_is_put_back_and_the_harmed_one_kept(
    where: Place, state: Path
) -> None:
    written(state)
    state.write_text("harmed")
    written(state.with_name("local.json.bak"), things=1, age_s=60)
    backups = state.parents[2] / "backups" / "demo" / "local"
    written(backups / "local.1.json", things=3, age_s=120)
    written(backups / "local.2.json", things=2, age_s=30)
    (backups / "local.3.json").write_text("harmed too")
    said: list[str] = []
    checkpoint.settle(where, said.append, restore=True)
    assert "its newest copy is in its place (2 things, written 30 s ago)" in said[0]
    (found,) = (checkpoint.read(where) or {},)
    assert len(found["resources"]) == 2
    (kept,) = (state.parents[3] / ".moorage" / "damaged" / "demo").iterdir()
    assert kept.read_text() == "harmed"
