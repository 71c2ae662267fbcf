"""The JSON Schema of a lock: what each key means, published as specs/lock.schema.json."""

from __future__ import annotations

from typing import Any, Final

from moorage.plan.locks.lock_read import COMMIT, DAY, FORMATS, GATES, MONEY, ROLES, SHA256
from moorage.plan.locks.lock_text import VERSION

Schema = dict[str, Any]

_MOST: Final = (1 << 63) - 1


def build() -> Schema:
    """The schema, a new one for every caller."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A moorage lock",
        "description": (
            "What the Hugging Face Hub said of the model of the spec beside it, and the prices that"
            " were used, frozen for review. Written by `moorage lock`, not by hand."
            " What is unknown or empty is left out."
        ),
        **_object(
            {
                "lock": {"description": "The version of this format.", "const": VERSION},
                "asked": {"description": "Who was asked, and when.", **_object(_asked())},
                "model": {
                    "description": "The model, at one commit.",
                    **_object(_model(), "id", "revision", "quantization", "files"),
                },
                "offers": _list("A row of the catalogue that the plan uses.", _offer()),
            },
            "lock",
            "asked",
            "model",
        ),
    }


def _asked() -> Schema:
    return {
        "of": _text("The address of the Hub that answered.", "https://huggingface.co"),
        "on": _matched("The day on which it answered.", DAY, "2026-11-24"),
    }


def _model() -> Schema:
    return {
        "id": _text("The repository.", "Qwen/Qwen3-8B"),
        "revision": _commit("The commit that everything here was read at."),
        "quantization": _text("What the spec asked for.", "none", "gguf:*Q4_K_M.gguf"),
        "files": _list("A file of weights that an engine loads.", _file()),
        "license": _license("The licence: an SPDX identifier where there is one."),
        "gated": _gated(),
        "access": _access(),
        "library": _text("The library that the Hub names.", "transformers"),
        "task": _text("The task that the Hub names.", "text-generation"),
        "architecture": _text("The class or family of the model.", "Qwen3ForCausalLM", "llama"),
        "weights": {
            "description": "The format of the weights.",
            "enum": [*FORMATS],
        },
        "remote_code": _flag("Whether loading the model runs code of its repository."),
        "config": {
            "description": (
                "What of config.json decides memory; of a GGUF file its metadata, under `gguf`."
            ),
            "type": "object",
            "examples": [{"hidden_size": 4096, "num_hidden_layers": 36}],
        },
        "tensors": _list("Tensors that differ only by the numbers in their names.", _tensors()),
        "tokenizer_sha256": _sha256("The digest of the tokenizer's file."),
        "chat_template_sha256": _sha256("The digest of the chat template's text."),
        "routes": _list("A provider of the Hugging Face router.", _route(), 3),
        "references": _list("Another repository that the spec names.", _reference(), 3),
    }


def _file() -> Schema:
    return {
        "name": _text("Its path in the repository.", "model-00001-of-00005.safetensors"),
        "size_bytes": _count("Its size in bytes.", 3996250744),
        "sha256": _sha256("Its digest."),
    }


def _tensors() -> Schema:
    return {
        "name": _text("Their name, numbers written as *.", "model.layers.*.mlp.up_proj.weight"),
        "dtype": _text("The type of their numbers as the file says it.", "BF16", "Q4_K"),
        "shape": {
            "description": "Their dimensions in the order of the file.",
            "type": "array",
            "items": _count("A dimension.", 4096),
            "examples": [[12288, 4096]],
        },
        "count": _count("How many there are.", 36),
        "bytes_each": _count("The bytes of one of them.", 100663296),
    }


def _route() -> Schema:
    return {
        "provider": _text("The router's own name of the provider.", "together"),
        "task": _text("The task that it serves.", "conversational"),
        "status": _text("Whether it serves today.", "live", "staging", "error"),
        "provider_id": _text("What the provider calls the model.", "Qwen/Qwen3-8B-Turbo"),
        "context_tokens": _count("The longest request in tokens.", 40960),
        "input_usd_per_mtok": _money("Dollars for a million tokens read."),
        "output_usd_per_mtok": _money("Dollars for a million tokens written."),
    }


def _reference() -> Schema:
    return {
        "role": {
            "description": "What it is wanted for.",
            "enum": [*ROLES],
        },
        "id": _text("The repository.", "acme/support-lora"),
        "revision": _commit("Its commit."),
        "license": _license("Its licence."),
        "gated": _gated(),
        "access": _access(),
        "digests": {
            "description": "The SHA-256 of each of its files that are used.",
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": f"^{SHA256}$"},
            "examples": [{"adapter_model.safetensors": "9f" * 32}],
        },
        "rank": _count("The rank of a LoRA adapter.", 16),
        "size_bytes": _count("The size of an adapter's weights in bytes.", 33588528),
        "base_model": _text("The model that an adapter was trained for.", "Qwen/Qwen3-8B"),
    }


def _offer() -> Schema:
    return {
        "key": _text(
            "The row: kind, vendor, region, name, market.",
            "hf-endpoint/aws/eu-west-1/nvidia-l40s-x1",
        ),
        "usd": _money("Its price in dollars."),
        "per": _text("What the price is for.", "hour", "mtok-input"),
        "date": _matched("The day on which the price was read.", DAY, "2026-11-24"),
    }


def _object(properties: Schema, *required: str) -> Schema:
    """An object without other keys; all are required where none is named."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
        "additionalProperties": False,
    }


def _list(each: str, properties: Schema, required: int | None = None) -> Schema:
    names = tuple(properties)[:required]
    return {
        "description": f"{each} One a line.",
        "type": "array",
        "items": {"description": each, **_object(properties, *names)},
    }


def _text(description: str, *examples: str) -> Schema:
    return {"description": description, "type": "string", "examples": list(examples)}


def _matched(description: str, pattern: str, example: str) -> Schema:
    return _text(description, example) | {"pattern": f"^({pattern})$"}


def _commit(description: str) -> Schema:
    return _matched(description, COMMIT, "b968826d9c46dd6066d109eabc6255188de91218")


def _sha256(description: str) -> Schema:
    return _matched(description, SHA256, "9f" * 32)


def _money(description: str) -> Schema:
    return _matched(description, MONEY, "0.35")


def _license(description: str) -> Schema:
    return _text(description, "Apache-2.0", "LicenseRef-llama3.1")


def _count(description: str, example: int) -> Schema:
    return {
        "description": description,
        "type": "integer",
        "minimum": 0,
        "maximum": _MOST,
        "examples": [example],
    }


def _flag(description: str) -> Schema:
    return {"description": description, "type": "boolean", "examples": [False]}


def _gated() -> Schema:
    return {
        "description": "Whether one must ask for access: false, or how it is given.",
        "enum": [False, *GATES],
    }


def _access() -> Schema:
    return _flag("Whether the token that asked may read the files.")
