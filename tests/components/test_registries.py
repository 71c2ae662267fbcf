"""Docker's own logins are used for pulls, and no password of them comes into the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components import registries

SECRET = "dXM6c2VjcmV0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def said(folder: Path, settings: Any) -> None:
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")


def known(*images: str) -> list[str]:
    return [str(one.address) for one in registries.logins(images)]


@pytest.mark.parametrize(
    ("image", "where"),
    [
        ("vllm/vllm-openai:v0.33.0", "registry-1.docker.io"),
        ("ubuntu:24.04", "registry-1.docker.io"),
        ("docker.io/vllm/vllm-openai:v0.33.0", "docker.io"),
        ("ghcr.io/acme/engine@sha256:0a1b", "ghcr.io"),
        ("localhost/engine", "localhost"),
        ("127.0.0.1:5000/engine:1", "127.0.0.1:5000"),
    ],
)
def test_an_image_is_of_the_registry_where_the_plugin_looks_for_it(image: str, where: str) -> None:
    assert registries.registry(image) == where


def test_only_registries_of_the_images_that_somebody_is_logged_in_to_are_told(folder: Path) -> None:
    said(folder, {"auths": {"ghcr.io": {"auth": SECRET}, "quay.io": {"auth": SECRET}}})
    images = ["ghcr.io/acme/a:1", "ghcr.io/acme/b:1", "vllm/vllm-openai:v1"]
    [one] = registries.logins(images)
    assert one.address == "ghcr.io"
    assert one.config_file == f"{folder}/config.json"
    assert (one.username, one.password) == ("", "")


def test_dockers_own_hub_has_many_names(folder: Path) -> None:
    said(folder, {"auths": {"https://index.docker.io/v1/": {"auth": SECRET}}})
    assert known("vllm/vllm-openai:v1", "docker.io/acme/a:1") == [
        "docker.io",
        "registry-1.docker.io",
    ]


def test_a_helper_is_asked_where_it_is_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(folder, {"auths": {"ghcr.io": {}}, "credsStore": "x", "credHelpers": {"quay.io": "y"}})
    monkeypatch.setenv("PATH", str(folder))
    assert not known("ghcr.io/acme/a:1", "quay.io/acme/a:1")
    helper = folder / "docker-credential-y"
    helper.touch(mode=0o755)
    assert known("ghcr.io/acme/a:1", "quay.io/acme/a:1") == ["quay.io"]


@pytest.mark.parametrize("text", ["", "[]", "no json", '{"auths": 1}'])
def test_a_configuration_that_nobody_understands_has_no_logins(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, encoding="utf-8")
    assert not known("ghcr.io/acme/a:1")


def test_without_a_configuration_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not known("ghcr.io/acme/a:1")
    (tmp_path / ".docker").mkdir()
    said(tmp_path / ".docker", {"auths": {"ghcr.io": {}}})
    [one] = registries.logins(["ghcr.io/acme/a:1"])
    assert one.config_file == "~/.docker/config.json"
