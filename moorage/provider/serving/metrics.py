"""An engine's own numbers: who runs and waits in it, how full its cache is, and how large."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moorage.provider.serving import probe
from moorage.provider.serving.ask import NotYet
from moorage.provider.serving.exposition import Sample, samples

_SILENT: Final = frozenset({401, 403, 404, 405, 501})  # it tells none, or not to this key
_LEAST_S: Final = 0.1

# Rows of one name are those of the engines behind one address (data parallelism) or of the reasons
# why requests ended; the facts are of vLLM 0.33.0.
_RUNNING: Final = "vllm:num_requests_running"
_WAITING: Final = "vllm:num_requests_waiting"
_USAGE: Final = "vllm:kv_cache_usage_perc"  # a share, whatever its name says
_GENERATED: Final = "vllm:generation_tokens"
_STEPS: Final = "vllm:iteration_tokens_total_count"  # of a histogram: one for each step
_SUCCEEDED: Final = "vllm:request_success"
_CACHE: Final = "vllm:cache_config_info"
_TOTAL: Final = "_total"  # which Prometheus' library appends to every counter


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheConfig:
    """The KV cache that an engine made when it started."""

    block_size: int
    gpu_blocks: int
    told_tokens: int | None = None  # as it counts itself; layers may hold blocks apart

    @property
    def tokens(self) -> int:
        """How many tokens it holds."""
        return self.block_size * self.gpu_blocks if self.told_tokens is None else self.told_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """What is told at one address now, of all engines there; None where nothing is."""

    running: int | None = None
    waiting: int | None = None
    kv_usage: float | None = None  # share of the caches
    generation_tokens: float | None = None  # since the start
    steps: float | None = None  # of the engines since the start; reading a long prompt takes many
    requests: float | None = None  # that were served since the start
    cache: CacheConfig | None = None  # of the engine that has the least: a plan proves one
    engines: int = 0
    version: str | None = None


def read(url: str, key: str | None, timeout_s: float) -> Metrics:
    """Ask the engine at `url` (without /v1); raises NotYet where it cannot be reached."""
    end_s = time.monotonic() + timeout_s
    base = url.rstrip("/")
    page = _ask(f"{base}/metrics", key, end_s)
    told = _ask(f"{base}/version", key, end_s)
    version = told.json.get("version") if isinstance(told.json, Mapping) else None
    return parse(page.text if page.is_good else "", version=str(version) if version else None)


def _ask(url: str, key: str | None, end_s: float) -> probe.Answer:
    left_s = max(end_s - time.monotonic(), _LEAST_S)
    answer = probe.ask(probe.Question(url=url, key=key), timeout_s=left_s)
    assert answer is not None, "nobody gives it up"
    if answer.is_good or answer.status in _SILENT:
        return answer
    raise NotYet(str(answer), status=answer.status)


def parse(page: str, *, version: str | None = None) -> Metrics:
    """The numbers of a page of metrics."""
    rows: dict[str, list[Sample]] = {}
    for one in samples(page):
        rows.setdefault(one.name.removesuffix(_TOTAL), []).append(one)

    def values(name: str) -> list[float]:
        return [row.value for row in rows.get(name, ()) if math.isfinite(row.value)]

    running, usage = values(_RUNNING), values(_USAGE)
    return Metrics(
        running=_whole(running),
        waiting=_whole(values(_WAITING)),
        kv_usage=sum(usage) / len(usage) if usage else None,
        generation_tokens=_sum(values(_GENERATED)),
        steps=_sum(values(_STEPS)),
        requests=_sum(values(_SUCCEEDED)),
        cache=_least(rows.get(_CACHE, ())),
        engines=len(running),
        version=version,
    )


def _least(rows: Iterable[Sample]) -> CacheConfig | None:
    known = [config for row in rows if (config := _config(row.labels)) is not None]
    return min(known, key=lambda one: one.tokens, default=None)


def _config(labels: Mapping[str, str]) -> CacheConfig | None:
    """Blocks are told as None as long as the engine has not measured its memory."""
    size, blocks = _number(labels, "block_size"), _number(labels, "num_gpu_blocks")
    if size is None or blocks is None:
        return None
    tokens = _number(labels, "kv_cache_size_tokens")
    return CacheConfig(block_size=size, gpu_blocks=blocks, told_tokens=tokens)


def _number(labels: Mapping[str, str], name: str) -> int | None:
    text = labels.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _sum(values: Sequence[float]) -> float | None:
    return sum(values) if values else None


def _whole(values: Sequence[float]) -> int | None:
    return round(sum(values)) if values else None
