"""A folder that is to be published: what is found in it, and what must stay here."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.plan.facts import LocalFolder
from moorage.plan.folders import look

TOKEN = "hf_" + "a" * 30


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "chat.yaml").write_text("apiVersion: moorage/v1")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    return folder


def found(root: Path, folder: str = "../out") -> LocalFolder:
    return look(Path(folder), spec=root / "specs" / "chat.yaml", root=root)


def test_a_folder_of_its_own_is_fine(out: Path) -> None:
    assert found(out.parent) == LocalFolder(path=out)
    assert found(out.parent, str(out)) == LocalFolder(path=out)


@pytest.mark.parametrize(
    ("folder", "fault"),
    [
        ("../nowhere", "there is no such folder"),
        ("chat.yaml", "this is no folder"),
        ("../empty", "nothing is in it"),
        ("~nobody-at-all/x", "it cannot be read"),
        ("x" * 300, "File name too long"),
    ],
)
def test_where_there_is_nothing_to_publish_it_is_said(folder: str, fault: str, out: Path) -> None:
    (out.parent / "empty").mkdir()
    assert fault in found(out.parent, folder).fault


@pytest.mark.parametrize("folder", ["..", "../..", "."])
def test_neither_project_nor_spec_is_published(folder: str, out: Path) -> None:
    assert found(out.parent, folder).private


def test_a_link_to_the_project_is_seen_through(out: Path) -> None:
    (out.parent / "specs" / "link").symlink_to(out.parent)
    assert found(out.parent, "link").private == "the whole project is in it"


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        (".env", "", ".env is in it"),
        ("deep/down/.env.local", "", "deep/down/.env.local is in it"),
        (".git/config", "", ".git is in it"),
        ("sub/.git", "gitdir: x", "sub/.git is in it"),
        (".moorage/run/x", "", ".moorage is in it"),
        ("Pulumi.yaml", "", "Pulumi.yaml is in it"),
        ("a.yaml", "name: x\napiVersion: moorage/v1\n", "a.yaml is a spec or a lock of moorage"),
        ("a.lock.json", '{\n  "lock": "moorage/lock/v2"\n}', "is a spec or a lock of moorage"),
        ("run.sh", f"\nexport T={TOKEN}", "run.sh holds in line 2 what looks like a Hugging Face"),
    ],
)
def test_what_is_not_meant_for_others_is_named(file: str, text: str, why: str, out: Path) -> None:
    path = out / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    private = found(out.parent).private
    assert why in private
    assert TOKEN not in private


@pytest.mark.parametrize("file", [".venv/.env", "__pycache__/.git", ".cache/a.lock.json"])
def test_what_is_never_pushed_is_not_looked_at(file: str, out: Path) -> None:
    path = out / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TOKEN)
    assert not found(out.parent).private


def test_a_readme_that_speaks_of_moorage_is_no_spec(out: Path) -> None:
    (out / "README.md").write_text("apiVersion: moorage/v1\n")
    (out / "weights.bin").write_bytes(b"\xff\x00" * 1000)
    assert found(out.parent) == LocalFolder(path=out)
