"""What an engine's page of metrics is read as."""

from __future__ import annotations

import pytest

from moorage.provider.serving.exposition import samples
from moorage.provider.serving.metrics import CacheConfig, Metrics, parse

ONE = """
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="chat"} 3.0
vllm:num_requests_waiting{engine="0",model_name="chat"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="chat",reason="capacity"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="chat"} 0.25
vllm:generation_tokens_total{engine="0",model_name="chat"} 1.5e+06
vllm:generation_tokens_created{engine="0",model_name="chat"} 1.7e+09
vllm:iteration_tokens_total_bucket{engine="0",le="1.0",model_name="chat"} 5000.0
vllm:iteration_tokens_total_count{engine="0",model_name="chat"} 9000.0
vllm:iteration_tokens_total_sum{engine="0",model_name="chat"} 1.6e+06
vllm:request_success_total{engine="0",finished_reason="stop",model_name="chat"} 40.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="chat"} 2.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="661",engine="0"} 1.0
"""


def test_one_engine_tells_its_queue_its_cache_and_its_work() -> None:
    assert parse(ONE, version="0.33.0") == Metrics(
        running=3,
        waiting=1,
        kv_usage=0.25,
        generation_tokens=1_500_000,
        steps=9000,
        requests=42,
        cache=CacheConfig(block_size=16, gpu_blocks=661),
        engines=1,
        version="0.33.0",
    )


def test_engines_behind_one_address_are_taken_together_and_the_least_cache_counts() -> None:
    other = (
        ONE.replace('engine="0"', 'engine="1"').replace('"661"', '"600"').replace("0.25", "0.75")
    )
    found = parse(ONE + other)
    assert (found.running, found.waiting, found.kv_usage, found.engines) == (6, 2, 0.5, 2)
    assert found.cache is not None
    assert found.cache.tokens == 600 * 16


def test_where_layers_hold_blocks_apart_the_engine_s_own_count_holds() -> None:
    labels = 'block_size="8",kv_cache_size_tokens="463459",num_gpu_blocks="320"'
    cache = parse(f"vllm:cache_config_info{{{labels}}} 1.0").cache
    assert cache is not None
    assert cache.tokens == 463_459


@pytest.mark.parametrize("blocks", ['num_gpu_blocks="None"', 'num_gpu_blocks=""', 'x="1"'])
def test_a_cache_that_is_not_measured_yet_is_none(blocks: str) -> None:
    assert parse(f'vllm:cache_config_info{{block_size="16",{blocks}}} 1.0').cache is None


@pytest.mark.parametrize(
    "page", ["", "<html>no such page</html>", "up 1", "vllm:num_requests_running"]
)
def test_a_page_that_tells_nothing_is_no_fault(page: str) -> None:
    assert parse(page) == Metrics()


def test_what_is_no_number_is_left_out() -> None:
    page = "vllm:kv_cache_usage_perc NaN\nvllm:num_requests_running +Inf\nvllm:generation_tokens x"
    assert parse(page) == Metrics()


def test_labels_are_read_as_prometheus_writes_them() -> None:
    [one] = samples(r'a:b{path="C:\\x",says="\"hi\" {there}\n", last="," ,} 1.5e3 1700000000')
    assert (one.name, one.value) == ("a:b", 1500)
    assert one.labels == {"path": "C:\\x", "says": '"hi" {there}\n', "last": ","}


def test_a_long_broken_line_is_given_up_quickly() -> None:
    broken = "a{" + 'b="\\' * 50_000
    assert list(samples(broken)) == []
