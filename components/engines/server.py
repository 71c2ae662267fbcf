"""An engine's whole server where moorage starts it: one pure function per engine.

Containers and cloud-init run the same words. The API key is never among them, for arguments are
seen by whoever lists processes and stand in plain state: `key_variable` names the variable of the
environment that each engine takes it from. SGLang takes it as an argument or from a file of
settings; the start program writes it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.engines import beside
from components.engines.beside import CACHE, HUB, WEIGHTS, is_local, loaded_beside
from components.engines.flags import flags, gguf_file, gguf_url
from components.engines.words import words
from moorage.plan.catalogue.spans import is_older
from moorage.plan.environment import KEYS
from moorage.plan.types import Placement, Plan

PORT: Final = 8000
COMPILED: Final = f"{CACHE}/compiled"  # what an engine compiled and measured for this hardware
DRAIN_SECONDS: Final = 30  # for requests under way, once it shall stop

_EVERYWHERE: Final = "0.0.0.0"  # of the container's own network; the host publishes what it likes
_KEY_FILE: Final = "/tmp/moorage.yaml"  # noqa: S108  of the container, where nobody else is
_SERVES_ITSELF: Final = "0.11.1"  # from here on vLLM's image starts `vllm serve`
_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
_QUIET: Final = {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
_HEALTH: Final = f"http://127.0.0.1:{PORT}/health"
_ASK: Final = f"import urllib.request as r; r.urlopen('{_HEALTH}', timeout=9)"
_BY_PYTHON: Final = ("python3", "-c", _ASK)
_BY_CURL: Final = ("curl", "--fail", "--silent", _HEALTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """What runs in a container, and how it is spoken with."""

    args: tuple[str, ...]  # after the entrypoint
    entrypoint: tuple[str, ...] = ()  # empty: the image's own
    env: Mapping[str, str] = field(default_factory=dict)  # without the key
    key_variable: str
    model: str  # the name under which it serves
    adapters: Mapping[str, str] = field(default_factory=dict)  # clients' names -> its own
    port: int = PORT
    health: str = "/health"
    health_command: tuple[str, ...] = ()  # asks there from inside; empty: nobody knows how
    # What outlives a container -> where it lies in one.
    volumes: Mapping[str, str] = field(default_factory=lambda: {"cache": CACHE})
    metrics: bool = False  # whether it tells vLLM's numbers at /metrics
    shutdown_seconds: int = DRAIN_SECONDS


def server(placement: Placement, plan: Plan) -> Server:
    """The server of a placement whose container moorage starts itself."""
    return SERVERS[placement.engine or "custom"](placement, plan)


def _vllm(placement: Placement, plan: Plan) -> Server:
    told = _told(placement, plan, {"served-model-name": plan.model_id, "host": _EVERYWHERE})
    told |= loaded_beside(placement, plan, "lora-modules") | _own_tokenizer(placement, plan)
    args = (_model(placement, plan), *words("vllm", told | _revision(placement, plan)))
    fetched = beside.fetched(placement, plan)
    is_old = placement.version is not None and is_older(placement.version, _SERVES_ITSELF)
    caches = {"HF_HOME": HUB, "VLLM_CACHE_ROOT": COMPILED, "VLLM_NO_USAGE_STATS": "1"}
    return Server(
        args=("vllm", "serve", *args) if fetched else args,
        entrypoint=beside.start() if fetched else ("vllm", "serve") if is_old else (),
        env=_env(placement, caches | fetched),
        key_variable=KEYS["vllm"],
        health_command=_BY_PYTHON,
        model=plan.model_id,
        adapters={one.called: one.called for one in plan.adapters},
        metrics=True,
        shutdown_seconds=int(told.get("shutdown-timeout", DRAIN_SECONDS)),
    )


def _own_tokenizer(placement: Placement, plan: Plan) -> dict[str, Any]:
    """Where nobody asks the Hub, vLLM's flags of a repository and a commit are of no use."""
    if plan.tokenizer is None or not is_local(placement):
        return {}
    where = beside.place(placement, "tokenizer", plan.tokenizer)
    return {"tokenizer": where, "tokenizer-revision": None}


