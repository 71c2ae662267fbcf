"""What is predicted is held to what others measured."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from moorage.errors import MoorageError
from moorage.plan.fit import calibration
from tests.plan.fit.known import ROOT

TOOL = ROOT / "tools" / "fit.py"


def the_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_fit", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their annotations up
    spec.loader.exec_module(module)
    return module


FOUND = the_tool().compare()
NAMES = [f"{one.row['model']} x{one.row['count']}" for one in FOUND]


def test_every_published_row_is_compared() -> None:
    rows = yaml.safe_load((ROOT / "catalog" / "measurements.yaml").read_text(encoding="utf-8"))
    assert len(FOUND) == len(rows["rows"]) == 11


@pytest.mark.parametrize("one", FOUND, ids=NAMES)
def test_the_cache_is_as_large_as_measured(one: Any) -> None:
    if one.error_gib is not None:
        budget = one.row["gpu_gib"] * one.row["utilization"]
        assert abs(one.error_gib) <= max(0.5, 0.02 * budget)
        assert one.low_gib - 0.1 <= one.row["kv_gib"] <= one.high_gib + 0.1


@pytest.mark.parametrize("one", FOUND, ids=NAMES)
def test_weights_are_as_large_as_measured(one: Any) -> None:
    measured = one.row["weights_gib"]
    if measured is not None:
        # Measured to a hundredth of a GiB, and with buffers that are no weights.
        assert one.weights_gib == pytest.approx(measured, rel=0.005, abs=0.02)


@pytest.mark.parametrize("one", FOUND, ids=NAMES)
def test_what_failed_is_never_said_to_fit(one: Any) -> None:
    expected = ("does-not-fit",) if one.row.get("fails") else ("fits", "tight")
    assert one.verdict in expected


def test_the_table_ends_with_what_it_comes_to() -> None:
    script = [sys.executable, str(TOOL)]
    done = subprocess.run(script, capture_output=True, text=True, check=True, cwd="/")
    # Below stand rows of this checkout's own stacks, where it has measured any.
    last = next(line for line in done.stdout.splitlines() if line.startswith("fit: "))
    assert last.startswith("fit: 11 rows, worst error 0.")
    assert last.endswith(" GiB, 0 false fits")


def test_a_row_whose_bounds_do_not_rise_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "catalog" / "calibration.yaml").read_text(encoding="utf-8")
    (tmp_path / "calibration.yaml").write_text(text.replace("[9.5, 9.68, 10.0]", "[9, 8, 7]"))
    with pytest.raises(MoorageError, match="sampler must rise"):
        calibration.read(tmp_path)


def test_a_calibration_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(MoorageError, match=r"calibration\.yaml cannot be understood"):
        calibration.read(tmp_path)


@pytest.mark.parametrize(
    ("version", "utilization"), [("0.11.0", 0.9), ("v0.12.1", 0.9), ("0.33.0", 0.92), ("", 0.92)]
)
def test_a_version_finds_its_row(version: str, utilization: float) -> None:
    known = calibration.read(ROOT / "catalog")
    row = calibration.find(known, "vllm", version, 9.0)
    assert (row is None) if not version else (row is not None and row.utilization == utilization)


def test_what_moorage_status_kept_is_compared_by_the_spec_s_own_lock(tmp_path: Path) -> None:
    rows = yaml.safe_load((ROOT / "catalog" / "measurements.yaml").read_text(encoding="utf-8"))[
        "rows"
    ]
    row = next(row for row in rows if row["model"] == "qwen--qwen3-0.6b")
    file = tmp_path / "prod.yaml"
    own = {**row, "model": "no-file-of-the-tests", "lock": f"tests/facts/{row['model']}.lock.json"}
    file.write_text(yaml.safe_dump({"source": "moorage status", "rows": [own]}), encoding="utf-8")
    [found] = the_tool().compare(file)
    assert found.kv_gib == next(one.kv_gib for one in FOUND if one.row["model"] == row["model"])
