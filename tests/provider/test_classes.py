"""The classes that programs use: derived from the shapes, and true to them on both sides."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from moorage.errors import MoorageError
from moorage.provider.__main__ import PACKAGE
from moorage.provider.derived import classes, naming, pages
from moorage.provider.handler import Field, Shape
from moorage.provider.package import Package
from tests.provider import gallery
from tests.provider.gallery_resources import Nail, Picture, PictureFrameWood, Provider

ROOT = Path(__file__).parents[2]
HUNG = {
    **gallery.HUNG,
    "frame": {"wood": "ash", "widthMm": 40.0},
    "roomNumber": 7.0,
    "heldBy": {"atLumen": 5.0, "class": "cold"},
    "alarmKey": "bell-and-whistle",
}


class Wire(mocks.Mocks):
    """What goes over the wire: it keeps what it hears, and answers as the gallery would."""

    def __init__(self) -> None:
        self.heard: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.heard[args.name] = dict(args.inputs)
        return args.resource_id or f"{args.name}-id", HUNG

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {}, None


def declared(program: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """Run a program; returns the inputs of every resource by name."""
    wire = Wire()

    async def main() -> None:
        mocks.set_mocks(wire, project="p", stack="s")
        await pulumi.runtime.stack.run_pulumi_func(program)

    asyncio.run(main())
    return wire.heard


def test_what_is_in_the_repository_is_what_the_shapes_say() -> None:
    """`make generate` writes it."""
    tool = [sys.executable, str(ROOT / "tools" / "derive.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shown = (ROOT / "tests" / "provider" / "gallery_resources.py").read_text()
    assert shown == classes.build(gallery.PACKAGE), "python -m tests.provider.gallery resources"


def test_members_of_objects_are_renamed_and_keys_of_maps_are_not() -> None:
    def program() -> None:
        Picture(
            "all",
            title="Harbour",
            frame={"width_mm": pulumi.Output.from_input(40), "wood": PictureFrameWood.ASH},
            lamp_list=pulumi.Output.from_input([{"at_lumen": 300, "class_": "warm"}]),
            frame_by_year={"the_year_1900": {"width_mm": 30}},
            tag_set={"snake_case": "a", "camelCase": "b"},
            extra={"at_all": {"width_mm": 1}},
        )

    heard = declared(program)["all"]
    assert heard["frame"] == {"widthMm": 40, "wood": "ash"}
    assert heard["lampList"] == [{"atLumen": 300, "class": "warm"}]
    assert heard["frameByYear"] == {"the_year_1900": {"widthMm": 30}}
    assert heard["tagSet"] == {"snake_case": "a", "camelCase": "b"}
    assert heard["extra"] == {"at_all": {"width_mm": 1}}


def test_outputs_come_back_as_python_calls_them_and_whole_numbers_are_whole() -> None:
    seen: list[Any] = []

    def program() -> None:
        one = Picture("one", title="Harbour", frame={"width_mm": 1})
        got = pulumi.Output.all(one.room_number, one.frame, one.held_by, one.frame_by_year)
        got.apply(seen.extend)

    declared(program)
    number, frame, held, by_year = seen
    assert str(number) == "7"
    assert str(frame["width_mm"]) == "40"
    assert held == {"at_lumen": 5, "class_": "cold"}
    assert by_year == {"theYear1900": {"wood": "oak", "width_mm": 30}}


def test_secrets_are_secret_before_they_leave_the_program() -> None:
    def program() -> None:
        Picture("one", title="t", frame={"width_mm": 1}, insurance_urls=["https://u:pw@host"])

    heard = declared(program)["one"]
    assert heard["insuranceURLs"][_special_sig_key] == _special_secret_sig


def test_one_that_exists_is_read_by_its_id() -> None:
    seen: list[Any] = []

    def program() -> None:
        found = Picture.get("found", "Harbour")
        pulumi.Output.all(found.id, found.title, found.alarm_key).apply(seen.extend)

    declared(program)
    assert seen == ["Harbour", "Harbour", "bell-and-whistle"]


def test_a_deprecated_input_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    declared(lambda: void(Picture("a", title="t", frame={"width_mm": 1}, old_title="x")))
    assert warnings == ["Picture.old_title is deprecated: use title"]


def test_a_provider_is_configured_by_texts_and_what_takes_nothing_takes_nothing() -> None:
    def program() -> None:
        Provider("own", endpoint_url="https://gallery", retries=5, access_token="sk-x")
        Nail("nail")

    heard = declared(program)
    assert heard["own"]["endpointURL"] == "https://gallery"
    assert heard["own"]["retries"] == "5"
    assert heard["own"]["accessToken"][_special_sig_key] == _special_secret_sig
    assert heard["nail"] == {}


def test_the_names_are_those_that_pulumi_writes() -> None:
    """The words are Pulumi's own examples for its code generator."""
    names = {
        "kubeletConfigKey": "kubelet_config_key",
        "podCIDR": "pod_cidr",
        "podCIDRs": "pod_cidrs",
        "nonResourceURLs": "non_resource_urls",
        "someTHINGsAREWeird": "some_things_are_weird",
        "podCIDRSet": "pod_cidr_set",
        "Sha256Hash": "sha256_hash",
        "SHA256Hash": "sha256_hash",
        "proj:config": "proj_config",
        "import": "import_",
    }
    assert {name: naming.python_name(name) for name in names} == names
    choices = {"nvidia-l4": "nvidia_l4", "SIGHUP": "sighup", "3D": "value_3d", "*": "value"}
    assert {choice: naming.choice_name(choice) for choice in choices} == choices


