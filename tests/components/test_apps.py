"""Spaces by plans: an engine in one, an app in front of a service, and the templates themselves."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pulumi
import pytest
from msgspec import structs

from components import app, apps, hf_space
from moorage.errors import MoorageError
from moorage.plan.types import Machine, Placement, Weights
from moorage.provider.check import check
from moorage.provider.hugging_face.spaces import space
from moorage.provider.hugging_face.spaces.space_shape import SHAPE
from moorage.spec.language import SDKS, TEMPLATES
from moorage.spec.types import App
from moorage.twin import face
from tests.components.programs import SITE, a_plan, declare, revealed

ADDRESS = "https://gateway.example.com/v1"
PAINTERS = {"hf-inference": "acme/painter", "together": "together/painter"}
PLACEMENT = Placement(
    name="hf-space-1",
    kind="hf-space",
    engine="vllm",
    version="0.33.0",
    image="vllm/vllm-openai:v0.33.0",
    flags={"max-model-len": 2048},
    env={"VLLM_LOGGING_LEVEL": "INFO"},
    machine=Machine(offer="hf-space/l4x1"),
    options={"hardware": "l4x1", "namespace": "acme", "sleep_after": "1h", "visibility": "private"},
)


@pytest.fixture(autouse=True)
def _tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_deploys")
    monkeypatch.setenv("MOORAGE_HF_INFERENCE_TOKEN", "hf_asks")


def app_of(**options: Any) -> dict[str, Any]:
    plan = a_plan(app=App(options=options))

    def program() -> None:
        key = pulumi.Output.secret("sk-of-the-service")
        app.build(plan, site=SITE, address=ADDRESS, api_key=key, opts=pulumi.ResourceOptions())

    return declare(program)["hello-app"]


# --- the app of a spec


def test_an_app_talks_to_the_gateway_with_the_key_of_its_service() -> None:
    seen = app_of(hardware="cpu-upgrade", sleep_after="30m", namespace="acme")
    assert seen["variables"] == {
        "MOORAGE_GATEWAY_URL": ADDRESS,
        "MOORAGE_MODEL": "hello",
        "MOORAGE_TITLE": "hello",
    }
    assert revealed(seen["secrets"]) == {"MOORAGE_GATEWAY_KEY": "sk-of-the-service"}
    assert (seen["sdk"], seen["visibility"]) == ("gradio", "private")
    assert (seen["hardware"], seen["sleepSeconds"]) == ("cpu-upgrade", 1800)
    assert seen["owner"] == "moorage/story/hello-app"
    assert seen["name"].startswith("hello-story-")


def test_free_hardware_sleeps_as_it_likes() -> None:
    assert "sleepSeconds" not in app_of(sleep_after="30m")


@pytest.mark.parametrize("name", apps.TEMPLATES)
def test_what_an_app_declares_its_resource_takes(name: str) -> None:
    sdk = apps.TEMPLATES[name].sdk
    inputs = app_of(template=name, sdk=sdk)
    filled, failures = check(SHAPE.inputs, {**inputs, "secrets": {"MOORAGE_GATEWAY_KEY": "secret"}})
    assert not failures
    assert not space.HANDLER.check(filled)


def test_what_stands_in_the_way_of_an_app_is_told() -> None:
    def told(address: str = ADDRESS, **options: Any) -> str:
        return "; ".join(app.lacks(a_plan(app=App(options=options)), address))

    assert not told()
    assert "there is no template shop; there are chat, streamlit" in told(template="shop")
    assert "template streamlit is made with sdk docker, not gradio" in told(template="streamlit")
    assert "is for a program of your own" in told(template="gateway", sdk="docker")
    assert "set moorage:gatewayAddress" in told("http://127.0.0.1:8700/v1")
    assert not list(app.lacks(a_plan(), "http://127.0.0.1:8700/v1"))


@pytest.mark.parametrize(
    ("address", "is_reachable"),
    [
        ("https://gateway.example.com/v1", True),
        ("http://gateway.example.com:8080/v1", True),
        ("http://gateway.example.com/v1", True),
        ("https://gateway.example.com:8443/v1", False),
        ("http://127.0.0.1:8080/v1", False),
        ("http://10.0.0.5:8080/v1", False),
        ("http://localhost:8080/v1", False),
        ("http://gateway.internal/v1", False),
        ("gateway", False),
    ],
)
def test_only_public_addresses_on_three_ports_are_reached(address: str, is_reachable: bool) -> None:
    assert app.is_reachable(address) == is_reachable


# --- an engine in a Space


def test_an_engine_gets_a_container_of_its_own() -> None:
    plan = a_plan(PLACEMENT, revision="a" * 40, model_id="acme/tiny")
    made: list[Any] = []

    def program() -> None:
        opts = pulumi.ResourceOptions()
        made.extend(hf_space.build(PLACEMENT, plan=plan, site=SITE, weights=None, opts=opts))

    seen = declare(program)["hello-hf-space-1"]
    assert [(one.name, one.kind) for one in made] == [("hf-space-1", "hf-space")]
    assert (seen["sdk"], seen["hardware"], seen["sleepSeconds"]) == ("docker", "l4x1", 3600)
    assert (seen["namespace"], seen["readyPath"]) == ("acme", "/health")
    assert seen["variables"] == {"VLLM_LOGGING_LEVEL": "INFO"}
    lines = seen["files"]["Dockerfile"].splitlines()
    assert lines[0] == "FROM vllm/vllm-openai:v0.33.0"
    command = json.loads(lines[-1].removeprefix("CMD "))
    assert command == [
        *("--model", "acme/tiny", "--revision", "a" * 40),
        *("--host", "0.0.0.0", "--port", "7860", "--max-model-len", "2048"),
    ]


PINNED_FILE = f"https://huggingface.co/acme/tiny/resolve/{'a' * 40}/tiny.gguf"


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("tei", ["--model-id", "acme/tiny", "--revision", "a" * 40, "--hostname", "0.0.0.0"]),
        ("llama.cpp", ["--model-url", PINNED_FILE, "--alias", "acme/tiny"]),
    ],
)
def test_each_engine_is_told_in_its_own_words(engine: str, words: list[str]) -> None:
    weights = Weights(repo="acme/tiny", file="tiny.gguf")
    placement = structs.replace(PLACEMENT, engine=engine, flags={}, weights=weights)
    plan = a_plan(placement, revision="a" * 40, model_id="acme/tiny")
    text = hf_space.dockerfile(placement, plan)
    command = json.loads(text.splitlines()[-1].removeprefix("CMD "))
    assert command[: len(words)] == words
    assert "ENTRYPOINT" not in text


def test_what_an_engine_in_a_space_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(hf_space.lacks(PLACEMENT))
    options = {**PLACEMENT.options, "secrets": {"KEY": "MOORAGE_NOT_SET"}}
    told = "; ".join(hf_space.lacks(structs.replace(PLACEMENT, image=None, options=options)))
    assert "the environment has no MOORAGE_NOT_SET" in told
    assert "engine vllm has no image" in told


# --- the templates


def test_the_language_names_the_templates_that_there_are_for_specs() -> None:
    usable = {name: row.sdk for name, row in apps.TEMPLATES.items() if row.is_for_specs}
    assert tuple(usable) == TEMPLATES
    assert set(usable.values()) == set(SDKS)


@pytest.mark.parametrize("name", apps.TEMPLATES)
def test_every_template_is_whole(name: str) -> None:
    files = apps.files(name)
    needed = {"gradio": {"app.py", "requirements.txt"}, "docker": {"Dockerfile"}}
    assert needed[apps.TEMPLATES[name].sdk] <= {*files}
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_an_unknown_template_is_one_line() -> None:
    with pytest.raises(MoorageError, match="there is no template shop"):
        apps.files("shop")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    def load(path: str, **environment: str) -> ModuleType:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        file = Path(apps.__file__).with_name("templates") / path
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def twin() -> Iterator[face.Twin]:
    providers = {
        name: {"status": "live", "task": "text-to-image", "providerId": own_id}
        for name, own_id in PAINTERS.items()
    }
    painter = face.Repo(pipeline_tag="text-to-image", providers=providers)
    with face.serve(face.Scenario(repos={"acme/painter": painter})) as running:
        yield running


def _engine(twin: face.Twin) -> str:
    image = {"vLLM": {"url": "docker.io/vllm/vllm-openai:v0.33.0"}}
    model = {"repository": "acme/tiny", "framework": "pytorch", "image": image}
    twin.plant("acme", "chat", model=model)
    return str(twin.endpoints["acme/chat"].raw["status"]["url"])


HELLO = [{"role": "user", "content": "say hello"}]


def test_a_chat_grows_piece_by_piece(twin: face.Twin, loaded: Callable[..., ModuleType]) -> None:
    gateway = loaded(
        "shared/gateway.py",
        MOORAGE_GATEWAY_URL=f"{_engine(twin)}/v1",
        MOORAGE_GATEWAY_KEY="hf_twin_ann",
        MOORAGE_MODEL="acme/tiny",
    )
    seen = list(gateway.growing(gateway.chat(HELLO)))
    assert len(seen) > 1
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))


@pytest.mark.parametrize(
    ("key", "fault", "words"),
    [
        ("hf_nobody", None, "The gateway answered 401: "),
        ("hf_twin_ann", face.Fault(host="engines", does="drop"), "The answer broke off: "),
        ("hf_twin_ann", face.Fault(host="engines", status=503), "The gateway answered 503: "),
    ],
)
def test_a_fault_of_a_chat_is_a_line_for_people(
    twin: face.Twin,
    loaded: Callable[..., ModuleType],
    key: str,
    fault: face.Fault | None,
    words: str,
) -> None:
    url = f"{_engine(twin)}/v1"
    gateway = loaded("shared/gateway.py", MOORAGE_GATEWAY_URL=url, MOORAGE_GATEWAY_KEY=key)
    if fault:
        twin.faults.append(fault)
    [line] = gateway.growing(gateway.chat(HELLO))
    assert line.startswith(words)


def test_a_gateway_that_is_not_there_is_a_line_for_people(
    loaded: Callable[..., ModuleType],
) -> None:
    gateway = loaded("shared/gateway.py", MOORAGE_GATEWAY_URL="http://127.0.0.1:9/v1")
    assert list(gateway.growing(gateway.chat(HELLO))) == ["The gateway cannot be reached."]
    gateway = loaded("shared/gateway.py", MOORAGE_GATEWAY_URL="")
    [line] = gateway.growing(gateway.chat(HELLO))
    assert line == "MOORAGE_GATEWAY_URL is not set in this Space."


def test_a_picture_is_painted(twin: face.Twin, loaded: Callable[..., ModuleType]) -> None:
    url = f"{twin.urls['router']}/hf-inference/models/acme/painter"
    painter = loaded(
        "text-to-image/painter.py", MOORAGE_IMAGES_URL=url, MOORAGE_IMAGES_TOKEN="hf_twin_ann"
    )
    assert painter.paint("a boat").startswith(b"\x89PNG")
    twin.faults.append(face.Fault(host="router", status=503))
    with pytest.raises(painter.PainterError, match="The model answered 503"):
        painter.paint("a boat")


def test_a_picture_is_painted_behind_the_gateway(
    twin: face.Twin, loaded: Callable[..., ModuleType]
) -> None:
    painter = loaded(
        "text-to-image/painter.py",
        MOORAGE_GATEWAY_URL=f"{twin.urls['router']}/together/v1",  # in the same form
        MOORAGE_GATEWAY_KEY="hf_twin_ann",
        MOORAGE_MODEL="together/painter",
        MOORAGE_IMAGES_URL="",
    )
    assert painter.paint("a boat").startswith(b"\x89PNG")
    twin.faults.append(face.Fault(host="router", does="garbage"))
    with pytest.raises(painter.PainterError, match="no picture"):
        painter.paint("a boat")
    nowhere = loaded("text-to-image/painter.py", MOORAGE_GATEWAY_URL="", MOORAGE_IMAGES_URL="")
    with pytest.raises(nowhere.PainterError, match="Neither"):
        nowhere.paint("a boat")


def _routes(url: str) -> str:
    backend = {"name": "local-1", "url": url, "model": "m", "api_key": None}
    service = {
        "name": "hello",
        "models": ["hello"],
        "task": "text-generation",
        "api_key": "sk-of-the-service",
        "backends": [backend],
    }
    told = {"version": 1, "listen": {"host": "127.0.0.1", "port": 1}, "services": [service]}
    return json.dumps(told)


def _start(folder: Path, **environment: str) -> subprocess.Popen[str]:
    for path, text in apps.files("gateway").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    known = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.Popen(
        [sys.executable, "start.py"],
        cwd=folder,
        env={**known, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_gateway_runs_as_the_app_of_a_space(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    routes = _routes("http://127.0.0.1:8080/v1")
    with _start(tmp_path, MOORAGE_ROUTES=routes, PORT=str(port)) as process:
        try:
            assert _health(port)["status"] == "ok"
            assert (tmp_path / "routes.json").stat().st_mode & 0o077 == 0
            models = httpx.get(
                f"http://127.0.0.1:{port}/v1/models",
                headers={"Authorization": "Bearer sk-of-the-service"},
            )
            assert [one["id"] for one in models.json()["data"]] == ["hello"]
        finally:
            process.terminate()


def _health(port: int) -> Any:
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health").json()
        except httpx.HTTPError:
            time.sleep(0.05)
    pytest.fail("the gateway does not come up")


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ("", "set this secret to the gateway's routes, as JSON"),
        ("{}", "set this secret to the gateway's routes, as JSON"),
        (_routes("http://10.0.0.1:8000/v1"), "local-1: a Space reaches the ports 80, 443 and 8080"),
    ],
)
def test_routes_that_a_space_cannot_use_are_one_line(
    tmp_path: Path, routes: str, words: str
) -> None:
    with _start(tmp_path, MOORAGE_ROUTES=routes) as process:
        _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert words in said
    assert "Traceback" not in said
