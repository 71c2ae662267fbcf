"""What no engine can beat, and how many requests are in the house at a time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from moorage.plan.fit import speed
from moorage.spec.types import Load, Slo
from tests.plan.fit.known import locks, the_catalog

H200 = the_catalog().gpus["nvidia-h200"]
LOAD = Load(rps=2.0, input_tokens=1024, output_tokens=101)


def bounds(model: str, count: int = 1) -> speed.Bounds:
    return speed.bounds(locks()[model].model, H200, count, LOAD)


def test_no_token_is_faster_than_reading_the_weights() -> None:
    found = bounds("Qwen/Qwen3-8B").tpot_ms
    assert found is not None
    halved = 15.1e9 / 2 / (H200.memory_gbps * 1e9) * 1e3  # weights can be made small when loading
    assert halved * 0.9 < found < halved * 1.2


def test_bounds_are_below_what_was_measured() -> None:
    # aiconfigurator-core 0.12: Llama-3.1-70B FP8 on one H200, TPOT 37 ms; 8B FP8, TTFT 115 ms
    seventy = bounds("nvidia/Llama-3.1-70B-Instruct-FP8").tpot_ms
    assert seventy is not None
    assert 10 < seventy < 37
    eight = speed.bounds(
        locks()["meta-llama/Llama-3.1-8B-Instruct"].model, H200, 1, replace(LOAD, input_tokens=4000)
    )
    assert eight.ttft_ms is not None
    assert 20 < eight.ttft_ms < 115


def test_a_token_waits_for_the_experts_that_work_on_it_only() -> None:
    sparse, dense = bounds("Qwen/Qwen3-30B-A3B").tpot_ms, bounds("Qwen/Qwen3-32B").tpot_ms
    assert sparse is not None
    assert dense is not None
    assert sparse < dense / 5


def test_more_gpus_are_faster() -> None:
    one, two = bounds("Qwen/Qwen3-8B"), bounds("Qwen/Qwen3-8B", 2)
    assert one.ttft_ms is not None
    assert two.ttft_ms == pytest.approx(one.ttft_ms / 2)


def test_where_nobody_read_the_tensors_nothing_is_claimed() -> None:
    facts = replace(locks()["Qwen/Qwen3-8B"].model, tensors=())
    assert speed.bounds(facts, H200, 1, LOAD) == speed.Bounds()


def test_requests_in_the_house_follow_littles_law() -> None:
    slo = Slo(ttft_p95_ms=500, tpot_p95_ms=20)
    assert speed.load_concurrency(LOAD, slo) == pytest.approx(2.0 * (0.5 + 100 * 0.02))
    assert speed.load_concurrency(replace(LOAD, rps=0.0), slo) == 0


@pytest.mark.parametrize("model", sorted(locks()))
def test_no_bound_exceeds_its_ceiling(model: str) -> None:
    """Only then may the rule about service levels stop at the ceiling."""
    facts = locks()[model].model
    for gpu in the_catalog().gpus.values():
        for tokens in (1, 100_000):
            load = Load(input_tokens=tokens)
            exact = speed.bounds(facts, gpu, 2, load)
            most = speed.ceiling(facts, gpu, 2, load)
            assert (exact.ttft_ms or 0) <= (most.ttft_ms or 0)
            assert (exact.tpot_ms or 0) <= (most.tpot_ms or 0)