def _sglang(placement: Placement, plan: Plan) -> Server:
    told = _told(placement, plan, {"served-model-name": plan.model_id, "host": _EVERYWHERE})
    told |= loaded_beside(placement, plan, "lora-paths")
    told |= {"model-path": _model(placement, plan), "config": _KEY_FILE}
    if plan.tokenizer is not None:
        told["tokenizer-path"] = beside.place(placement, "tokenizer", plan.tokenizer)
    caches = {
        "HF_HOME": HUB,
        "TORCHINDUCTOR_CACHE_DIR": f"{COMPILED}/inductor",
        "TRITON_CACHE_DIR": f"{COMPILED}/triton",
    }
    fetched = beside.fetched(placement, plan, tokenizer=True)
    flags_ = words("sglang", told | _revision(placement, plan))
    return Server(
        args=("python3", "-m", "sglang.launch_server", *flags_),
        entrypoint=beside.start(),
        env=_env(placement, caches | fetched | {"MOORAGE_KEY_FILE": _KEY_FILE}),
        key_variable=KEYS["sglang"],
        health_command=_BY_PYTHON,
        model=plan.model_id,
        # By an adapter's name alone SGLang would answer without the adapter.
        adapters={one.called: f"{plan.model_id}:{one.called}" for one in plan.adapters},
    )


def _tei(placement: Placement, plan: Plan) -> Server:
    said = {"served-model-name": plan.model_id, "hostname": _EVERYWHERE}
    told = _told(placement, plan, {**said, "model-id": _model(placement, plan)})
    told |= {"huggingface-hub-cache": HUB} | _revision(placement, plan)
    return Server(
        args=words("tei", told),
        env=_env(placement, {}),
        key_variable=KEYS["tei"],
        health_command=_BY_CURL,
        model=plan.model_id,
    )


def _llama_cpp(placement: Placement, plan: Plan) -> Server:
    told = _told(placement, plan, {"alias": plan.model_id, "host": _EVERYWHERE})
    told |= _gguf(placement, plan)
    return Server(
        args=words("llama.cpp", told),
        env=_env(placement, {"LLAMA_CACHE": HUB}),
        key_variable=KEYS["llama.cpp"],
        health_command=_BY_CURL,
        model=plan.model_id,
    )


def _gguf(placement: Placement, plan: Plan) -> dict[str, Any]:
    """The one file that it loads."""
    if is_local(placement):
        return {"model": f"{WEIGHTS}/{gguf_file(placement, plan)}"}
    return {"model-url": gguf_url(placement, plan)}


def _custom(placement: Placement, plan: Plan) -> Server:
    """An image of one's own learns by its environment what it shall serve, and where."""
    told = flags(placement, plan)
    port = int(told.get("port", PORT))
    known = {"MODEL_ID": _model(placement, plan), "PORT": str(port), "HF_HOME": HUB}
    pinned = {"REVISION": plan.revision} if plan.revision is not None else {}
    return Server(
        args=words("custom", told),
        env=_env(placement, known | pinned),
        key_variable=KEYS["custom"],
        model=plan.model_id,
        port=port,
    )


def _told(placement: Placement, plan: Plan, ours: Mapping[str, Any]) -> dict[str, Any]:
    """The plan's flags, and what only whoever starts the server can say."""
    return {**flags(placement, plan), **ours, "port": PORT}


def _model(placement: Placement, plan: Plan) -> str:
    return WEIGHTS if is_local(placement) else plan.model_id


def _revision(placement: Placement, plan: Plan) -> dict[str, Any]:
    """A folder is what it is."""
    return {} if is_local(placement) else {"revision": plan.revision}


def _env(placement: Placement, ours: Mapping[str, str]) -> dict[str, str]:
    """The spec's own variables come last: a team may know better where its caches lie."""
    offline = _OFFLINE if is_local(placement) else {}
    return {**_QUIET, **offline, **ours, **placement.env}


SERVERS: Final[Mapping[str, Callable[[Placement, Plan], Server]]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tei": _tei,
    "llama.cpp": _llama_cpp,
    "custom": _custom,
}
