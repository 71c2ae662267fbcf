"""The facts that stand in a repository's files: configuration, headers of weights, digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec.structs import replace

from moorage.hub import about, gguf, tensors
from moorage.hub.door import FILE_BYTES, Door, Repository
from moorage.hub.faults import refuse
from moorage.plan.facts import ModelFacts, RepoFile
from moorage.plan.locks.config_facts import config_facts

CONFIG = "config.json"
MODELOPT = "hf_quant_config.json"  # where NVIDIA's quantiser writes what others put into CONFIG
PIPELINE = "model_index.json"  # a diffusion pipeline has this instead of CONFIG
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tekken.json", "spiece.model", "vocab.txt")
TOKENIZER_CONFIG = "tokenizer_config.json"
TEMPLATES = ("chat_template.jinja", "chat_template.json", TOKENIZER_CONFIG)

_CONFIG_BYTES = 4 << 20
_GENERAL = ("architecture", "file_type", "quantization_version", "type", "size_label")
_TOKENIZER = ("model", "pre")
_GGUF_KEPT = {
    *(f"general.{key}" for key in _GENERAL),
    *(f"tokenizer.ggml.{key}" for key in _TOKENIZER),
}
_VOCABULARY = "tokenizer.ggml.tokens"


def hub_model(
    door: Door,
    repo: Repository,
    known: ModelFacts,
    sizes: Mapping[str, int],
    weights: Sequence[RepoFile],
) -> ModelFacts:
    """The facts of a model in the form of the transformers library."""
    config = read_object(door, repo, CONFIG, sizes)
    pipeline = read_object(door, repo, PIPELINE, sizes) if not config else {}
    tokenizer = read_object(door, repo, TOKENIZER_CONFIG, sizes)
    named = (*about.listed(config.get("architectures")), pipeline.get("_class_name"))
    header = known.weights == "safetensors"
    return replace(
        known,
        architecture=next(filter(about.text, named), known.architecture),
        remote_code=bool(config.get("auto_map") or tokenizer.get("auto_map")),
        config=_config(config, read_object(door, repo, MODELOPT, sizes)),
        tensors=tensors.of_safetensors(door, repo, weights) if header else (),
        tokenizer_sha256=tokenizer_digest(door, repo, known.files, sizes),
        chat_template_sha256=template_digest(door, repo, sizes, TEMPLATES),
    )


def gguf_model(
    door: Door, repo: Repository, known: ModelFacts, files: Sequence[RepoFile]
) -> ModelFacts:
    """The facts of a model in one GGUF file, or in its parts; the first says what it is."""
    headers = [_gguf_header(door, repo, file) for file in files]
    first = headers[0]
    return replace(
        known,
        architecture=about.text(first.values.get("general.architecture")) or known.architecture,
        config={"gguf": _gguf_config(first)},
        tensors=tensors.grouped(chain.from_iterable(one.tensors for one in headers)),
        chat_template_sha256=None if first.template is None else _sha256(first.template),
    )


def _gguf_header(door: Door, repo: Repository, file: RepoFile) -> gguf.Header:
    path = repo.file(file.name)
    try:
        return gguf.header(lambda start, stop: door.span(path, start, stop), file.size_bytes)
    except gguf.NotGgufError as error:
        message = f"{repo.id}: {file.name} is no GGUF file: {error}"
        refuse(message)


def tokenizer_digest(
    door: Door, repo: Repository, files: Sequence[RepoFile], sizes: Mapping[str, int]
) -> str | None:
    """The digest of the file that holds the vocabulary."""
    name = next((name for name in TOKENIZERS if name in sizes), None)
    return None if name is None else digest(door, repo, files, name)


def digest(door: Door, repo: Repository, files: Sequence[RepoFile], name: str) -> str:
    """The SHA-256 of a file, as the Hub lists it or else as it is."""
    listed = next((file.sha256 for file in files if file.name == name), None)
    return listed or hashlib.sha256(door.content(repo.file(name), limit=FILE_BYTES)).hexdigest()


def template_digest(
    door: Door, repo: Repository, sizes: Mapping[str, int], names: Sequence[str]
) -> str | None:
    """The digest of the first chat template, wherever it stands, so that copies of it are alike."""
    for name in names:
        template = _template(door, repo, sizes, name)
        if template is not None:
            return _sha256(template)
    return None


def _template(door: Door, repo: Repository, sizes: Mapping[str, int], name: str) -> str | None:
    if name.endswith(".json"):
        found = read_object(door, repo, name, sizes).get("chat_template")
        if isinstance(found, list):  # several, each with a name
            return json.dumps(found, sort_keys=True)
        return found if isinstance(found, str) and found else None
    if name not in sizes:
        return None
    return door.content(repo.file(name), limit=_CONFIG_BYTES).decode("utf-8", "replace")


def _config(config: Mapping[str, Any], modelopt: Mapping[str, Any]) -> dict[str, Any]:
    quantised = {"hf_quant_config": modelopt["quantization"]} if "quantization" in modelopt else {}
    return config_facts({**config, **quantised})


def _gguf_config(header: gguf.Header) -> dict[str, Any]:
    """What decides memory; names, authors and the vocabulary itself are left out."""
    architecture = f"{header.values.get('general.architecture')}."
    kept = {
        key: value
        for key, value in sorted(header.values.items())
        if key.startswith(architecture) or key in _GGUF_KEPT
    }
    words = header.lengths.get(_VOCABULARY)
    return kept if words is None else {**kept, "vocab_size": words}


def read_object(
    door: Door, repo: Repository, name: str, sizes: Mapping[str, int]
) -> Mapping[str, Any]:
    """The JSON object that a file holds; an empty one where there is no such file."""
    if name not in sizes:
        return {}
    content = door.content(repo.file(name), limit=_CONFIG_BYTES)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        message = f"{repo.id}: {name} is not JSON"
        refuse(message)
    if not isinstance(found, dict):
        refuse(f"{repo.id}: {name} holds no object")
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
