"""A checkup tells of what is broken or missing, and breaks on none of it."""

from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from moorage.deploy import checkup


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / ".moorage" / "state" / ".pulumi" / "stacks" / "demo" / "local.json"
    path.parent.mkdir(parents=True)
    return path


def stack(root: Path) -> checkup.Finding:
    [found] = [one for one in checkup.checkup(root) if one.what == "stack local"]
    return found


def test_a_stack_is_told_with_its_resources(state: Path, tmp_path: Path) -> None:
    resources = [{"custom": True}, {"custom": False}]
    state.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))
    assert (stack(tmp_path).fine, stack(tmp_path).says) == (True, "1 resource")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"checkpoint": null}', '{"checkpoint": {"latest": 1}}']
)
def test_a_damaged_state_is_told_with_its_repair(state: Path, tmp_path: Path, text: str) -> None:
    state.write_text(text)
    found = stack(tmp_path)
    assert found.fine is False
    assert "`moorage state repair --stack local`" in found.says


def test_a_missing_package_is_told_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setattr(shutil, "which", lambda _name, **_more: None)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    told = {one.what: one for one in checkup.checkup(tmp_path)}
    assert told["pulumi-docker"].fine is False
    assert "pulumi-docker, which is missing too" in told["Pulumi's docker plugin"].says