def test_two_types_of_one_name_are_refused() -> None:
    ready = Field(kind="object", doc="", fields={"inTime": Field(kind="object", doc="")})
    other = Field(kind="object", doc="", fields={"a": Field(kind="string", doc="")})
    shape = Shape(doc="", inputs={"ready": ready, "readyInTime": other}, outputs={})
    handler = gallery.PACKAGE.handlers["gallery:index:Nail"]
    clash = Package(
        name="p",
        version="1.0.0",
        description="",
        handlers={"p:index:Job": replace(handler, shape=shape)},
    )
    with pytest.raises(MoorageError, match="two types would be called JobReadyInTime; rename"):
        classes.build(clash)


@pytest.mark.parametrize("package", [gallery.PACKAGE, PACKAGE], ids=lambda one: one.name)
def test_every_example_of_a_page_is_a_program_that_its_class_accepts(package: Package) -> None:
    for token, handler in package.handlers.items():
        text = pages.example(package, token, handler.shape)
        assert naming.class_name(token) in text
        assert declared(lambda text=text: exec(text, {}))  # type: ignore[misc]


def test_a_page_says_what_a_change_does_and_what_to_import_by() -> None:
    page = pages.build(gallery.PACKAGE)["Picture.md"]
    assert "a change of `title` replaces it" in page
    assert "pulumi import gallery:index:Picture <name> <id>" in page
    assert "| `width_mm` | `widthMm` | integer | **Required.** How wide. At least 1." in page
    assert "Stops the alarm. Secret." in page
    index = pages.build(gallery.PACKAGE)["README.md"]
    assert "[Nail](Nail.md)" in index
    assert "| `accessToken` | string | Opens it. Secret. |" in index


def test_a_plugin_that_serves_has_loaded_none_of_this() -> None:
    asked = "import sys, moorage.provider.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "moorage.provider.servicer" in loaded
    unwanted = {"pulumi", "moorage.provider.schema", "moorage.provider.derived", "jsonschema"}
    assert not loaded & unwanted


def test_a_class_tells_its_arguments_to_whoever_asks() -> None:
    arguments = inspect.signature(Picture.__init__).parameters
    needed = [n for n, one in arguments.items() if one.default is inspect.Parameter.empty]
    assert needed == ["self", "resource_name", "title", "frame"]
    assert "room_number: Where it hangs. At least 1. Default: 7." in str(Picture.__init__.__doc__)


def void(_resource: pulumi.Resource) -> None:
    """A program that is one declaration."""
