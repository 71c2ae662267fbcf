"""Which files of a repository an engine loads: by a pattern, or by the names that are usual."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

GGUF = "gguf:"  # how a quantization names one file, or one of the parts of a file

_SAFETENSORS = re.compile(r"[^/]+\.safetensors")
_PICKLE = re.compile(r"[^/]+\.(bin|pt|pth|pkl|pickle|ckpt)")
_SHARD = re.compile(r"(?P<stem>.+)-[0-9]{5}-of-(?P<of>[0-9]{5})(?P<ending>\.[a-z]+)")
_NOT_WEIGHTS = re.compile(
    r"adapter_model|training_args|optimizer|scheduler|rng_state|random_states|consolidated", re.I
)
_CONSOLIDATED = re.compile(r"consolidated[^/]*\.safetensors")  # Mistral's own form, often alone
_VARIANT = re.compile(r"\.(fp16|fp32|bf16|non_ema|ema)[.-]")
_FORMATS: Final[dict[str, tuple[re.Pattern[str], tuple[str, ...]]]] = {
    "safetensors": (_SAFETENSORS, ("model", "diffusion_pytorch_model")),
    "pickle": (_PICKLE, ("pytorch_model", "model")),
}


def matching(names: Sequence[str], quantization: str) -> tuple[str, ...]:
    """The files that `gguf:<name or pattern>` names; an exact name beats a pattern.

    Of a model in parts, whichever is named stands for all of them, as llama.cpp loads them.
    """
    pattern = quantization.removeprefix(GGUF)
    found = [name for name in names if fnmatchcase(name, pattern)]
    if pattern in names:
        found = [pattern]
    parts = next((group for group in _shards(sorted(names)) if {*found} & {*group}), [])
    return tuple(parts if {*found} <= {*parts} else found)


def is_whole(names: Sequence[str]) -> bool:
    """Whether these files are one model: a single file, or all the parts of one."""
    is_part = any(map(_SHARD.fullmatch, names))
    return _shards(sorted(names)) == [sorted(names)] if is_part else len(names) == 1


def of_all_parts(name: str) -> str:
    """The pattern that all parts of a file match, whichever is named; of a whole one its name."""
    part = _SHARD.fullmatch(name)
    return name if part is None else f"{part['stem']}-*-of-{part['of']}{part['ending']}"


def loaded(names: Sequence[str], quantization: str) -> tuple[str, tuple[str, ...]]:
    """The format of the weights and the files that hold them."""
    if quantization.startswith(GGUF):
        return "gguf", matching(names, quantization)
    for form, (pattern, usual) in _FORMATS.items():
        top = [name for name in names if _is_of(pattern, name)]
        found = _one_set(top, usual) or _below(names, pattern)
        if found:
            return form, tuple(sorted(found))
    whole = tuple(sorted(name for name in names if _CONSOLIDATED.fullmatch(name)))
    if whole:
        return "safetensors", whole
    if any(name.endswith(".gguf") for name in names):
        return "gguf", ()
    return "other", ()


def _is_of(pattern: re.Pattern[str], name: str) -> bool:
    return bool(pattern.fullmatch(name)) and not _NOT_WEIGHTS.search(name)


def _one_set(names: Iterable[str], usual: tuple[str, ...]) -> list[str]:
    """The file that is usually loaded, else a whole set of shards, else everything."""
    given = sorted(name for name in names if not _VARIANT.search(name))
    stems = {name.rpartition(".")[0]: name for name in given}
    for stem in usual:
        if stem in stems:
            return [stems[stem]]
        for shards in _shards(given):
            if shards[0].startswith(f"{stem}-"):
                return shards
    return next(iter(_shards(given)), given)


def _shards(names: list[str]) -> list[list[str]]:
    sets: dict[tuple[str, str], list[str]] = {}
    for name in names:
        found = _SHARD.fullmatch(name)
        if found:
            sets.setdefault((found["stem"], found["of"]), []).append(name)
    return [group for (_, of), group in sets.items() if len(group) == int(of)]


def _below(names: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    """A pipeline keeps each of its models in a folder of its own."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, base = name.rpartition("/")
        if folder and f"{folder}/model_index.json" not in names and _is_of(pattern, base):
            folders.setdefault(folder, []).append(base)
    usual = _FORMATS["safetensors"][1] + _FORMATS["pickle"][1]
    return [
        f"{folder}/{base}" for folder, group in folders.items() for base in _one_set(group, usual)
    ]
