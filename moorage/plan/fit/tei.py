"""A rough memory model of Text Embeddings Inference: weights, and one batch of tokens at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from moorage.plan.fit import lengths, rough
from moorage.plan.fit.fields import text_of
from moorage.plan.fit.rough import GIB, bare
from moorage.plan.fit.types import Fit, Question, Span

BATCH_TOKENS: Final = 16384  # the server's own default
BATCHES: Final = (16384, 8192, 4096, 2048, 1024, 512)  # that are proposed in its place
_FLASH_LEAST: Final = 8.0  # compute capability; older GPUs hold whole attention matrices
_HEAD_BYTES: Final = 4  # scores of attention are kept in 32 bits
_HOST_SHARE: Final = 0.85  # of main memory: the rest is the system's


def fit(question: Question, calibration: object) -> Fit:  # noqa: ARG001  one signature for all
    """Whether weights and a full batch fit; where they may not, with what would change that."""
    proof = _fit(question)
    if proof.verdict in ("fits", "unknown"):
        return proof
    return replace(proof, changes=(*_smaller(question, proof), "a larger machine"))


def _fit(question: Question) -> Fit:
    """Whether weights and a full batch fit into one GPU, or into main memory."""
    config = text_of(question.facts.config)
    hidden, deep = bare(config.get("hidden_size")), bare(config.get("intermediate_size"))
    own = lengths.longest(question.facts.config)
    length = question.max_model_len or own
    if hidden is None or length is None:
        return rough.unknown("its config does not say hidden_size and the longest input")
    weights = _weights(question)
    if weights is None:
        return rough.unknown("the lock does not say how large the weights are")
    room = _room(question)
    if room is None:
        return rough.unknown("the main memory of the machine is not known")
    batch = max(question.max_num_batched_tokens or BATCH_TOKENS, length)
    heads = bare(config.get("num_attention_heads")) or 1
    longest = min(own or length, batch)  # it takes what model and batch let it, whatever we say
    parts = {
        "weights": weights,
        "activations": _activations(question, batch, hidden, deep or 4 * hidden, heads * longest),
        "other": rough.CUDA_GIB if question.gpu else Span(low=0.2, high=0.6),
    }
    is_cut = own is not None and own > batch
    return _answer(question, parts, room, batch=batch, length=length, is_cut=is_cut)


def _answer(
    question: Question,
    parts: Mapping[str, Span],
    room: float,
    *,
    batch: int,
    length: int,
    is_cut: bool,
) -> Fit:
    used = rough.total(parts)
    found = rough.verdict(used, room)
    return Fit(
        verdict=found,
        because=rough.because(used, room, rough.largest(parts)),
        confidence=rough.CONFIDENCE,
        usable_gib=question.gpu.usable_gib if question.gpu else room,
        budget_gib=room,
        parts=parts,
        longest_len=length if found == "fits" else 0,
        concurrency_full=round(batch / length, 2),
        concurrency_load=round(batch / max(question.load.input_tokens, 1), 2),
        flags=_flags(question, batch, is_cut=is_cut),
    )


def _flags(question: Question, batch: int, *, is_cut: bool) -> dict[str, Any]:
    """With a batch below what the model takes it must cut inputs off, or it does not start."""
    flags: dict[str, Any] = {
        "dtype": "float16" if question.gpu else "float32",
        "max-batch-tokens": batch,
    }
    if question.max_num_seqs is not None:
        flags["max-batch-requests"] = question.max_num_seqs
    if is_cut:
        flags["auto-truncate"] = True
    return flags


def _smaller(question: Question, proof: Fit) -> Iterator[str]:
    """The largest smaller batch that surely fits, with inputs as long as it at most."""
    for tokens in BATCHES:
        if tokens < proof.flags["max-batch-tokens"]:
            asked = question.max_model_len
            shorter = asked if asked is not None and asked <= tokens else tokens
            way = replace(question, max_num_batched_tokens=tokens, max_model_len=shorter)
            if _fit(way).verdict == "fits":
                also = "" if shorter == asked else f" with model.max_model_len: {shorter}"
                yield f"serving.max_num_batched_tokens: {tokens}{also}"
                return


def _weights(question: Question) -> Span | None:
    """It loads everything in one precision: 16 bits on a GPU, 32 without."""
    size = 2 if question.gpu else 4
    count = rough.parameters(question.facts)
    if count:
        exact = count * size / GIB
        return Span(low=exact, high=exact * 1.02)
    stored = rough.weight_bytes(question.facts)
    if not stored:
        return None
    return Span(low=stored / GIB * size / 4, high=stored / GIB * size / 2)


def _activations(question: Question, batch: int, hidden: int, deep: int, scores: int) -> Span:
    """What one batch has in memory in the widest layer, without and with copies of it."""
    size = 2 if question.gpu else 4
    low = batch * (4 * hidden + deep) * size
    high = batch * (16 * hidden + 4 * deep) * size
    if question.gpu is None or question.gpu.capability < _FLASH_LEAST:
        high += batch * scores * (size + _HEAD_BYTES)
    return Span(low=low / GIB, high=high / GIB)


def _room(question: Question) -> float | None:
    """It serves from one GPU, however many there are."""
    if question.gpu is not None:
        return question.gpu.usable_gib
    return None if question.host_gib is None else question.host_gib * _HOST_SHARE
