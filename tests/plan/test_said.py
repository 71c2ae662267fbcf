"""Every server of our own is told the same things openly, as far as its version knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moorage.plan.catalogue import catalog
from moorage.plan.choice.said import said, takes
from moorage.plan.load import read
from moorage.plan.types import Placement
from tests.plan.projects import CATALOG, judge
from tests.plan.test_cases import CASES

VLLM = catalog.read(CATALOG).engines["vllm"]
ALWAYS = ("max-model-len", "max-num-seqs", "max-num-queued-reqs", "shutdown-timeout")
STORY = CASES / "lets-two-services-share-a-host"


def planned(tmp_path: Path, serving: str) -> Placement:
    root = tmp_path / "case"
    root.mkdir()
    text = (STORY / "a.yaml").read_text(encoding="utf-8")
    (root / "a.yaml").write_text(f"{text}serving: {serving}\n")
    (root / "a.lock.json").symlink_to(STORY / "a.lock.json")
    loaded = judge(root)
    assert [row for row in loaded.problems if row.severity == "error"] == []
    return loaded.plans[0].placements[0]


def test_what_decides_an_engine_is_said_openly(tmp_path: Path) -> None:
    placement = planned(tmp_path, "{engine: vllm}")
    flags = placement.flags
    assert {name for name in ALWAYS if name not in flags} == set()
    assert flags["max-num-queued-reqs"] == flags["max-num-seqs"]
    assert (flags["shutdown-timeout"], flags["disable-fastapi-docs"]) == (30, True)
    assert placement.env["VLLM_ENABLE_STARTUP_PLAN"] == "1"


def test_a_team_has_the_last_word(tmp_path: Path) -> None:
    serving = (
        "{engine: vllm, args: {shutdown-timeout: 90, max-num-queued-reqs: 7},"
        ' env: {VLLM_ENABLE_STARTUP_PLAN: "0"}}'
    )
    placement = planned(tmp_path, serving)
    assert placement.flags["shutdown-timeout"] == 90
    assert placement.flags["max-num-queued-reqs"] == 7
    assert placement.env["VLLM_ENABLE_STARTUP_PLAN"] == "0"


def test_an_older_version_is_not_told_what_it_does_not_know(tmp_path: Path) -> None:
    """It would end at once; the plan says so."""
    placement = planned(tmp_path, "{engine: vllm, version: 0.12.0}")
    assert "shutdown-timeout" not in placement.flags
    says = "vllm 0.12.0 is not known to have --max-num-queued-reqs, --shutdown-timeout"
    assert says in placement.reasons
    assert "max-num-seqs" in placement.flags


def test_without_a_proof_the_sizes_of_the_spec_are_said(tmp_path: Path) -> None:
    sizes = "max_num_seqs: 4, max_num_batched_tokens: 512, kv_cache_dtype: fp8"
    planned(tmp_path, f"{{engine: vllm, {sizes}}}")
    (subject,) = read([tmp_path / "case" / "a.yaml"], root=tmp_path / "case").subjects
    assert said(subject.world, subject.choices[0], {}).flags == {
        "disable-fastapi-docs": True,
        "kv-cache-dtype": "fp8",
        "max-model-len": 40960,  # the model's own
        "max-num-batched-tokens": 512,
        "max-num-queued-reqs": 4,
        "max-num-seqs": 4,
        "shutdown-timeout": 30,
        "tensor-parallel-size": 2,
    }


def test_where_the_platform_starts_the_engine_nothing_is_added(tmp_path: Path) -> None:
    provider = "  - {kind: hf-endpoint, vendor: aws, region: eu-west-1, gpu: nvidia-l4, count: 1}"
    text = (
        (STORY / "a.yaml").read_text(encoding="utf-8").replace("monthly_usd: 0", "monthly_usd: 900")
    )
    root = tmp_path / "case"
    root.mkdir()
    rows = [provider if "docker-host" in row else row for row in text.split("\n")]
    (root / "a.yaml").write_text("\n".join(rows))
    (root / "a.lock.json").symlink_to(STORY / "a.lock.json")
    (placement,) = judge(root).plans[0].placements
    assert "shutdown-timeout" not in placement.flags


@pytest.mark.parametrize(
    ("flag", "version", "known"),
    [
        ("max-num-queued-reqs", "0.33.0", True),
        ("max-num-queued-reqs", "0.25.0", False),
        ("shutdown-timeout", "0.17.0", None),  # nobody has looked between 0.16.0 and 0.20.0
        ("shutdown-timeout", "0.20.0", True),
        ("shutdown-timeout", "0.10.0", False),
        ("compilation-config.mode", "0.33.0", True),
        ("no-enable-prefix-caching", "0.33.0", True),
        ("swap-space", "0.10.0", True),
        ("swap-space", "0.33.0", False),
        ("enable-prefix-cacheing", "0.33.0", False),
    ],
)
def test_flags_are_known_by_version(flag: str, version: str, known: bool | None) -> None:
    assert takes(VLLM, version, flag) is known


def test_everything_that_is_said_is_known_to_the_newest_version() -> None:
    ours: dict[str, Any] = dict(VLLM.said)
    assert [name for name in ours if not takes(VLLM, VLLM.versions[0], name)] == []
