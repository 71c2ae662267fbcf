"""`moorage lock` as a team runs it: everything that a spec names is locked, and watched."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from moorage.twin.hub import Hub, Repo, serve
from tests import warm
from tests.hub.making import safetensors

MODEL, LORA, WORDS, ASKED = (digit * 40 for digit in "1234")
SPEC = f"""\
apiVersion: moorage/v1
kind: ModelService
name: chat
team: t
model:
  id: acme/chat
  revision: {MODEL}
  adapters:
    - {{id: acme/lora, revision: {LORA}, name: polite}}
  tokenizer: {{id: acme/words, revision: {WORDS}}}
providers: [{{kind: hf-router, provider: together}}]
evaluations:
  - {{dataset: {{id: acme/questions, revision: {ASKED}}}, metric: exact-match, at_least: 0.5}}
"""
TOGETHER: dict[str, Any] = {
    "status": "live",
    "task": "conversational",
    "providerId": "acme/chat",
    "pricing": {"input": 0.1, "output": 0.3},
}
ROUTE, CHEAP, DEAR = "the router's provider", "$0.1 per Mtok", "$0.2 per Mtok"
REPOS = {
    "acme/chat": Repo(
        files={
            "model.safetensors": safetensors({"model.layers.0.a.weight": ("BF16", [4, 4])}),
            "config.json": b'{"architectures": ["LlamaForCausalLM"], "hidden_size": 4}',
            "chat_template.jinja": b"{{ messages }}",
        },
        revision=MODEL,
        license="llama3.1",
        gated="manual",
        readers=("hf_reader",),
        providers={"together": TOGETHER, "groq": TOGETHER},
    ),
    "acme/lora": Repo(
        files={
            "adapter_model.safetensors": safetensors({"a": ("F32", [2])}),
            "adapter_config.json": b'{"r": 8, "base_model_name_or_path": "acme/chat"}',
        },
        revision=LORA,
        license="mit",
    ),
    "acme/words": Repo(files={"tokenizer.json": b"{}"}, revision=WORDS),
    "datasets/acme/questions": Repo(files={"a.jsonl": b"{}"}, revision=ASKED),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "chat.yaml").write_text(SPEC)
    return tmp_path


@contextmanager
def hub_with(changed: Mapping[str, Repo] | None = None) -> Iterator[Hub]:
    with serve({**REPOS, **(changed or {})}) as twin:
        yield twin


def lock(
    project: Path, twin: Hub, *arguments: str, token: str = "hf_reader"
) -> subprocess.CompletedProcess[str]:
    settings = {
        "HF_ENDPOINT": twin.url,
        "MOORAGE_HF_ROUTER_URL": twin.url,
        "HF_HOME": str(project / "home"),
        "HF_TOKEN": token,
    }
    return warm.moorage("lock", *arguments, cwd=project, env={**os.environ, **settings})


def test_everything_that_a_spec_names_is_locked_and_no_token_is(project: Path) -> None:
    with hub_with() as twin:
        done = lock(project, twin)
    assert (done.returncode, done.stdout, done.stderr) == (0, "specs/chat.lock.json: written\n", "")
    text = (project / "specs" / "chat.lock.json").read_text()
    model = json.loads(text)["model"]
    assert (model["license"], model["gated"], model["access"]) == (
        "LicenseRef-llama3.1",
        "manual",
        True,
    )
    assert [row["provider"] for row in model["routes"]] == ["groq", "together"]
    assert {row["role"]: row["revision"] for row in model["references"]} == {
        "adapter": LORA,
        "tokenizer": WORDS,
        "dataset": ASKED,
    }
    assert model["tensors"][0]["name"] == "model.layers.*.a.weight"
    assert "hf_reader" not in text


def test_each_thing_that_moved_upstream_is_a_problem_of_its_own(project: Path) -> None:
    with hub_with() as twin:
        lock(project, twin)
    before = (project / "specs" / "chat.lock.json").read_text()
    dearer = TOGETHER | {"pricing": {"input": 0.2, "output": 0.3}}
    chat = dataclasses.replace(
        REPOS["acme/chat"], license="mit", gated=False, providers={"together": dearer}
    )
    lora = dataclasses.replace(REPOS["acme/lora"], gated="auto")
    with hub_with({"acme/chat": chat, "acme/lora": lora}) as twin:
        moved = lock(project, twin, "--check", token="")
    assert moved.returncode == 1
    assert moved.stdout.splitlines() == [
        f"specs/chat.lock.json:1:1 lock-moved: {says}; review, `moorage lock`"
        for says in (
            "adapter acme/lora: access was yes, is no",
            "adapter acme/lora: gated was no, is auto",
            "gated was manual, is no",
            "license was LicenseRef-llama3.1, is MIT",
            f"the input price of {ROUTE} together (conversational) was {CHEAP}, is {DEAR}",
            f"{ROUTE} groq (conversational) was live, is gone",
        )
    ]
    assert (project / "specs" / "chat.lock.json").read_text() == before


def test_a_lock_that_still_holds_says_so(project: Path) -> None:
    with hub_with() as twin:
        lock(project, twin)
        again = lock(project, twin, "--check")
    assert (again.returncode, again.stdout) == (
        0,
        "specs/chat.lock.json: nothing has moved upstream\n",
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            f", revision: {LORA}",
            "",
            f"9:7 revision-missing: the main branch stands at {LORA} today",
        ),
        (
            WORDS,
            "main",
            f"10:41 revision-missing: 'main' stands at {WORDS} today; write 'revision:",
        ),
        (ASKED, "main", f"revision-missing: 'main' stands at {ASKED} today"),
        ("acme/lora", "acme/lara", "9:12 hub-refused: acme/lara: the Hub has no such repository"),
        ("acme/questions", "acme/chat", "hub-refused: acme/chat: the Hub has no such repository"),
    ],
)
def test_other_repositories_are_pinned_like_the_model(
    project: Path, old: str, new: str, says: str
) -> None:
    (project / "specs" / "chat.yaml").write_text(SPEC.replace(old, new))
    with hub_with() as twin:
        done = lock(project, twin)
    assert done.returncode == 1
    assert says in done.stdout
    assert not (project / "specs" / "chat.lock.json").exists()


def test_a_gated_model_without_access_is_locked_as_such(project: Path) -> None:
    with hub_with() as twin:
        assert lock(project, twin, token="").returncode == 0
    model = json.loads((project / "specs" / "chat.lock.json").read_text())["model"]
    assert (model["access"], "tensors" in model) == (False, False)


def test_one_bad_spec_keeps_no_other_from_its_lock(project: Path) -> None:
    specs = project / "specs"
    (specs / "a-bad.yaml").write_text(SPEC.replace("acme/chat", "acme/none"))
    (specs / "b-unwritable.yaml").write_text(SPEC)
    (specs / "b-unwritable.lock.json").mkdir()
    with hub_with() as twin:
        done = lock(project, twin)
    assert done.returncode == 2
    assert "specs/a-bad.yaml:6:7 hub-refused: acme/none" in done.stdout
    assert "specs/chat.lock.json: written" in done.stdout
    assert done.stderr == (
        "moorage: specs/b-unwritable.lock.json: cannot be written: Is a directory\n"
    )


def test_the_prices_that_were_used_are_locked_and_watched(project: Path) -> None:
    spec = SPEC.replace(
        "{kind: hf-router, provider: together}",
        "{kind: hf-endpoint, vendor: aws, region: eu-west-1, gpu: nvidia-l4}",
    )
    (project / "specs" / "chat.yaml").write_text(spec)
    path = project / "specs" / "chat.lock.json"
    with hub_with() as twin:
        assert lock(project, twin).returncode == 0
        (offer,) = json.loads(path.read_text())["offers"]
        path.write_text(path.read_text().replace(f'"usd": "{offer["usd"]}"', '"usd": "0.01"'))
        moved = lock(project, twin, "--check")
    assert offer["key"].startswith("hf-endpoint/aws/")
    assert moved.stdout == (
        f"specs/chat.lock.json:1:1 lock-moved: the offer {offer['key']} was $0.01 per hour, is "
        f"${offer['usd']} per hour; review, `moorage lock`\n"
    )
