"""The catalogue's files become values: money exact, faults in one line, fast."""

from __future__ import annotations

import shutil
import time
from decimal import Decimal
from pathlib import Path

import pytest

from moorage.errors import MoorageError
from moorage.plan.catalogue import catalog
from tests.spec.support import ROOT

FOLDER = ROOT / "catalog"
REAL = catalog.read(FOLDER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "catalog"))


def fault(folder: Path) -> str:
    with pytest.raises(MoorageError) as raised:
        catalog.read(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_every_kind_of_the_design_is_there() -> None:
    assert list(REAL.kinds) == [
        "docker-host",
        "ec2-gpu",
        "hf-endpoint",
        "hf-router",
        "hf-space",
        "local",
        "openai",
    ]


def test_a_row_says_everything_about_its_price() -> None:
    rows = {offer.key: offer for offer in REAL.kinds["hf-endpoint"].offers}
    row = rows["hf-endpoint/aws/us-west-2/nvidia-h200-x8"]
    assert (row.gpu, row.count, row.usd, row.per) == ("nvidia-h200", 8, Decimal("40.00"), "hour")
    assert (row.currency, row.status, row.confidence) == ("USD", "available", "published")
    assert row.source.startswith("hf-endpoints-documentation")
    assert row.date == "2026-08-20"
    assert rows["hf-endpoint/aws/nvidia-b200-x1"].status == "deprecated"


def test_what_a_kind_says_of_privacy_and_running_is_read() -> None:
    endpoint = REAL.kinds["hf-endpoint"]
    assert endpoint.visibility["authenticated"] == ("public", "internal")
    assert (endpoint.retention_days, endpoint.name_limit) == (30, 32)
    assert endpoint.scale_to_zero
    assert endpoint.billed_while_starting
    assert {region.name: region.area for region in endpoint.regions}["eu-west-1"] == "eu"
    assert REAL.kinds["hf-space"].name_limit == 96
    assert REAL.kinds["hf-router"].routers["hf-inference"].trains is None
    assert REAL.kinds["ec2-gpu"].extras["disk-gp3"].per == "gb-month"


def test_defaults_come_from_the_options() -> None:
    assert REAL.kinds["hf-endpoint"].defaults["visibility"] == "authenticated"
    assert REAL.kinds["local"].defaults == {"parallel": 2}


def test_gpus_and_engines_are_read() -> None:
    assert REAL.gpus["nvidia-l40s"].usable_gib < REAL.gpus["nvidia-l40s"].nominal_gb
    assert REAL.engines["vllm"].versions[0].count(".") == 2


def test_a_catalogue_of_kinds_alone_is_enough(folder: Path) -> None:
    for path in folder.glob("*.yaml"):
        if path.stem not in ("local", "openai"):
            path.unlink()
    shutil.rmtree(folder / "prices")
    read = catalog.read(folder)
    assert list(read.kinds) == ["local", "openai"]
    assert (read.gpus, read.engines, read.licenses) == ({}, {}, {})


def test_a_folder_without_kinds_is_no_catalogue(tmp_path: Path) -> None:
    assert "no catalogue here" in fault(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("prices/hf-space.yaml", '"0.03"', "0.03", "money must be written in quotes, not 0.03"),
        ("prices/hf-space.yaml", '"0.03"', '"cheap"', "not a catalogue file: InvalidOperation"),
        ("prices/hf-space.yaml", "from: docs", "from: nowhere", "KeyError 'nowhere'"),
        ("prices/hf-space.yaml", "rows:", "row:", "KeyError 'rows'"),
        ("hf-space.yaml", "title:", "titel:", "KeyError 'title'"),
        ("hf-space.yaml", "options:", "options: [", "not YAML"),
        ("gpus.yaml", "usable_gib:", "usable:", "usable_gib"),
    ],
)
def test_a_broken_file_is_one_line(folder: Path, file: str, old: str, new: str, says: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    message = fault(folder)
    assert says in message
    assert file in message


def test_a_word_is_read_as_specs_read_it() -> None:
    text = 'a: {no: off, date: 2026-08-20, price: "0.10", version: 0.33.0, share: 0.5, none: ~}'
    assert catalog.values(text) == {
        "a": {
            "no": False,
            "date": "2026-08-20",
            "price": "0.10",
            "version": "0.33.0",
            "share": 0.5,
            "none": None,
        }
    }
    assert catalog.values("") is None


def test_an_empty_file_and_a_stranger_are_passed_over(folder: Path) -> None:
    (folder / "notes.yaml").write_text("notes: [1]\n")
    (folder / "empty.yaml").touch()
    assert catalog.read(folder) == REAL


def test_reading_takes_milliseconds() -> None:
    """`moorage check` reads it once; measured at 20 ms, with room for a busy machine."""
    times = []
    for _ in range(5):
        began = time.process_time()
        catalog.read(FOLDER)
        times.append(time.process_time() - began)
    assert min(times) < 0.1
