"""Plugins of other providers: fetched once where they are missed, and told of where they cannot."""

from __future__ import annotations

import io
import shlex
import shutil
import tarfile
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from moorage.cli.stacks import equipped
from moorage.deploy import plugins
from moorage.deploy.driver import Stack
from moorage.deploy.plugins import Plugin
from moorage.plan.load import Loaded, load
from tests.deploy.drive import MARKERS
from tests.deploy.project import Project

ROOT = Path(__file__).parents[2]
FETCHING = "fetching Pulumi's plugin random 1.2.3"


class Shop:
    """Where plugins are had, on loopback: Pulumi is told to ask here instead of at its own site."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.goods: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environ(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self._server.server_port}"
        return {"PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES": f".*={url}"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.lstrip("/").rpartition("-v")[0]
                shop.asked.append(name)
                body = shop.goods.get(name, b"")
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def boxed() -> bytes:
    """The marker provider as Pulumi's plugins come."""
    script = f"#!/bin/sh\nexec {shlex.join(MARKERS)}\n".encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("pulumi-resource-random")
        entry.size, entry.mode = len(script), 0o755
        tar.addfile(entry, io.BytesIO(script))
    return packed.getvalue()


def home(project: Project) -> Path:
    return Path(project.environ["PULUMI_HOME"]) / "plugins"


@pytest.mark.engine
def test_a_missing_plugin_is_fetched_once_for_the_program_and_for_the_state(
    project: Project, shop: Shop
) -> None:
    shop.goods["pulumi-resource-random"] = boxed()
    first = project.run("up", "bought", **shop.environ)
    assert first.code == 0, first.err
    assert first.err.count(FETCHING) == 1
    again = project.run("up", "bought", **shop.environ)
    assert again.code == 0, again.err
    assert "fetching" not in again.err
    shutil.rmtree(home(project))  # as on another machine, that takes the stack away
    gone = project.run("destroy", "one", **shop.environ)
    assert gone.code == 0, gone.err
    assert FETCHING in gone.err
    assert not (project.root / "far").exists()
    assert shop.asked == ["pulumi-resource-random"] * 2


@pytest.mark.engine
def test_where_it_cannot_be_had_the_ways_are_told(project: Project, shop: Shop) -> None:
    up = project.run("up", "bought", **shop.environ)
    assert up.code == 1, up.err
    assert "plugin random 1.2.3 cannot be fetched: " in up.err
    assert "404" in up.err
    assert "the provider random is not installed: name its folder in Pulumi.yaml" in up.fault


@pytest.mark.engine
@pytest.mark.thorough
def test_whoever_forbids_it_is_obeyed(project: Project, shop: Shop) -> None:
    up = project.run("up", "bought", **shop.environ, **{plugins.FORBIDDEN: "true"})
    assert "is not installed" in up.fault
    assert shop.asked == []


def test_a_state_tells_what_it_needs() -> None:
    """Also of a provider that is made of another one's plugin, as any Terraform provider is."""
    own = {"name": "bridge", "version": "0.9.0", "parameterization": "e30="}
    providers = {
        "pulumi:providers:docker": {"version": "5.2.0", "__internal": {}},
        "pulumi:providers:acme": {
            "version": "3.0.0",
            "__internal": {**own, "pluginDownloadURL": "https://plugins.example"},
        },
        "pulumi:providers:moorage": {},
        "docker:index/container:Container": {"version": "no plugin"},
    }
    resources = [{"type": type_, "inputs": inputs} for type_, inputs in providers.items()]
    assert list(plugins.of_state({"resources": resources})) == [
        Plugin(name="docker", version="5.2.0"),
        Plugin(name="bridge", version="0.9.0", server="https://plugins.example"),
    ]


def test_a_program_tells_what_its_plans_need() -> None:
    loaded = load([ROOT / "specs" / "docker"], root=ROOT, today=date(2026, 1, 1))
    stack = Stack(root=ROOT, name="docker", program=lambda: None)
    docker = Plugin(name="docker", version=metadata.version("pulumi-docker"))
    assert equipped(stack, loaded).others == (docker,)
    assert equipped(stack, Loaded(plans=(), problems=())).others == ()


def test_a_program_that_tells_nothing_needs_nothing(tmp_path: Path) -> None:
    stack = Stack(root=tmp_path, name="local", program=lambda: None)
    assert equipped(stack, Loaded(plans=(), problems=())).others == ()
