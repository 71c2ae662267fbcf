"""The servers that moorage starts: keys kept out of their commands, every flag a known one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.engines import SERVERS, Server, server
from components.engines.beside import start
from moorage.plan.catalogue import catalog
from moorage.plan.choice.said import takes
from moorage.plan.environment import KEYS
from moorage.plan.types import Placement, Plan, Weights
from moorage.spec.types import Pinned
from moorage.twin.hub import Repo, serve
from tests.components.programs import a_plan
from tests.plan.projects import CATALOG

KNOWN = catalog.read(CATALOG)
COMMIT, OTHER = "a" * 40, "b" * 40
TONE = Pinned(id="acme/tone", revision=OTHER, name="tone")
TEMPLATE = Pinned(id="acme/words", revision=OTHER)
TOKENIZER = Pinned(id="acme/tokens", revision=OTHER)
BESIDE: dict[str, Any] = {"adapters": (TONE,), "chat_template": TEMPLATE, "tokenizer": TOKENIZER}


def placed(engine: str, flags: dict[str, Any] | None = None, **options: Any) -> Placement:
    return Placement(
        name="p",
        kind="docker-host",
        engine=engine,
        flags=flags or {},
        weights=Weights(repo="acme/tiny", file="tiny-Q8_0.gguf") if engine == "llama.cpp" else None,
        options=options,
    )


def planned(**said: Any) -> Plan:
    return a_plan(revision=COMMIT, **said)


def made(engine: str, flags: dict[str, Any] | None = None, **said: Any) -> Server:
    return server(placed(engine, flags), planned(**said))


COMMANDS: dict[str, tuple[dict[str, Any], str]] = {
    "vllm": (
        {"max-model-len": 4096, "enable-prefix-caching": False},
        (
            "acme/tiny-gguf --no-enable-prefix-caching --host 0.0.0.0 --max-model-len 4096"
            f" --port 8000 --revision {COMMIT} --served-model-name acme/tiny-gguf"
        ),
    ),
    "sglang": (
        {"context-length": 4096},
        (
            "python3 -m sglang.launch_server --config /tmp/moorage.yaml --context-length 4096"
            " --host 0.0.0.0 --model-path acme/tiny-gguf --port 8000"
            f" --revision {COMMIT} --served-model-name acme/tiny-gguf"
        ),
    ),
    "tei": (
        {"auto-truncate": False},
        (
            "--auto-truncate false --hostname 0.0.0.0 --huggingface-hub-cache /cache/hub"
            f" --model-id acme/tiny-gguf --port 8000 --revision {COMMIT}"
            " --served-model-name acme/tiny-gguf"
        ),
    ),
    "llama.cpp": (
        {"ctx-size": 8192, "parallel": 4},
        (
            "--alias acme/tiny-gguf --ctx-size 8192 --host 0.0.0.0"
            f" --model-url https://huggingface.co/acme/tiny-gguf/resolve/{COMMIT}/tiny-Q8_0.gguf"
            " --parallel 4 --port 8000 --threads-http 6"
        ),
    ),
    "custom": ({"verbose": True}, "--verbose"),
}


@pytest.mark.parametrize("engine", COMMANDS)
def test_a_server_is_told_all_that_it_needs(engine: str) -> None:
    flags, words = COMMANDS[engine]
    assert " ".join(made(engine, flags).args) == words


def test_every_engine_of_a_container_is_told() -> None:
    for kind in ("docker-host", "ec2-gpu"):
        assert set(KNOWN.kinds[kind].engines) == set(SERVERS) == set(KEYS)


@pytest.mark.parametrize("engine", [name for name in COMMANDS if name != "custom"])
def test_every_flag_that_is_rendered_is_known_to_the_newest_version(engine: str) -> None:
    beside = BESIDE if engine in ("vllm", "sglang") else {}
    args = made(engine, COMMANDS[engine][0], trust_remote_code=True, **beside).args
    flags = [word[2:] for word in args if word.startswith("--")]
    known = KNOWN.engines[engine]
    newest = known.versions[0] if known.versions else None
    assert flags
    assert [flag for flag in flags if not takes(known, newest, flag)] == []


@pytest.mark.parametrize(
    ("engine", "variable"),
    [
        ("vllm", "VLLM_API_KEY"),
        ("sglang", "API_KEY"),
        ("tei", "API_KEY"),
        ("llama.cpp", "LLAMA_API_KEY"),
    ],
)
def test_the_key_is_a_variable_and_never_an_argument(engine: str, variable: str) -> None:
    found = made(engine)
    assert found.key_variable == variable
    assert "--api-key" not in found.args
    assert variable not in found.env


@pytest.mark.parametrize(
    ("version", "entrypoint"), [("0.11.0", ("vllm", "serve")), ("0.11.1", ()), (None, ())]
)
def test_images_before_vllm_served_itself_are_told_to(
    version: str | None, entrypoint: tuple[str, ...]
) -> None:
    """Their own entrypoint would overlook the model's name, and serve another one."""
    placement = Placement(name="p", kind="docker-host", engine="vllm", version=version)
    assert server(placement, planned()).entrypoint == entrypoint


