"""docs/twin.md is true: its scenario can be read, and it names all that there is to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from moorage.twin import control, face
from moorage.twin.mischief import CONTROL
from moorage.twin.scenario import FAULTS, Fault, Scenario, Speed, Start, Timings
from moorage.twin.scenario_file import parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/twin.md").read_text("utf-8")


def blocks(language: str) -> Iterator[str]:
    return (found[1] for found in re.finditer(rf"```{language}\n(.*?)```", PAGE, re.DOTALL))


def test_the_scenario_of_the_page_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (text,) = blocks("yaml")
    told = parse(text, at=tmp_path / "scenario.yaml")
    assert (told.clock, told.deploys) == ("driven", "hf_deploy")


@pytest.mark.parametrize("kind", [Scenario, Timings, Speed, Start])
def test_the_scenario_of_the_page_has_every_key(kind: type) -> None:
    (text,) = blocks("yaml")
    assert [one.name for one in fields(kind) if not re.search(rf"\b{one.name}:", text)] == []


def test_the_page_tells_what_a_fault_is() -> None:
    assert [one.name for one in fields(Fault) if f"`{one.name}`" not in PAGE] == []
    assert [one for one in FAULTS if f"| `{one}` |" not in PAGE] == []


def test_the_page_tells_every_control_route() -> None:
    with face.serve() as twin:
        app = face.doors(twin.world, host="127.0.0.1")[0].app
        paths = {resource.canonical for resource in app.router.resources()}
    driving = sorted(path for path in paths if path.startswith(CONTROL))
    assert driving
    assert control.ROOT.startswith(CONTROL.rstrip("/"))
    assert [path for path in driving if path not in PAGE and not path.endswith("/remove")] == []


def test_the_python_of_the_page_runs() -> None:
    (text,) = blocks("python")
    exec(compile(text, "docs/twin.md", "exec"), {})
