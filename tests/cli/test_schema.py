"""The command `schema`: what is published in specs/ is what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from moorage.cli import main
from moorage.cli.schema import SCHEMAS

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_published_schema_is_fresh(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`moorage schema --write` writes it."""
    monkeypatch.chdir(ROOT)
    assert main(["schema", "--of", name]) == 0
    published = (ROOT / "specs" / SCHEMAS[name].file).read_text(encoding="utf-8")
    assert capsys.readouterr().out == published
    Draft202012Validator.check_schema(json.loads(published))


def test_without_a_word_it_prints_the_schema_of_a_spec(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A model service"
    assert list((project / "specs").iterdir()) == []


def test_all_of_them_are_written_and_proven_and_one_that_is_stale_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "--check"]) == 1
    assert capsys.readouterr().out.count("not what the code says") == len(SCHEMAS)
    assert main(["schema", "--write"]) == 0
    assert main(["schema", "--check"]) == 0
    assert {path.name for path in (project / "specs").iterdir()} == {
        published.file for published in SCHEMAS.values()
    }
    (project / "specs" / "policy.schema.json").write_text("{}")
    assert main(["schema", "--check", "--of", "spec"]) == 0
    assert main(["schema", "--check"]) == 1
    assert "specs/policy.schema.json: not what the code says" in capsys.readouterr().out


def test_one_of_them_is_written_alone(project: Path) -> None:
    assert main(["schema", "--write", "--of", "policy"]) == 0
    assert [path.name for path in (project / "specs").iterdir()] == ["policy.schema.json"]


def test_a_schema_that_cannot_be_written_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "specs" / "schema.json").mkdir()
    assert main(["schema", "--write"]) == 2
    assert capsys.readouterr().err.endswith("schema.json: cannot be written: Is a directory\n")
