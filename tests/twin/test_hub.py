"""The Hub's twin answers the real client as the Hub would."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from moorage.twin.hub import Hub, Repo, serve

WEIGHTS = b"GGUF" + bytes(range(256)) * 4000
HEADER = b'{"a.weight": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}}'
HEADED = len(HEADER).to_bytes(8, "little") + HEADER + bytes(12)
REPOS = {
    "acme/tiny-GGUF": Repo(
        files={"tiny.gguf": WEIGHTS, "README.md": b"# tiny"},
        license="apache-2.0",
        refs={"v1": "a" * 40},
    ),
    "acme/gated": Repo(files={"w.gguf": b"GGUF"}, gated="manual", readers=("hf_reader",)),
    "acme/private": Repo(files={"w.gguf": b"GGUF"}, private=True, readers=("hf_reader",)),
    "acme/moe": Repo(
        files={"model.safetensors": HEADED, "config.json": b"{}"},
        revision="d" * 40,
        earlier={"e" * 40: {"config.json": b'{"older": true}'}},
        license="other",
        license_name="acme-1.0",
        providers={
            "together": {
                "status": "live",
                "task": "conversational",
                "providerId": "acme/moe-turbo",
                "context_length": 8192,
                "pricing": {"input": 0.1, "output": 0.3},
            }
        },
    ),
    "datasets/acme/tiny-GGUF": Repo(files={"test.jsonl": b"{}"}, license="cc0-1.0"),
    "acme/liar": Repo(files={"w.gguf": b"GGUF"}, sha256={"w.gguf": "0" * 64}),
}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    with serve(REPOS, tokens=("hf_somebody",)) as hub:
        yield hub


def download(twin: Hub, into: Path, repo: str, file: str, **more: object) -> Path:
    arguments = {"token": False, **more}
    path = hf_hub_download(repo, file, endpoint=twin.url, cache_dir=into, **arguments)  # type: ignore[call-overload]
    return Path(path)


def test_model_info_tells_commit_licence_size_and_digest(twin: Hub) -> None:
    info = HfApi(endpoint=twin.url, token=False).model_info("acme/tiny-GGUF", files_metadata=True)
    assert info.sha == twin.commit("acme/tiny-GGUF")
    assert info.card_data is not None
    assert info.card_data.license == "apache-2.0"
    weights = next(file for file in info.siblings or () if file.rfilename == "tiny.gguf")
    assert weights.size == len(WEIGHTS)
    assert weights.lfs is not None
    assert weights.lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()


def test_a_file_of_weights_downloads_at_its_commit(twin: Hub, tmp_path: Path) -> None:
    commit = twin.commit("acme/tiny-GGUF")
    path = download(twin, tmp_path, "acme/tiny-GGUF", "tiny.gguf", revision=commit)
    assert path.read_bytes() == WEIGHTS
    assert commit in str(path)
    assert path.resolve().name == hashlib.sha256(WEIGHTS).hexdigest()


def test_a_small_file_downloads_without_a_redirect(twin: Hub, tmp_path: Path) -> None:
    assert download(twin, tmp_path, "acme/tiny-GGUF", "README.md").read_bytes() == b"# tiny"


def test_what_is_missing_is_refused_as_the_hub_does(twin: Hub, tmp_path: Path) -> None:
    api = HfApi(endpoint=twin.url, token=False)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("acme/nothing")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("acme/private")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("acme/tiny-GGUF", revision="b" * 40)
    with pytest.raises(RemoteEntryNotFoundError):
        download(twin, tmp_path, "acme/tiny-GGUF", "other.gguf")


def test_gated_files_need_a_reader_but_their_facts_do_not(twin: Hub, tmp_path: Path) -> None:
    assert HfApi(endpoint=twin.url, token=False).model_info("acme/gated").gated == "manual"
    for token in (False, "hf_somebody"):
        with pytest.raises(GatedRepoError):
            download(twin, tmp_path, "acme/gated", "w.gguf", token=token)
    assert download(twin, tmp_path, "acme/gated", "w.gguf", token="hf_reader").exists()
    assert HfApi(endpoint=twin.url, token="hf_reader").model_info("acme/private").private


def test_an_unknown_token_is_refused(twin: Hub) -> None:
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=twin.url, token="hf_nobody").model_info("acme/tiny-GGUF")


def test_a_broken_download_fails_and_a_later_one_is_whole(twin: Hub, tmp_path: Path) -> None:
    twin.cut_after_bytes = 300_000
    request = urllib.request.Request(f"{twin.url}/acme/tiny-GGUF/resolve/main/tiny.gguf")
    with urllib.request.urlopen(request) as answer, pytest.raises(http.client.IncompleteRead):
        answer.read()
    twin.cut_after_bytes = None
    assert download(twin, tmp_path, "acme/tiny-GGUF", "tiny.gguf").read_bytes() == WEIGHTS


def test_a_range_of_a_file_is_served(twin: Hub) -> None:
    """Clients go on after an interruption with `Range`."""
    headers = {"Range": "bytes=1000000-"}
    url = f"{twin.url}/acme/tiny-GGUF/resolve/main/tiny.gguf"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        assert answer.status == 206
        assert answer.read() == WEIGHTS[1_000_000:]


def test_the_twin_can_lie_about_a_digest_and_can_be_down(twin: Hub, tmp_path: Path) -> None:
    assert download(twin, tmp_path, "acme/liar", "w.gguf").resolve().name == "0" * 64
    twin.status = 503
    with pytest.raises(HfHubHTTPError, match="503"):
        HfApi(endpoint=twin.url, token=False).model_info("acme/liar")


def test_a_taken_port_is_an_error_of_the_system(twin: Hub) -> None:
    port = int(twin.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), serve({}, port=port):
        pass


def test_the_process_serves_a_folder_to_a_client_in_another_process(tmp_path: Path) -> None:
    """HF_ENDPOINT is all that a program needs."""
    folder = tmp_path / "repos" / "acme" / "tiny"
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(WEIGHTS)
    (folder / ".repo.json").write_text(json.dumps({"revision": "c" * 40, "license": "mit"}))
    command = [sys.executable, "-m", "moorage.twin", "--repos", str(tmp_path / "repos")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            exported = (line.removeprefix("export ") for line in iter(process.stdout.readline, ""))
            url = next(line for line in exported if line.startswith("HF_ENDPOINT="))
            url = url.partition("=")[2].strip()
            code = (
                "from huggingface_hub import hf_hub_download as get;"
                "print(get('acme/tiny', 'tiny.gguf', revision='" + "c" * 40 + "'))"
            )
            environment = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "home")}
            client = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True
            )
            assert Path(client.stdout.strip()).read_bytes() == WEIGHTS, client.stderr
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "moorage.twin", "--repos", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_the_client_reads_a_header_by_ranges_at_a_commit(twin: Hub) -> None:
    api = HfApi(endpoint=twin.url, token=False)
    found = api.get_safetensors_metadata("acme/moe", revision="d" * 40)
    assert found.parameter_count == {"BF16": 6}


def test_access_to_a_gated_model_is_told(twin: Hub) -> None:
    HfApi(endpoint=twin.url, token="hf_reader").auth_check("acme/gated")
    HfApi(endpoint=twin.url, token=False).auth_check("acme/moe")
    with pytest.raises(GatedRepoError):
        HfApi(endpoint=twin.url, token="hf_somebody").auth_check("acme/gated")


def test_an_earlier_commit_keeps_its_files(twin: Hub, tmp_path: Path) -> None:
    older = download(twin, tmp_path, "acme/moe", "config.json", revision="e" * 40)
    assert older.read_bytes() == b'{"older": true}'
    info = HfApi(endpoint=twin.url, token=False).model_info("acme/moe", revision="e" * 40)
    assert [file.rfilename for file in info.siblings or ()] == ["config.json"]
    assert info.card_data is not None
    assert (info.card_data.license, info.card_data.license_name) == ("other", "acme-1.0")


def test_a_dataset_is_another_repository_than_the_model_of_its_name(
    twin: Hub, tmp_path: Path
) -> None:
    info = HfApi(endpoint=twin.url, token=False).dataset_info("acme/tiny-GGUF")
    assert (info.id, info.sha) == ("acme/tiny-GGUF", twin.commit("datasets/acme/tiny-GGUF"))
    path = download(twin, tmp_path, "acme/tiny-GGUF", "test.jsonl", repo_type="dataset")
    assert path.read_bytes() == b"{}"
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=twin.url, token=False).dataset_info("acme/moe")


def test_the_providers_of_a_model_are_mapped_and_priced(twin: Hub) -> None:
    api = HfApi(endpoint=twin.url, token=False)
    info = api.model_info("acme/moe", expand=["inferenceProviderMapping"])
    assert info.sha is None
    assert info.inference_provider_mapping is not None
    (row,) = info.inference_provider_mapping
    assert (row.provider, row.provider_id, row.status) == ("together", "acme/moe-turbo", "live")
    with urllib.request.urlopen(f"{twin.url}/v1/models/acme/moe") as answer:
        one = json.load(answer)
    assert one["providers"] == [
        {
            "provider": "together",
            "status": "live",
            "context_length": 8192,
            "pricing": {"input": 0.1, "output": 0.3},
        }
    ]
    with urllib.request.urlopen(f"{twin.url}/v1/models") as answer:
        assert json.load(answer) == {"object": "list", "data": [one]}


def test_the_next_answers_can_be_faults(twin: Hub) -> None:
    twin.failing += [429, 500]
    api = HfApi(endpoint=twin.url, token=False)
    for status in ("429", "500"):
        with pytest.raises(HfHubHTTPError, match=status):
            api.model_info("acme/moe")
    assert api.model_info("acme/moe").sha == "d" * 40
