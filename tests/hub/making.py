"""Small true files of weights, as the libraries of their formats write them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

BYTES_EACH = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "U8": 1}


def safetensors(tensors: Mapping[str, tuple[str, Sequence[int]]], *, pad: int = 0) -> bytes:
    """A safetensors file of zeros: name -> (dtype, shape)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape) in tensors.items():
        start, end = end, end + BYTES_EACH[dtype] * int(np.prod(shape, dtype=np.int64))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode() + b" " * pad
    return struct.pack("<Q", len(text)) + text + bytes(end)


def write_gguf(
    path: Path, *, words: int = 300, layers: int = 3, template: str | None = None, part: int = 0
) -> Path:
    """A GGUF file of the Llama architecture, written by the format's own library.

    With `part` tensors to a file it writes parts, `tiny-00001-of-00004.gguf` and so on.
    """
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=part)
    writer.add_name("a name that facts leave out")
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_block_count(layers)
    writer.add_head_count(4)
    writer.add_head_count_kv([2] * layers)
    writer.add_key_length(16)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"word{number}" for number in range(words)])
    writer.add_token_scores([0.0] * words)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    if template is not None:
        writer.add_chat_template(template)
    writer.add_tensor("token_embd.weight", np.zeros((words, 64), dtype=np.float32))
    quantised = np.zeros((64, 64 // 32 * 34), dtype=np.uint8)
    for layer in range(layers):
        name = f"blk.{layer}.attn_q.weight"
        writer.add_tensor(name, quantised, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.zeros(64, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
