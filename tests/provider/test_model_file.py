"""ModelFile: by path, from the Hub's twin with its digest proven, or generated without a Hub."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from moorage.engine import tiny
from moorage.provider.handlers import model_file
from moorage.provider.values import decode
from moorage.twin import hub
from tests.provider.client import Client, EngineEar, Refused, plugin

TOKEN = "moorage:index:ModelFile"
COMMIT = "a" * 40
WEIGHTS = b"GGUF" + bytes(range(256)) * 8000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens

Make = Callable[..., dict[str, Any]]


def hub_inputs(**changes: Any) -> dict[str, Any]:
    declared = {
        "repo": "acme/tiny-GGUF",
        "revision": COMMIT,
        "file": "tiny.gguf",
        "sha256": SHA256,
        "sizeBytes": len(WEIGHTS),
        "task": "text-generation",
        "offline": "refuse",
    }
    return {k: v for k, v in {**declared, **changes}.items() if v is not None}


@pytest.fixture
def twin() -> Iterator[hub.Hub]:
    repo = hub.Repo(files={"tiny.gguf": WEIGHTS, "other.gguf": b"no weights"}, revision=COMMIT)
    gated = hub.Repo(files={"tiny.gguf": WEIGHTS}, revision=COMMIT, gated="manual")
    with hub.serve({"acme/tiny-GGUF": repo, "acme/gated": gated}) as running:
        yield running


@contextmanager
def asking(ear: EngineEar, home: Path, endpoint: str, **more: str) -> Iterator[Client]:
    """A plugin whose Hub is at this address."""
    with plugin(ear, home, HF_ENDPOINT=endpoint, HF_HUB_DISABLE_XET="1", **more) as client:
        client.token = TOKEN
        yield client


def test_a_path_is_taken_as_it_is(ear: EngineEar, tmp_path: Path) -> None:
    path = tmp_path / "my-model.Q4.gguf"
    path.write_bytes(WEIGHTS)
    wanted = {"path": str(path), "task": "text-generation", "offline": "refuse"}
    with asking(ear, tmp_path, NOWHERE) as client:
        made = client.create(wanted)
        state = decode(made.properties).plain
        assert made.id == str(path)
        assert state["localPath"] == str(path)
        assert state["sha256Actual"] == SHA256
        assert (state["source"], state["servedModel"]) == ("path", "my-model.Q4")
        path.write_bytes(WEIGHTS + b"more")
        found = decode(client.read(made.id, state, wanted).properties).plain
        assert found["drift"] == "the file was changed"
        client.delete(made.id, state)
        assert path.exists()
        path.unlink()
        assert not client.read(made.id, state, wanted).HasField("properties")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot read the model file: No such file"), (b"<html>", "not a GGUF file")],
)
def test_a_path_that_leads_nowhere_good_is_one_line(
    ear: EngineEar, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with asking(ear, tmp_path, NOWHERE) as client, pytest.raises(Refused, match=message):
        client.create({"path": str(path), "task": "text-generation"})


def test_a_file_of_the_hub_is_fetched_once_and_proven(
    ear: EngineEar, tmp_path: Path, twin: hub.Hub
) -> None:
    with asking(ear, tmp_path, twin.url) as client:
        made = client.create(hub_inputs())
        state = decode(made.properties).plain
        assert Path(state["localPath"]).read_bytes() == WEIGHTS
        assert Path(state["localPath"]).is_relative_to(tmp_path / "hf")
        assert (state["source"], state["servedModel"]) == ("hub", "acme/tiny-GGUF")
        assert any("downloading acme/tiny-GGUF/tiny.gguf: " in text for text in ear.texts())
        assert not decode(client.read(made.id, state, hub_inputs()).properties).plain.get("drift")
        client.delete(made.id, state)
        assert Path(state["localPath"]).exists()
    asked = len(twin.requests)
    with asking(ear, tmp_path, NOWHERE) as offline:
        assert decode(offline.create(hub_inputs()).properties).plain["source"] == "hub"
    assert len(twin.requests) == asked


def test_a_wrong_digest_is_named_and_not_served(
    ear: EngineEar, tmp_path: Path, twin: hub.Hub
) -> None:
    wrong = hub_inputs(sha256="0" * 64)
    expected = f"its sha256 is {SHA256}, not {'0' * 64}; correct the spec or its lock"
    with asking(ear, tmp_path, twin.url) as client, pytest.raises(Refused, match=expected):
        client.create(wrong)


def test_a_file_damaged_in_the_cache_is_removed_and_fetched_anew(
    ear: EngineEar, tmp_path: Path, twin: hub.Hub
) -> None:
    with asking(ear, tmp_path, twin.url) as client:
        path = Path(decode(client.create(hub_inputs()).properties).plain["localPath"])
        path.resolve().write_bytes(b"GGUF and rot")
        with pytest.raises(Refused, match="the damaged file was removed from the cache, run up"):
            client.create(hub_inputs())
        client.create(hub_inputs())
        assert path.read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repo": "acme/none"}, "acme/none: no such repository, or a private one"),
        ({"repo": "acme/gated"}, "acme/gated: gated; accept its terms at http.*acme/gated and set"),
        ({"revision": "b" * 40}, "acme/tiny-GGUF: has no revision bbbb"),
        ({"file": "none.gguf"}, "acme/tiny-GGUF/none.gguf: no such file at aaaa"),
        ({"sizeBytes": 5}, f"has {len(WEIGHTS)} bytes, not 5"),
        ({"file": "other.gguf", "sha256": None, "sizeBytes": None}, "not a GGUF file"),
    ],
    ids=["repository", "gated", "revision", "file", "size", "kind"],
)
def test_what_the_hub_refuses_is_one_line(
    ear: EngineEar, tmp_path: Path, twin: hub.Hub, changes: dict[str, Any], message: str
) -> None:
    with asking(ear, tmp_path, twin.url) as client, pytest.raises(Refused, match=message):
        client.create(hub_inputs(offline="tiny", **changes))


def test_without_the_hub_and_without_leave_it_is_refused(ear: EngineEar, tmp_path: Path) -> None:
    message = f"acme/tiny-GGUF/tiny.gguf: not cached, and {NOWHERE} cannot be reached: Connection"
    with asking(ear, tmp_path, NOWHERE) as client, pytest.raises(Refused, match=message):
        client.create(hub_inputs())


@pytest.mark.parametrize("environment", [{}, {"HF_HUB_OFFLINE": "1"}], ids=["away", "offline"])
def test_without_the_hub_the_tiny_model_stands_in_and_says_so(
    ear: EngineEar, tmp_path: Path, environment: dict[str, str]
) -> None:
    with asking(ear, tmp_path, NOWHERE, **environment) as client:
        made = client.create(hub_inputs(offline="tiny"))
    state = decode(made.properties).plain
    cached = tmp_path / "cache" / "moorage" / tiny.file_name("text-generation")
    assert state["localPath"] == str(cached)
    assert state["sha256Actual"] == tiny.SHA256["chat"]
    assert (state["source"], state["servedModel"]) == ("generated", "moorage/tiny-chat")
    [warning] = [line.message for line in ear.lines if line.severity == 2]
    assert warning.endswith("serving the generated moorage/tiny-chat instead of acme/tiny-GGUF")


def test_when_the_hub_answers_again_the_stand_in_is_seen_and_replaced(
    ear: EngineEar, tmp_path: Path, twin: hub.Hub
) -> None:
    wanted = hub_inputs(offline="tiny")
    twin.status = 503
    with asking(ear, tmp_path, twin.url) as client:
        made = client.create(wanted)
        state = decode(made.properties).plain
        assert state["source"] == "generated"
        still = decode(client.read(made.id, state, wanted).properties).plain
        assert "drift" not in still
    twin.status = None
    with asking(ear, tmp_path, twin.url) as client:
        found = decode(client.read(made.id, state, wanted).properties).plain
        assert found["drift"] == "the Hub answers again"
        state = decode(client.update(made.id, found, wanted).properties).plain
    assert (state["source"], state["servedModel"]) == ("hub", "acme/tiny-GGUF")
    assert "drift" not in state


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"path": "/m.gguf", "repo": "a/b", "revision": "c", "file": "d"},
        {"repo": "a/b", "file": "d"},
    ],
    ids=["nothing", "both", "half"],
)
def test_either_a_path_or_a_whole_hub_file_is_needed(given: dict[str, Any]) -> None:
    [failure] = model_file.check({"task": "text-generation", **given})
    assert failure.reason == "give either path, or repo with revision and file"


def test_a_preview_knows_what_a_path_will_be() -> None:
    outputs = model_file.preview({"path": "/models/my.gguf", "task": "text-generation"}, None)
    assert outputs["servedModel"] == "my"
    assert outputs["localPath"] == os.fspath(Path("/models/my.gguf"))


def test_a_file_tells_its_own_task_and_digest_when_it_is_imported(
    ear: EngineEar, tmp_path: Path
) -> None:
    with asking(ear, tmp_path, NOWHERE) as client:
        for task, flavour in [("text-generation", "chat"), ("feature-extraction", "embedding")]:
            path = tmp_path / f"{flavour}.gguf"
            tiny.write(task, path)
            found = client.read(str(path), {}, {})
            inputs = decode(found.inputs).plain
            assert (inputs["task"], inputs["sha256"]) == (task, tiny.SHA256[flavour])
            assert decode(found.properties).plain["servedModel"] == flavour
            without = {k: v for k, v in inputs.items() if k not in ("sha256", "sizeBytes")}
            assert not client.diff(inputs, without).detailedDiff
        assert not client.read("acme/none@main/none.gguf", {}, {}).HasField("properties")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 40], ids=len)
def test_a_header_that_is_broken_is_one_line(
    ear: EngineEar, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with asking(ear, tmp_path, NOWHERE) as client, pytest.raises(Refused, match="not a GGUF file"):
        client.read(str(path), {}, {})
