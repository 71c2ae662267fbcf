"""The page at /metrics, in Prometheus' text format and vLLM's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from moorage.twin import openai
from moorage.twin.engine.conduct import Conduct
from moorage.twin.engine.orders import Order
from moorage.twin.engine.seats import Seats

_BLOCK_TOKENS: Final = 16
_UTILIZATION: Final = "0.92"
_REASONS: Final = ("stop", "length", "abort")
_PLAIN, _TOTAL, _COUNT, _SUM = ("", ""), ("_total", ""), ("_count", ""), ("_sum", "")
_EVERY: Final = ("_bucket", 'le="+Inf",')

Rows = Mapping[tuple[str, str], float]  # what follows a family's name, and labels, to values


def text(order: Order, conduct: Conduct, seats: Seats) -> str:
    """All of it; whatever is going on, the first of several engines does it."""
    told = [*_lines(order, conduct, seats), *_caches(order, conduct)]
    return "".join(f"{line}\n" for line in told)


def _lines(order: Order, conduct: Conduct, seats: Seats) -> Iterator[str]:
    for family, kind, rows in _families(conduct, seats):
        yield f"# TYPE {family} {kind}"
        for (suffix, more), value in rows.items():
            for engine in range(order.engines):
                labels = f'engine="{engine}",{more}model_name="{_escaped(order.names[0])}"'
                yield f"{family}{suffix}{{{labels}}} {float(0 if engine else value)}"


def _families(conduct: Conduct, seats: Seats) -> Iterator[tuple[str, str, Rows]]:
    tally, usage = seats.tally, seats.held_tokens / max(conduct.kv_tokens, 1)
    ended = {("_total", f'finished_reason="{reason}",'): tally[reason] for reason in _REASONS}
    steps = tally[openai.MADE]  # a twin makes one token in a step
    yield "vllm:num_requests_running", "gauge", {_PLAIN: seats.running}
    yield "vllm:num_requests_waiting", "gauge", {_PLAIN: seats.waiting}
    yield "vllm:kv_cache_usage_perc", "gauge", {_PLAIN: min(usage, 1.0)}
    yield "vllm:prompt_tokens", "counter", {_TOTAL: tally[openai.PROMPT]}
    yield "vllm:generation_tokens", "counter", {_TOTAL: tally[openai.MADE]}
    yield "vllm:request_success", "counter", ended
    yield "vllm:iteration_tokens_total", "histogram", {_EVERY: steps, _COUNT: steps, _SUM: steps}


def _caches(order: Order, conduct: Conduct) -> Iterator[str]:
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
