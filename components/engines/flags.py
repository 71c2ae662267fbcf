"""Every flag that a plan decides, one pure function per engine; whoever starts it writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moorage.plan.types import Placement, Plan
from moorage.spec.tasks import TASKS

EMBEDDINGS: Final = "embeddings"  # llama.cpp's, and a mode of Hugging Face's image

_HUB_URL: Final = "https://huggingface.co"
_RANKING: Final = "text-ranking"
_CONTEXT: Final = 4096
_THREADS_BESIDE: Final = 2  # for the probe and for whoever asks for the models


def flags(placement: Placement, plan: Plan) -> dict[str, Any]:
    """The engine's flags, whoever fetches the weights and wherever they lie."""
    return FLAGS[placement.engine or "toolkit"](placement, plan)


def _vllm(placement: Placement, plan: Plan) -> dict[str, Any]:
    tokenizer = plan.tokenizer
    own = {} if tokenizer is None else {"tokenizer": tokenizer.id}
    if tokenizer is not None and tokenizer.revision is not None:
        own["tokenizer-revision"] = tokenizer.revision
    return {**_code(plan), **own, **placement.flags}


def _sglang(placement: Placement, plan: Plan) -> dict[str, Any]:
    return {**_code(plan), **placement.flags}


def _llama_cpp(placement: Placement, plan: Plan) -> dict[str, Any]:
    """The context, the slots and the threads are said in any case; the context is that of all."""
    slots = placement.flags.get("parallel", 1)
    sizes = {
        "ctx-size": (plan.max_model_len or _CONTEXT) * slots,
        "parallel": slots,
        "threads-http": slots + _THREADS_BESIDE,
    }
    return {**sizes, **_llama_task(plan.task), **placement.flags}


def _llama_task(task: str) -> dict[str, Any]:
    if task == _RANKING:
        return {"reranking": True}
    return {} if TASKS[task].generates else {EMBEDDINGS: True}


def _plain(placement: Placement, _plan: Plan) -> dict[str, Any]:
    return dict(placement.flags)


def _code(plan: Plan) -> dict[str, Any]:
    """Code of the repository runs where spec and policy say so, and nowhere else."""
    return {"trust-remote-code": True} if plan.trust_remote_code else {}


def gguf_file(placement: Placement, plan: Plan) -> str:
    """The file that the lock found, for a spec may name it by a pattern."""
    locked = placement.weights.file if placement.weights is not None else None
    return locked or plan.quantization.removeprefix("gguf:")


def gguf_url(placement: Placement, plan: Plan) -> str:
    """Where the Hub has it: llama.cpp pins a file to a commit by its address only."""
    file = gguf_file(placement, plan)
    return f"{_HUB_URL}/{plan.model_id}/resolve/{plan.revision or 'main'}/{file}"


FLAGS: Final[Mapping[str, Callable[[Placement, Plan], dict[str, Any]]]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tei": _plain,
    "llama.cpp": _llama_cpp,
    "toolkit": _plain,
    "custom": _plain,
}
