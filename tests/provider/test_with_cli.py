"""The plugin and Pulumi's own CLI: installed in the usual ways, attached to, and imported by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from moorage import __version__
from moorage.provider import schema
from moorage.provider.__main__ import PACKAGE
from tests.provider import bare, gallery

pytestmark = pytest.mark.engine

SCRIPT = Path(sysconfig.get_path("scripts"), "pulumi-resource-moorage")
IMPORT = ("import", "gallery:index:Picture", "p", "Harbour", "--yes", "--skip-preview")


@pytest.fixture
def project(tmp_path: Path) -> bare.Bare:
    return bare.make(tmp_path)


@pytest.fixture
def stack(project: bare.Bare) -> bare.Bare:
    """An empty stack of a project whose language is none."""
    host = project.plugin("pulumi-language-scribe", "tests.provider.scribe")
    project.environ["PATH"] = f"{host}:{project.environ['PATH']}"
    project.declare("scribe", {})
    project.run("stack", "init", "here")
    (project.folder / "Pulumi.here.yaml").write_text("config: {'gallery:endpointURL': 'x'}")
    return project


def test_pulumi_understands_every_word_of_the_schema(project: bare.Bare) -> None:
    place = project.plugin("pulumi-resource-gallery", "tests.provider.gallery")
    plugin = place / "pulumi-resource-gallery"
    shown = json.loads(project.run("package", "get-schema", str(plugin)))
    assert filled(shown) == filled(schema.build(gallery.PACKAGE))


def test_the_installed_script_becomes_a_plugin_that_pulumi_finds_by_name(
    project: bare.Bare,
) -> None:
    words = ("plugin", "install", "resource", "moorage", __version__, "--file", str(SCRIPT))
    project.run(*words)
    [listed] = json.loads(project.run("plugin", "ls", "--json"))
    assert (listed["name"], listed["version"]) == ("moorage", __version__)
    shown = json.loads(project.run("package", "get-schema", "moorage"))
    assert filled(shown) == filled(schema.build(PACKAGE))


@pytest.mark.thorough
def test_an_import_by_a_plugin_on_the_path_writes_the_code_of_what_was_found(
    stack: bare.Bare,
) -> None:
    plugin = stack.plugin("pulumi-resource-gallery", "tests.provider.gallery")
    stack.run(*IMPORT, "--out", "code.pp", PATH=f"{plugin}:{stack.environ['PATH']}")
    code = "".join((stack.folder / "code.pp").read_text().split())
    assert 'resourcep"gallery:index:Picture"{frame={widthMm=40,wood="ash"}' in code
    assert 'frameByYear={"theYear1900"={widthMm=30,wood="oak"}}' in code
    assert 'lampList=[{atLumen=300,class="warm"}]' in code
    assert 'style="in-between"tagSet={"camelCase"="stays"}title="Harbour"' in code
    for unsaid in ("roomNumber", "formerOwners", "alarmKey", "hangingSince"):
        assert unsaid not in code, "defaults and outputs are nothing that a program says"


@pytest.mark.thorough
def test_a_provider_started_by_hand_is_attached_to_and_outlives_the_run(stack: bare.Bare) -> None:
    module = [sys.executable, "-m", "tests.provider.gallery"]
    with subprocess.Popen(module, cwd=bare.ROOT, stdout=subprocess.PIPE, text=True) as provider:
        try:
            assert provider.stdout is not None
            attached = f"gallery:{int(provider.stdout.readline())}"
            stack.run(*IMPORT, "--generate-code=false", PULUMI_DEBUG_PROVIDERS=attached)
            kept = json.loads(stack.run("stack", "export"))["deployment"]["resources"]
            assert provider.poll() is None
        finally:
            provider.terminate()
    [picture] = [one for one in kept if one["type"] == "gallery:index:Picture"]
    assert picture["id"] == "Harbour"
    assert picture["outputs"]["alarmKey"] != "bell-and-whistle"


def test_the_checkout_and_the_installed_script_start_the_same_plugin() -> None:
    """One way to start: both say the schema of this very package."""
    checkout = bare.ROOT / "tools" / "plugin" / "pulumi-resource-moorage"
    environ = {**os.environ, "MOORAGE_PYTHON": sys.executable}
    said = [
        subprocess.run([str(one), "schema"], env=environ, capture_output=True, text=True)
        for one in (checkout, SCRIPT)
    ]
    assert said[0].stdout == said[1].stdout == json.dumps(schema.build(PACKAGE), indent=2) + "\n"
    assert [one.stderr for one in said] == ["", ""]


def filled(plain: Any) -> Any:
    """Without what is empty, which Pulumi leaves out."""
    if isinstance(plain, dict):
        members = {name: filled(value) for name, value in plain.items()}
        return {name: value for name, value in members.items() if value not in ({}, [], None)}
    return [filled(value) for value in plain] if isinstance(plain, list) else plain
