"""How a repository says that its weights are quantized, in the words of a spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

NONE: Final = "none"

_METHODS: Final[dict[str, str]] = {
    "awq": "awq",
    "auto_awq": "awq",
    "awq_marlin": "awq",
    "bitsandbytes": "bitsandbytes",
    "deepseek_v4_fp8": "fp8",
    "experts_int8": "int8",
    "fbgemm_fp8": "fp8",
    "fp8": "fp8",
    "auto_gptq": "gptq",
    "gptq": "gptq",
    "gptq_marlin": "gptq",
    "gpt_oss_mxfp4": "mxfp4",
    "modelopt_fp4": "nvfp4",
    "mxfp4": "mxfp4",
    "mxfp8": "fp8",
    "nvfp4": "nvfp4",
    "w8a8_fp8": "fp8",
    "w8a8_int8": "int8",
}
_FORMATS: Final[dict[str, str]] = {  # of compressed-tensors, where the format says it all
    "float-quantized": "fp8",
    "int-quantized": "int8",
    "mxfp4-pack-quantized": "mxfp4",
    "mxfp8-quantized": "fp8",
    "nvfp4-pack-quantized": "nvfp4",
}
_NUMBERS: Final = {
    ("float", 8): "fp8",
    ("float", 4): "nvfp4",
    ("int", 8): "int8",
    ("int", 4): "int4",
}
_DEMANDING: Final = ("nvfp4", "mxfp4", "int4", "fp8", "int8")  # which of several names the whole


def quantization_of(config: Mapping[str, Any]) -> str:
    """The method in the words of a spec; one that has no word here as the repository calls it."""
    for part in _parts(config):
        own = _mapping(part.get("quantization_config")) or _mapping(part.get("compression_config"))
        modelopt = _mapping(part.get("hf_quant_config"))
        if own:
            return _word(own)
        if modelopt:
            return _algorithm(modelopt)
    return NONE


def block_of(config: Mapping[str, Any]) -> tuple[int, int] | None:
    """The block of weights that shares a scale (out, in), where 8-bit floats come in blocks."""
    for part in _parts(config):
        size = _mapping(part.get("quantization_config")).get("weight_block_size")
        if isinstance(size, (list, tuple)) and len(size) == 2 and all(map(_is_count, size)):
            return size[0], size[1]
    return None


def _parts(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The config itself, and that of the language model inside it."""
    yield config
    yield _mapping(config.get("text_config"))


def _word(own: Mapping[str, Any]) -> str:
    method = _text(own.get("quant_method")).replace("_", "-")
    if method == "compressed-tensors" or (not method and "config_groups" in own):
        return _compressed(own)
    if method == "modelopt" or (not method and "quant_algo" in own):
        return _algorithm(own)
    if not method and isinstance(own.get("quantization"), Mapping):
        return _algorithm(own["quantization"])
    if method in ("inc", "auto-round", "intel/auto-round"):
        return _rounded(own)
    plain = method.replace("-", "_")
    return _METHODS.get(plain) or method or "of a method it does not name"


def _algorithm(own: Mapping[str, Any]) -> str:
    """What NVIDIA's Model Optimizer wrote."""
    algorithm = _text(own.get("quant_algo"))
    if not algorithm:
        return NONE
    if "fp4" in algorithm:
        return "mxfp4" if "mxfp4" in algorithm else "nvfp4"
    if "fp8" in algorithm or "mixed" in algorithm:
        return "fp8"
    if "int8" in algorithm:
        return "int8"
    return "awq" if "awq" in algorithm else algorithm


def _compressed(own: Mapping[str, Any]) -> str:
    if _text(own.get("quantization_status")) == "dense":
        return NONE
    found = {_FORMATS.get(_text(own.get("format")), "")}
    for group in map(_mapping, list(_mapping(own.get("config_groups")).values())[:64]):
        weights = _mapping(group.get("weights"))
        number = _number(_text(weights.get("type")) or "int", weights.get("num_bits"))
        found.add(_FORMATS.get(_text(group.get("format"))) or number)
    if "mxfp4" in found:
        found.discard("nvfp4")
    return next((word for word in _DEMANDING if word in found), "compressed-tensors")


def _rounded(own: Mapping[str, Any]) -> str:
    packing = _text(own.get("packing_format")) + _text(own.get("backend"))
    for word in ("gptq", "awq"):
        if word in packing:
            return word
    return _number("int", own.get("bits")) or "auto-round"


def _number(kind: str, bits: object) -> str:
    return _NUMBERS.get((kind, bits), "") if isinstance(bits, int) else ""


def _text(value: object) -> str:
    return value.lower()[:60] if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0
