"""The language as a JSON Schema (draft 2020-12): the one description of what a spec may say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moorage.spec import units

API_VERSION = "moorage/v1"
TASKS = ("text-generation", "feature-extraction", "sentence-similarity")
TIERS = ("public", "internal", "confidential", "restricted")  # least to most strict
LABEL = r"^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$"

Schema = Mapping[str, Any]


def build(options: Mapping[str, Schema]) -> dict[str, Any]:
    """The schema of a spec; `options` holds each placement kind's own schema (see catalog/)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A model service",
        "description": "What a team asks for: a model, where it may run, and how well.",
        **_object(_TOP | {"providers": _providers(options)}, _TOP_REQUIRED),
        "$defs": {f"provider-{kind}": _provider(kind, own) for kind, own in options.items()},
    }


def render(schema: Schema) -> str:
    """The text of `specs/schema.json`."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _object(properties: Schema, required: tuple[str, ...] = ()) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if required:
        shape["required"] = list(required)
    return shape | {"additionalProperties": False}


def _section(description: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {"description": description, **_object(properties, required)}


def _providers(options: Mapping[str, Schema]) -> Schema:
    return {
        "description": "Where it may run, in order: who is asked first, who takes over.",
        "type": "array",
        "minItems": 1,
        "maxItems": 16,
        "items": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": list(options)}},
            "discriminator": {"propertyName": "kind"},
            "oneOf": [{"$ref": f"#/$defs/provider-{kind}"} for kind in options],
        },
    }


def _provider(kind: str, own: Schema) -> Schema:
    properties = {"kind": {"const": kind}, **own.get("properties", {})}
    shape = _object(properties, ("kind", *own.get("required", ())))
    return {"description": own.get("description", ""), **shape}


def _text(description: str, **more: Any) -> Schema:
    return {"description": description, "type": "string", "minLength": 1, "maxLength": 300, **more}


def _choice(description: str, values: tuple[str, ...], default: str) -> Schema:
    return {
        "description": description,
        "type": "string",
        "enum": list(values),
        "default": default,
    }


def _count(description: str, most: int, **more: Any) -> Schema:
    return {"description": description, "type": "integer", "minimum": 1, "maximum": most, **more}


def _label(description: str, example: str) -> Schema:
    return {
        "description": description,
        "type": "string",
        "format": "label",
        "pattern": LABEL,
        "errorMessage": "must be at most 24 lower-case letters, digits and hyphens, a letter first",
        "examples": [example],
    }


def _duration(description: str, example: str) -> Schema:
    return {
        "description": description,
        "type": "string",
        "format": "duration-with-unit",
        "pattern": units.DURATION,
        "errorMessage": "must be a duration with its unit such as 800ms, 2s or 30m",
        "examples": [example],
    }


_MODEL = {
    "id": _text(
        "A repository of the Hugging Face Hub, or the path of a GGUF file (absolute, with ~/, or "
        "relative to this file).",
        examples=["bartowski/SmolLM2-135M-Instruct-GGUF", "~/models/mine.gguf"],
    ),
    "revision": _text(
        "The commit of the repository, 40 hexadecimal digits; not used for a file.",
        examples=["09816acd5d99df7be770d85ea30822623dab342c"],
    ),
    "task": _choice("What the model is for, in the Hub's words.", TASKS, TASKS[0]),
    "quantization": {
        "description": "Which weights: none, or the one GGUF file that a name or pattern matches.",
        "type": "string",
        "pattern": r"^(none|gguf:[^\s:]+)$",
        "maxLength": 300,
        "errorMessage": "must be none or gguf:<file name or pattern>",
        "default": "none",
        "examples": ["gguf:SmolLM2-135M-Instruct-Q4_K_M.gguf", "gguf:*Q4_K_M.gguf"],
    },
    "max_model_len": _count("Tokens of a prompt and its answer together.", 10_000_000),
    "offline": _choice(
        "Where the Hub cannot be reached: refuse, or serve the tiny model made by moorage itself.",
        ("refuse", "tiny"),
        "refuse",
    ),
}

_PRIVACY = {
    "tier": _choice(
        "public: anything. internal: authenticated access only, nothing kept or trained on. "
        "confidential: dedicated hardware. restricted: own hosts only, nothing leaves them.",
        TIERS,
        "internal",
    ),
}

_BUDGET = {
    "monthly_usd": {
        "description": "The most that a month may cost, in US dollars.",
        "type": "number",
        "format": "money",
        "minimum": 0,
        "maximum": 1_000_000_000,
        "errorMessage": "must be US dollars a month such as 0, 25 or 19.99",
        "default": 0,
        "examples": [0, 2500],
    },
    "on_breach": _choice("What to do when the worst case costs more.", ("refuse",), "refuse"),
}

_SLO = {
    "ttft_p95": _duration("Time to the first token, 95 of 100 requests.", "800ms"),
    "tpot_p95": _duration("Time per further token, 95 of 100 requests.", "40ms"),
    "error_rate": {
        "description": "The largest share of requests that may fail.",
        "type": "string",
        "format": "percent",
        "pattern": units.PERCENT,
        "errorMessage": "must be a percentage such as 0.5%",
        "examples": ["0.5%"],
    },
}

_FAILOVER = {
    "time_to_recover": _duration("From the failure to the next good answer, at most.", "15s"),
    "lost_before_first_token": {
        "description": "How many requests without a first token yet may be lost.",
        "type": "integer",
        "minimum": 0,
        "maximum": 1_000_000,
        "examples": [0],
    },
}

_LOAD = {
    "rps": {
        "description": "Requests per second to be expected.",
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 100_000,
        "default": 4,
    },
    "input_tokens": _count("Tokens of a usual prompt.", 10_000_000, default=32),
    "output_tokens": _count("Tokens of a usual answer.", 10_000_000, default=16),
}

_TOP_REQUIRED = ("apiVersion", "kind", "name", "team", "model", "providers")
_TOP: dict[str, Any] = {
    "apiVersion": {"description": "The version of this language.", "const": API_VERSION},
    "kind": {"description": "What the file describes.", "const": "ModelService"},
    "name": _label("The name of the service, unique among all specs.", "support-chat"),
    "team": _label("Who answers for it.", "support"),
    "model": _section("Which weights, and for what.", _MODEL, ("id",)),
    "privacy": _section("How private the requests are.", _PRIVACY),
    "budget": _section("What it may cost.", _BUDGET),
    "providers": {},
    "slo": _section("How well it must answer; the load test measures it.", _SLO),
    "failover": _section("What the failover test accepts.", _FAILOVER),
    "load": _section("The load to expect; load tests use it.", _LOAD),
}
