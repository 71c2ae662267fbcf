"""The page at /metrics, in Prometheus' text format and vLLM's names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.twin import openai
from moorage.twin.engine.conduct import Conduct
from moorage.twin.engine.orders import Order
from moorage.twin.engine.seats import Seats

_BLOCK_TOKENS: Final = 16
_UTILIZATION: Final = "0.92"


def text(order: Order, conduct: Conduct, seats: Seats) -> str:
    """All of it; whatever is going on, the first of several engines does it."""
    return "".join(f"{line}\n" for line in _lines(order, conduct, seats))


def _lines(order: Order, conduct: Conduct, seats: Seats) -> Iterator[str]:
    def rows(name: str, kind: str, value: float, more: str = "") -> Iterator[str]:
        yield f"# TYPE {name.removesuffix('_total')} {kind}"
        for engine in range(order.engines):
            labels = f'engine="{engine}",{more}model_name="{_escaped(order.names[0])}"'
            yield f"{name}{{{labels}}} {float(0 if engine else value)}"

    usage = seats.held_tokens / max(conduct.kv_tokens, 1)
    yield from rows("vllm:num_requests_running", "gauge", seats.running)
    yield from rows("vllm:num_requests_waiting", "gauge", seats.waiting)
    yield from rows("vllm:kv_cache_usage_perc", "gauge", min(usage, 1.0))
    yield from rows("vllm:prompt_tokens_total", "counter", seats.tally[openai.PROMPT])
    yield from rows("vllm:generation_tokens_total", "counter", seats.tally[openai.MADE])
    steps = seats.tally[openai.MADE]  # a twin makes one token in a step
    yield from rows("vllm:iteration_tokens_total_count", "histogram", steps)
    yield from rows("vllm:iteration_tokens_total_sum", "histogram", steps)
    for reason in ("stop", "length", "abort"):
        more = f'finished_reason="{reason}",'
        yield from rows("vllm:request_success_total", "counter", seats.tally[reason], more)
    yield "# TYPE vllm:cache_config_info gauge"
    for engine in range(order.engines):
        yield f"vllm:cache_config_info{{{_cache(order, conduct, engine)}}} 1.0"


def _cache(order: Order, conduct: Conduct, engine: int) -> str:
    blocks = conduct.kv_tokens // _BLOCK_TOKENS
    labels = {
        "block_size": _BLOCK_TOKENS,
        "cache_dtype": "auto",
        "engine": engine,
        "gpu_memory_utilization": _UTILIZATION,
        "kv_cache_max_concurrency": blocks * _BLOCK_TOKENS / order.length_tokens,
        "kv_cache_size_tokens": blocks * _BLOCK_TOKENS,
        "num_gpu_blocks": blocks,
    }
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
