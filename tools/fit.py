"""What the memory proof predicts, beside what others measured; the last line sums it up."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from moorage.plan.catalogue.offers import Gpu  # noqa: E402
from moorage.plan.facts import ModelFacts  # noqa: E402
from moorage.plan.fit import calibration as calibrations  # noqa: E402
from moorage.plan.fit import vllm  # noqa: E402
from moorage.plan.fit.calibration import Calibration  # noqa: E402
from moorage.plan.fit.types import Question  # noqa: E402
from moorage.plan.locks.lock_read import read as read_lock  # noqa: E402
from moorage.spec.problems import Problem  # noqa: E402

FACTS = ROOT / "tests" / "facts"
CATALOG = ROOT / "catalog"
MEASURED_HERE = ROOT / ".moorage" / "calibration"
TITLES = ("model", "gpu", "weights", "measured", "cache", "measured", "error", "bounds", "verdict")


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A measured row and what is predicted of it; GiB on each GPU."""

    row: Mapping[str, Any]
    weights_gib: float
    kv_gib: float  # likely
    low_gib: float
    high_gib: float
    verdict: str

    @property
    def error_gib(self) -> float | None:
        measured = self.row["kv_gib"]
        return None if measured is None else self.kv_gib - measured

    @property
    def is_false(self) -> bool:
        """Whether it is said to fit and did not."""
        return bool(self.row.get("fails")) and self.verdict == "fits"


def compare(file: Path = CATALOG / "measurements.yaml") -> tuple[Compared, ...]:
    """Every measured row of a file with its prediction."""
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))["rows"]
    known = calibrations.read(CATALOG)
    return tuple(predict(row, known) for row in rows)


def predict(row: Mapping[str, Any], known: Calibration) -> Compared:
    """What the proof says of a measured row."""
    case = vllm.understand(question(row), known)
    if isinstance(case, str):
        sys.exit(case)
    tally = vllm.choose(case)
    return Compared(
        row=row,
        weights_gib=tally.parts["weights"].likely,
        kv_gib=tally.left.likely,
        low_gib=tally.left.low,
        high_gib=tally.left.high,
        verdict=vllm.verdict(tally),
    )


def question(row: Mapping[str, Any]) -> Question:
    """A measured row as a question."""
    return Question(
        facts=facts(row),
        quantization="none",
        engine="vllm",
        version=str(row["version"]),
        gpu=gpu(row["gpu"], row["gpu_gib"]),
        count=row["count"],
        max_model_len=row["max_model_len"],
        max_num_seqs=row["max_num_seqs"],
        max_num_batched_tokens=row["max_num_batched_tokens"],
        gpu_memory_utilization=row["utilization"],
    )


def facts(row: Mapping[str, Any]) -> ModelFacts:
    """The facts of a model: the tests keep those of others' rows, a spec's lock those of ours."""
    path = ROOT / row["lock"] if "lock" in row else FACTS / f"{row['model']}.lock.json"
    if not path.is_file():
        sys.exit(f"{path}: the facts of a measured row are gone; take the row out")
    lock = read_lock(path.read_text(encoding="utf-8"), path.name)
    if isinstance(lock, Problem):
        sys.exit(f"{path.name}: {lock.says}")
    return lock.model


@cache
def gpus() -> Any:
    """Those of the catalogue, as it says them."""
    return yaml.safe_load((CATALOG / "gpus.yaml").read_text(encoding="utf-8"))["gpus"]


def gpu(name: str, usable_gib: float) -> Gpu:
    """A GPU of the catalogue with the memory that the measuring machine had."""
    known: dict[str, Any] = {**gpus()[name], "name": name, "usable_gib": usable_gib}
    return Gpu(**known)


def lines(found: tuple[Compared, ...]) -> Iterator[str]:
    """The table, and what it comes to."""
    yield "{:<46} {:<14} {:>7} {:>8} {:>7} {:>8} {:>6} {:>15}  {}".format(*TITLES)
    for one in found:
        yield _line(one)
    errors = [abs(one.error_gib) for one in found if one.error_gib is not None]
    false = sum(one.is_false for one in found)
    yield f"fit: {len(found)} rows, worst error {max(errors):.2f} GiB, {false} false fits"


def _line(one: Compared) -> str:
    error = one.error_gib
    cells = (
        one.row["model"][:46],
        f"{one.row['gpu'].removeprefix('nvidia-')} x{one.row['count']}",
        f"{one.weights_gib:.2f}",
        _said(one.row["weights_gib"]),
        f"{one.kv_gib:.2f}",
        _said(one.row["kv_gib"]),
        "" if error is None else f"{error:+.2f}",
        f"{one.low_gib:.2f}..{one.high_gib:.2f}",
        one.verdict + (" (it failed)" if one.row.get("fails") else ""),
    )
    return "{:<46} {:<14} {:>7} {:>8} {:>7} {:>8} {:>6} {:>15}  {}".format(*cells)


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    print("\n".join(lines(compare())))
    for file in sorted(MEASURED_HERE.glob("*.yaml")):
        print(f"\nmeasured by moorage status, {file.stem}:")
        print("\n".join(lines(compare(file))))