def test_what_lies_beside_the_model_is_fetched_at_its_commit() -> None:
    found = made("vllm", **BESIDE)
    words = " ".join(found.args)
    folder = f"/cache/hub/beside/adapters/acme/tone/{OTHER}"
    template = f"/cache/hub/beside/templates/acme/words/{OTHER}/chat_template.jinja"
    assert words.startswith("vllm serve acme/tiny-gguf")
    assert f"--enable-lora --host 0.0.0.0 --lora-modules tone={folder}" in words
    assert f"--chat-template {template}" in words
    assert f"--tokenizer acme/tokens --tokenizer-revision {OTHER}" in words
    assert found.entrypoint == start()
    wanted = json.loads(found.env["MOORAGE_BESIDE"])
    assert [(row["what"], row["to"]) for row in wanted] == [
        ("adapter", folder),
        ("template", template),
    ]
    assert {row["revision"] for row in wanted} == {OTHER}


@pytest.mark.parametrize(
    ("engine", "called"), [("vllm", "tone"), ("sglang", "acme/tiny-gguf:tone")]
)
def test_an_adapter_has_a_name_that_each_engine_knows(engine: str, called: str) -> None:
    assert made(engine, **BESIDE).adapters == {"tone": called}
    assert made(engine).adapters == {}


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tei", "llama.cpp"])
def test_from_a_folder_of_the_host_nothing_is_fetched(engine: str) -> None:
    beside = BESIDE if engine in ("vllm", "sglang") else {}
    found = server(placed(engine, weights_path="/srv/tiny"), planned(**beside))
    assert found.env["HF_HUB_OFFLINE"] == "1"
    assert "MOORAGE_BESIDE" not in found.env
    words = " ".join(found.args)
    assert "/weights" in words
    assert "acme/tokens --" not in words
    assert COMMIT not in words
    assert "huggingface.co" not in words


def test_a_team_s_own_variables_have_the_last_word() -> None:
    placement = Placement(
        name="p", kind="docker-host", engine="vllm", env={"VLLM_CACHE_ROOT": "/elsewhere"}
    )
    assert server(placement, planned()).env["VLLM_CACHE_ROOT"] == "/elsewhere"


def test_code_of_a_repository_runs_only_where_the_spec_says_so() -> None:
    assert "--trust-remote-code" not in made("vllm").args
    assert "--trust-remote-code" in made("vllm", trust_remote_code=True).args


def test_an_engine_has_the_time_to_end_that_its_flag_says() -> None:
    assert made("vllm", {"shutdown-timeout": 90}).shutdown_seconds == 90
    assert made("tei").shutdown_seconds == 30


# The start program, as it runs in an engine's image.

SHOWS = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def started(tmp_path: Path, **env: str) -> tuple[list[str], dict[str, str]]:
    """What the engine is started with."""
    _, option, program = start()
    words = [sys.executable, "-c", SHOWS, "--flag", "value"]
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, option, program, *words],
        env={**plain, "HF_HOME": str(tmp_path / "hub"), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    args, seen = json.loads(done.stdout)
    return args, seen


def test_a_key_goes_into_a_file_that_only_the_engine_reads(tmp_path: Path) -> None:
    file = tmp_path / "moorage.yaml"
    args, seen = started(tmp_path, API_KEY='sk-it\'s "quoted"', MOORAGE_KEY_FILE=str(file))
    assert args == ["--flag", "value"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="utf-8") == 'api-key: "sk-it\'s \\"quoted\\""'
    assert "API_KEY" not in seen


def test_what_lies_beside_the_model_comes_from_the_hub(tmp_path: Path) -> None:
    tokenizer = json.dumps({"chat_template": "{{ the_tokenizer_s_own }}"})
    repos = {
        "acme/tone": Repo(files={"adapter_model.safetensors": b"tone"}),
        "acme/words": Repo(files={"chat_template.jinja": b"{{ words }}"}),
        "acme/tokens": Repo(files={"tokenizer_config.json": tokenizer.encode(), "w.bin": b"0"}),
    }
    with serve(repos) as hub:
        rows = [
            fetch("adapter", "acme/tone", tmp_path / "tone"),
            fetch("template", "acme/words", tmp_path / "a" / "words.jinja"),
            fetch("template", "acme/tokens", tmp_path / "b" / "own.jinja"),
            fetch("tokenizer", "acme/tokens", tmp_path / "tokens"),
        ]
        _, seen = started(tmp_path, HF_ENDPOINT=hub.url, MOORAGE_BESIDE=json.dumps(rows))
    assert (tmp_path / "tone" / "adapter_model.safetensors").read_bytes() == b"tone"
    assert (tmp_path / "a" / "words.jinja").read_text(encoding="utf-8") == "{{ words }}"
    assert (tmp_path / "b" / "own.jinja").read_text() == "{{ the_tokenizer_s_own }}"
    assert [path.name for path in (tmp_path / "tokens").glob("[!.]*")] == ["tokenizer_config.json"]
    assert "MOORAGE_BESIDE" not in seen


def fetch(what: str, repo: str, to: Path) -> dict[str, Any]:
    return {"what": what, "repo": repo, "revision": "main", "file": None, "to": str(to)}
