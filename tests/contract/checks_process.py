"""An engine as a process: vLLM's command line, key, metrics, hangs and ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import httpx

from tests.contract.engines import KEY, Started
from tests.contract.place import WITHOUT, Answer, Place, holds, same, says
from tests.contract.register import check

_SERVE: Final = ("serve", "acme/tiny-chat")
_HELLO: Final = [{"role": "user", "content": "say hello"}]
_SLOW: Final = {"MOORAGE_TWIN_TOKEN_S": "0.02"}
_GLANCE_S: Final = 0.3
_RUNNING: Final = "vllm:num_requests_running"
_GENERATED: Final = "vllm:generation_tokens_total"
_NAMES: Final = (
    _RUNNING,
    _GENERATED,
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:request_success_total",
)


@check("process.health-is-open")
def _(place: Place) -> None:
    same(_get(place, _serving(place), "/health", WITHOUT).status, 200, "status")


@check("process.v1-needs-the-key")
def _(place: Place) -> None:
    engine = _serving(place)
    says(_get(place, engine, "/v1/models", WITHOUT), 401)
    says(_get(place, engine, "/v1/models", "sk-wrong"), 401)
    same(_get(place, engine, "/v1/models", KEY).status, 200, "status with the key")


@check("process.metrics-are-open-and-named")
def _(place: Place) -> None:
    told = _get(place, _serving(place), "/metrics", WITHOUT)
    same(told.status, 200, "status")
    for name in _NAMES:
        holds(f"\n{name}{{" in told.text, f"{name} is not told")


@check("process.tells-its-version")
def _(place: Place) -> None:
    engine = _serving(place, environment={"MOORAGE_TWIN_VERSION": "0.32.1"})
    same(_get(place, engine, "/version", WITHOUT).json["version"], "0.32.1", "version")


@check("process.tells-its-cache")
def _(place: Place) -> None:
    engine = _serving(place, environment={"MOORAGE_TWIN_KV_TOKENS": "10576"})
    told = _get(place, engine, "/metrics", WITHOUT).text
    row = next(line for line in told.splitlines() if line.startswith("vllm:cache_config_info{"))
    labels = dict(re.findall(r'(\w+)="([^"]*)"', row))
    blocks = int(labels["num_gpu_blocks"]) * int(labels["block_size"])
    same((blocks, labels["kv_cache_size_tokens"]), (10576, "10576"), "tokens")


@check("process.first-name-answers")
def _(place: Place) -> None:
    engine = _serving(place, "--served-model-name", "one", "two")
    same(_chat(place, engine, model="two").json["model"], "one", "the name in the answer")
    says(_chat(place, engine, model="acme/tiny-chat"), 404, "does not exist")


@check("process.adapters-are-models")
def _(place: Place) -> None:
    engine = _serving(place, "--lora-modules", "sql=/adapters/sql")
    told = _get(place, engine, "/v1/models", KEY).json["data"]
    same([row["id"] for row in told], ["acme/tiny-chat", "sql"], "models")
    same(_chat(place, engine, model="sql").json["model"], "sql", "the name in the answer")


@check("process.health-is-blind")
def _(place: Place) -> None:
    engine = _hanging(place)
    try:
        answered = str(_chat(place, engine, timeout_s=_GLANCE_S).status)
    except httpx.TimeoutException:
        answered = "nothing"
    same(answered, "nothing", "it answers")
    same(_get(place, engine, "/health", WITHOUT).status, 200, "/health")
    same(_get(place, engine, "/v1/models", KEY).status, 200, "/v1/models")


@check("process.counters-tell-a-hang")
def _(place: Place) -> None:
    engine = _hanging(place)
    with _asking(place, engine) as waiting:
        same(_told(place, engine, _GENERATED), 0.0, "tokens")
        place.call("POST", f"{engine.url}/_twin/recover", token=WITHOUT)
        same(waiting.result().status, 200, "status after it recovered")
    holds(_told(place, engine, _GENERATED), "no tokens after it recovered")


@check("process.silent-while-loading")
def _(place: Place) -> None:
    engine = place.engines.start(*_SERVE, environment={"MOORAGE_TWIN_LOADING_S": "60"})
    holds(engine.process is not None, "it listens")
    place.wait(engine.said, lambda log: "Loading" in log, "it tells that it loads")
    holds(not engine.is_open(), "it listens")


@check("process.sheds-load")
def _(place: Place) -> None:
    words = ("--max-num-seqs", "1", "--max-num-queued-reqs", "0")
    engine = _serving(place, *words, environment=_SLOW)
    with _asking(place, engine) as first:
        says(_chat(place, engine), 503)
        same(first.result().status, 200, "status of the one that was there before")


@check("process.more-gpus-than-there-are")
def _(place: Place) -> None:
    seen = {"NVIDIA_VISIBLE_DEVICES": "0"}
    code, log = place.engines.start(
        *_SERVE, "--tensor-parallel-size", "2", environment=seen
    ).ended()
    same(code, 1, "exit code")
    holds("World size (2) is larger" in log, f"the log ends {log[-200:]!r}")


@check("process.longer-than-its-cache")
def _(place: Place) -> None:
    small = {"MOORAGE_TWIN_KV_TOKENS": "4096"}
    code, log = place.engines.start(*_SERVE, "--max-model-len", "8192", environment=small).ended()
    same(code, 1, "exit code")
    holds("max seq len (8192)" in log, f"the log ends {log[-200:]!r}")


@check("process.value-refused")
def _(place: Place) -> None:
    code, log = place.engines.start(*_SERVE, "--max-num-seqs", "many").ended()
    same(code, 2, "exit code")
    holds("invalid int value: 'many'" in log, f"the log ends {log[-200:]!r}")


@check("process.sigterm-aborts")
def _(place: Place) -> None:
    engine = _serving(place, environment=_SLOW)
    with _asking(place, engine) as first:
        engine.end()
        error = first.exception()
    holds(isinstance(error, httpx.TransportError), f"it was not cut off: {error!r}")
    same(engine.ended()[0], 0, "exit code")


@check("process.sigterm-drains")
def _(place: Place) -> None:
    engine = _serving(place, "--shutdown-timeout", "20", environment=_SLOW)
    with _asking(place, engine) as first:
        engine.end()
        place.wait(engine.said, lambda log: "Shutting down" in log, "it tells that it goes")
        late = _chat(place, engine).json["choices"][0]["finish_reason"]
        same((first.result().status, late), (200, "abort"), "the first, and the late one")
    same(engine.ended()[0], 0, "exit code")


@check("process.llamacpp-tells-that-it-loads")
def _(place: Place) -> None:
    loading = {"MOORAGE_TWIN_LOADING_S": "60"}
    engine = place.engines.start("-m", "/models/a.gguf", "--alias", "a", environment=loading)
    says(_get(place, engine.listens(), "/health", WITHOUT), 503, "loading model")


def _serving(place: Place, *words: str, environment: Mapping[str, str] | None = None) -> Started:
    return place.engines.start(*_SERVE, *words, environment=environment).listens()


def _hanging(place: Place) -> Started:
    engine = _serving(place)
    same(place.call("POST", f"{engine.url}/_twin/hang", token=WITHOUT).status, 200, "the order")
    return engine


@contextmanager
def _asking(place: Place, engine: Started) -> Iterator[Future[Answer]]:
    """A request that takes half a second, and is answered while the block runs."""
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(_chat, place, engine)
        place.wait(lambda: _told(place, engine, _RUNNING), lambda got: got == 1, "one runs")
        yield asked


def _get(place: Place, engine: Started, path: str, token: str) -> Answer:
    return place.call("GET", f"{engine.url}{path}", token=token)


def _chat(place: Place, engine: Started, *, timeout_s: float = 30.0, **more: Any) -> Answer:
    body = {"messages": _HELLO, **more}
    url = f"{engine.url}/v1/chat/completions"
    return place.call("POST", url, body, token=KEY, timeout_s=timeout_s)


def _told(place: Place, engine: Started, name: str) -> float | None:
    told = _get(place, engine, "/metrics", WITHOUT).text
    rows = [line for line in told.splitlines() if line.startswith(f"{name}{{")]
    return sum(float(row.rpartition(" ")[2]) for row in rows) if rows else None
