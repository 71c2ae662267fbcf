"""`moorage catalog list|show|check`, as a person and a machine use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from moorage.cli import main
from tests.spec.support import ROOT

Said = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    shutil.copytree(ROOT / "catalog", tmp_path / "catalog")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keys(said: Said) -> list[str]:
    return [line.split()[0] for line in said.readouterr().out.splitlines()[1:]]


def test_the_cheapest_comes_first(project: Path, capsys: Said) -> None:
    assert main(["catalog", "list", "--kind", "hf-endpoint", "--gpu", "nvidia-l4"]) == 0
    assert keys(capsys) == [
        "hf-endpoint/gcp/nvidia-l4-x1",
        "hf-endpoint/aws/nvidia-l4-x1",
        "hf-endpoint/aws/nvidia-l4-x4",
        "hf-endpoint/gcp/nvidia-l4-x4",
    ]


def test_what_an_area_has_for_so_much(project: Path, capsys: Said) -> None:
    assert main(["catalog", "list", "--region", "eu", "--gpu", "none", "--max-usd", "0.1"]) == 0
    assert keys(capsys) == ["hf-endpoint/aws/intel-spr-x1", "hf-endpoint/aws/intel-spr-x2"]
    assert main(["catalog", "list", "--region", "us-west-2", "--gpu", "nvidia-h200"]) == 0
    assert all("us-west-2/nvidia-h200" in key for key in keys(capsys))
    assert main(["catalog", "list", "--region", "eu", "--gpu", "nvidia-h200"]) == 0
    assert keys(capsys) == []


def test_a_machine_reads_rows(project: Path, capsys: Said) -> None:
    assert main(["catalog", "list", "--gpu", "nvidia-b300", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["key"] == "ec2-gpu/aws/us-west-2/p6-b300.48xlarge"
    assert (row["usd"], row["per"], row["count"]) == ("142.416", "hour", 8)
    assert row["source"]
    assert row["date"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("hf-space/l4x1", "source: hub-docs hub/spaces-gpus"),
        ("ec2-gpu/aws/disk-gp3", "per: gb-month"),
        ("hf-endpoint", "tiers: public, internal, confidential"),
        ("nvidia-l40s", "hf-endpoint/aws/nvidia-l40s-x8"),
        ("vllm", "versions: 0.33.0"),
    ],
)
def test_everything_with_a_name_can_be_shown(
    project: Path, capsys: Said, key: str, says: str
) -> None:
    assert main(["catalog", "show", key]) == 0
    assert says in capsys.readouterr().out
    assert main(["catalog", "show", key, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "nvidia-l40"], "did you mean 'nvidia-l40s'?"),
        (["show", "qqqqqqqqqqqq"], "`moorage catalog list` shows what there is"),
        (["list", "--kind", "hf-endpont"], "did you mean 'hf-endpoint'?"),
        (["list", "--gpu", "nvidia-t44"], "did you mean 'nvidia-t4'?"),
    ],
)
def test_a_wrong_name_is_one_line(project: Path, capsys: Said, words: list[str], says: str) -> None:
    assert main(["catalog", *words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("words", [["list", "--max-usd", "-1"], ["list", "--max-usd", "nan"], []])
def test_wrong_usage_is_exit_2(project: Path, words: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["catalog", *words])
    assert raised.value.code == 2


def test_the_catalogue_of_this_project_is_whole(project: Path, capsys: Said) -> None:
    assert main(["catalog", "check"]) == 0
    assert capsys.readouterr().out.endswith("rows of 7 kinds, no problems\n")


def test_a_mistake_is_told_at_its_place(project: Path, capsys: Said) -> None:
    prices = project / "catalog" / "prices" / "ec2-gpu.yaml"
    text = prices.read_text(encoding="utf-8")
    line = next(at for at, row in enumerate(text.splitlines(), 1) if "p6-b200" in row)
    prices.write_text(text.replace('"113.933"', '"0.01"'), encoding="utf-8")
    space = project / "catalog" / "hf-space.yaml"
    space.write_text(space.read_text(encoding="utf-8") + "title: again\n", encoding="utf-8")
    assert main(["catalog", "check"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("catalog/hf-space.yaml:")
    assert "duplicate-key: 'title' is given twice" in first
    assert second.startswith(f"catalog/prices/ec2-gpu.yaml:{line}:5 price-implausible: ")
