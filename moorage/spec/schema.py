"""The language as a JSON Schema (draft 2020-12): the one description of what a spec may say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moorage.spec.forms import DIALECT, Schema, record
from moorage.spec.language import DIFFERS, REQUIRED, TOP


def build(options: Mapping[str, Schema]) -> dict[str, Any]:
    """The schema of a spec; `options` holds each placement kind's own schema (see catalog/)."""
    return {
        "$schema": DIALECT,
        "title": "A model service",
        "description": "What a team asks for: a model, where it may run, and how well.",
        **record(TOP | {"providers": _providers(options)}, REQUIRED),
        "$defs": {f"provider-{kind}": _provider(kind, own) for kind, own in options.items()},
    }


def render(schema: Schema) -> str:
    """The text of a published schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


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
    said = own.get("description", "")
    word = {"description": said or f"The placement kind {kind}.", "const": kind}
    properties = {"kind": word, **own.get("properties", {}), "differs": DIFFERS}
    return {"description": said, **record(properties, ("kind", *own.get("required", ())))}
