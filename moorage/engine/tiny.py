"""The generated tiny models: real GGUF files, the same to the byte wherever they are made.

The chat model counts. Each token's embedding is a code of signs, and the output row of the token
that follows carries that code, so the answer is one known sentence and then the numbers in order,
at any temperature: a missing or doubled token shows at once.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

CHAT_TASK: Final = "text-generation"
EMBEDDING_TASKS: Final = ("feature-extraction", "sentence-similarity")
TASKS: Final = (CHAT_TASK, *EMBEDDING_TASKS)

SHA256: Final[Mapping[str, str]] = {
    "chat": "18805f6aa7555911b787194b8f9b3f2ec19b6110ace6ed2696456d9a06ed2b5d",
    "embedding": "5fb7f3d86c8ac0835347adf47958e9888c8b18271696f964c449abbaa9ace2e7",
}

_LAST_NUMBER: Final = 500
_SENTENCE: Final = "I am a tiny model which moorage generated, and all that I do is count:"
_CONTROLS: Final = ("<unk>", "<s>", "</s>")
_WIDTH: Final = 128
_FEED_FORWARD: Final = 256
_HEADS: Final = 4
_BLOCKS: Final = 2
_CONTEXT: Final = 8192
_SEED: Final = {"chat": 0x6D6F6F72, "embedding": 0x61676521}
_BLOCK_WEIGHT: Final = 0.03  # real work for the engine, too weak to drown the codes
_CERTAINTY: Final = 40.0  # logit of the next token; all others stay below a third of it
_TEMPLATE: Final = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:\n{% endif %}"
)


def flavour(task: str) -> str:
    """Which of the two models serves a task: "chat" or "embedding"."""
    return "chat" if task == CHAT_TASK else "embedding"


def served_name(task: str) -> str:
    """The name under which a generated model is served."""
    return f"moorage/tiny-{flavour(task)}"


def file_name(task: str) -> str:
    """The name of the generated file in a cache."""
    return f"tiny-{task}-{SHA256[flavour(task)][:16]}.gguf"


def write(task: str, path: Path) -> None:
    """Generate the model of a task and move it into place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        _generate(flavour(task), draft)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _generate(kind: str, path: str) -> None:
    from gguf import GGUFWriter

    with closing(GGUFWriter(path, "llama")) as writer:
        _describe(writer, kind)
        _add_vocabulary(writer)
        for name, values in _tensors(kind):
            writer.add_tensor(name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()


def _describe(writer: Any, kind: str) -> None:
    writer.add_name(f"moorage tiny {kind}")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_BLOCKS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(_vocabulary()))
    if kind == "embedding":
        writer.add_pooling_type(_mean_pooling())


def _mean_pooling() -> Any:
    from gguf import PoolingType

    return PoolingType.MEAN


def _add_vocabulary(writer: Any) -> None:
    from gguf import TokenType

    tokens = _vocabulary()
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    kinds += [TokenType.BYTE] * 256
    kinds += [TokenType.NORMAL] * (len(tokens) - len(kinds))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(_TEMPLATE)


def _vocabulary() -> list[str]:
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    return [*_CONTROLS, *bytes_, *_answer()]


def _answer() -> list[str]:
    first, *words = _SENTENCE.split()
    numbers = [str(number) for number in range(1, _LAST_NUMBER + 1)]
    return [first, *(f"\u2581{word}" for word in words + numbers)]


def _tensors(kind: str) -> Iterator[tuple[str, Any]]:
    import numpy as np

    noise = _Noise(_SEED[kind])
    embedding = np.sign(noise(len(_vocabulary()), _WIDTH)).astype(np.float32)
    if kind == "chat":
        _share_one_code(embedding)
    yield "token_embd.weight", embedding
    yield "output.weight", _successors(embedding)
    yield "output_norm.weight", np.ones(_WIDTH, dtype=np.float32)
    for block in range(_BLOCKS):
        yield from _block(f"blk.{block}", noise)


def _share_one_code(embedding: Any) -> None:
    """Whatever a prompt ends in leads to the start of the answer."""
    embedding[: _first_of_answer()] = embedding[0]


def _first_of_answer() -> int:
    return len(_CONTROLS) + 256


def _successors(embedding: Any) -> Any:
    import numpy as np

    start, end = _first_of_answer(), len(embedding)
    rows = np.zeros_like(embedding)
    rows[start] = embedding[0]
    rows[start + 1 : end] = embedding[start : end - 1]
    rows[_CONTROLS.index("</s>")] = embedding[end - 1]
    return rows * np.float32(_CERTAINTY / _WIDTH)


def _block(name: str, noise: _Noise) -> Iterator[tuple[str, Any]]:
    import numpy as np

    scale = np.float32(_BLOCK_WEIGHT)
    for norm in ("attn_norm", "ffn_norm"):
        yield f"{name}.{norm}.weight", np.ones(_WIDTH, dtype=np.float32)
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        yield f"{name}.{part}.weight", noise(_WIDTH, _WIDTH) * scale
    for part in ("ffn_gate", "ffn_up"):
        yield f"{name}.{part}.weight", noise(_FEED_FORWARD, _WIDTH) * scale
    yield f"{name}.ffn_down.weight", noise(_WIDTH, _FEED_FORWARD) * scale


class _Noise:
    """Tensors of numbers in (-1, 1), never 0, from a hash of a counter.

    No library's random generator: those may change between versions, this arithmetic cannot.
    """

    def __init__(self, seed: int) -> None:
        self._drawn = seed << 32

    def __call__(self, rows: int, columns: int) -> Any:
        import numpy as np

        count = rows * columns
        counter = np.uint64(self._drawn) + np.arange(count, dtype=np.uint64)
        self._drawn += count
        odd = (_splitmix64(counter) >> np.uint64(40)) | np.uint64(1)
        unit = odd.astype(np.float32) / np.float32(2**23) - np.float32(1)
        return unit.reshape(rows, columns)


def _splitmix64(counter: Any) -> Any:
    import numpy as np

    with np.errstate(over="ignore"):
        mixed = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
