"""What a command line orders: the model, its names, its limits, where to listen, for whom.

It is vLLM's command line first. llama.cpp's, SGLang's and text-embeddings-inference's words for the
same things are understood too. Flags that mean nothing to a twin are taken as they are: which flags
a version of an engine has is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Flags = Mapping[str, Sequence[str]]

VLLM, LLAMA, TEI = "vllm", "llama.cpp", "tei"
_TELLING: Final = {"m": LLAMA, "hf-repo": LLAMA, "alias": LLAMA, "a": LLAMA, "model-id": TEI}
_MODEL: Final = ("model", "model-path", "model-id", "m", "hf-repo")
_LISTEN: Final = ("host", "hostname")
_NAMES: Final = ("served-model-name", "alias", "a")
_LENGTH: Final = ("max-model-len", "context-length", "ctx-size", "c")
_SEQS: Final = ("max-num-seqs", "max-running-requests", "parallel", "np", "max-concurrent-requests")
_RANKS: Final = ("tensor-parallel-size", "tp", "tp-size")
_KEYS: Final = ("VLLM_API_KEY", "LLAMA_API_KEY", "API_KEY")
_FLAG: Final = re.compile(r"--?[A-Za-z][A-Za-z0-9._-]*(=.*)?", re.DOTALL)
_AMOUNT: Final = re.compile(r"(\d+)([kKmM]?)")
_TIMES: Final = {"": 1, "k": 1000, "K": 1 << 10, "m": 1000**2, "M": 1 << 20}
_LAST_PORT: Final = 65_535
_USUAL_LENGTH: Final = 8192
_USUAL_SEQS: Final = 256


class RefusedError(Exception):
    """Words that no engine takes, in argparse's own way of saying so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What an engine is told to be."""

    model: str
    names: tuple[str, ...]  # the first is told in answers
    host: str = "0.0.0.0"  # like vLLM: every interface
    port: int = 8000
    key: str | None = field(default=None, repr=False)
    length_tokens: int = _USUAL_LENGTH
    seqs: int = _USUAL_SEQS  # answered at a time
    queued: int | None = None  # that may wait; None: any number
    ranks: int = 1  # GPUs that one engine is spread over
    engines: int = 1  # of data parallelism
    drain_s: float = 0.0  # after SIGTERM
    adapters: tuple[str, ...] = ()
    style: str = VLLM
    pools: bool = False  # embeddings, instead of text


def read(words: Sequence[str], environment: Mapping[str, str]) -> Order:
    """The order of a command line; raises RefusedError for values that cannot be."""
    flags = dict(_flags(words[1:] if words and words[0] == "serve" else words))
    model = _text(flags, ("", *_MODEL))
    if model is None:
        raise RefusedError("the following arguments are required: model")
    names = tuple(next((flags[name] for name in _NAMES if flags.get(name)), (model,)))
    key = _text(flags, ("api-key",)) or next(filter(None, map(environment.get, _KEYS)), None)
    return Order(
        model=model,
        names=names,
        host=_text(flags, _LISTEN) or "0.0.0.0",
        port=_number(flags, ("port",), least=1, most=_LAST_PORT) or 8000,
        key=key,
        length_tokens=_length(flags),
        seqs=_number(flags, _SEQS, least=1) or _USUAL_SEQS,
        queued=_number(flags, ("max-num-queued-reqs",), least=0),
        ranks=_number(flags, _RANKS, least=1) or 1,
        engines=_number(flags, ("data-parallel-size",), least=1) or 1,
        drain_s=float(_number(flags, ("shutdown-timeout",), least=0) or 0),
        adapters=tuple(word.partition("=")[0] for word in flags.get("lora-modules", ())),
        style=next((style for name, style in _TELLING.items() if name in flags), VLLM),
        pools="model-id" in flags or flags.get("runner") == ["pooling"],
    )


def _flags(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Every flag without its dashes, with the words up to the next; the model has no name."""
    name, values = "", list[str]()
    for word in words:
        if not _FLAG.fullmatch(word):
            values.append(word)
            continue
        yield name, values
        name, equals, value = word.lstrip("-").partition("=")
        name, values = name.replace("_", "-"), [value] if equals else []
    yield name, values


def _text(flags: Flags, names: Sequence[str]) -> str | None:
    return next((flags[name][0] for name in names if flags.get(name)), None)


def _length(flags: Flags) -> int:
    """In vLLM's ways of writing it: 8192, 32k, 32K, auto."""
    if _text(flags, _LENGTH) in ("auto", "-1"):
        return _USUAL_LENGTH
    return _number(flags, _LENGTH, least=1) or _USUAL_LENGTH


def _number(
    flags: Flags, names: Sequence[str], *, least: int, most: int | None = None
) -> int | None:
    name = next((name for name in names if name in flags), None)
    if name is None:
        return None
    text = next(iter(flags[name]), "")
    found = _AMOUNT.fullmatch(text)
    if found is None:
        message = f"argument --{name}: invalid int value: {text!r}"
        raise RefusedError(message)
    value = int(found[1]) * _TIMES[found[2]]
    if value < least or (most is not None and value > most):
        limit = f"at least {least}" + (f" and at most {most}" if most is not None else "")
        message = f"argument --{name}: {value} must be {limit}"
        raise RefusedError(message)
    return value
