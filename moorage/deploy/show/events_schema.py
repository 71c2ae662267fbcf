"""The JSON Schema of the events that `--display json` prints; `docs/events.schema.json` is it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from moorage.deploy.show.json_lines import VERSION

_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "number", "minimum": 0}
_USD: Final = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2,}$"}
_TRUE: Final = {"const": True}
_COUNTS: Final = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
_OPERATION: Final = {"operation": _TEXT, "stack": _TEXT}
_RESOURCE: Final = {"urn": _TEXT, "type": _TEXT, "name": _TEXT}
_STEP: Final = {**_RESOURCE, "step": _TEXT}
_PRICED: Final = {"parent": _TEXT, "hourly_usd": _USD}
_OVER: Final = {
    "duration_s": _SECONDS,
    "reason": _TEXT,
    "drift": _TRUE,
    "changes": {"type": "array", "items": {"$ref": "#/$defs/change"}, "minItems": 1},
}
_CHANGE: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["property", "kind"],
    "additionalProperties": False,
    "properties": {
        "property": _TEXT,
        "kind": {"enum": ["add", "update", "delete"]},
        "replaces": _TRUE,
        "secret": _TRUE,
        "unknown": _TRUE,
        "old": {},
        "new": {},
    },
}


def build() -> dict[str, Any]:
    """The schema of one line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One line of `--display json`, version {VERSION}",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in _EVENTS],
        "$defs": {**_EVENTS, "change": _CHANGE},
    }


def render() -> str:
    """The schema as it lies beside the docs."""
    return json.dumps(build(), indent=2) + "\n"


def _event(
    name: str, what: str, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "description": what,
        "type": "object",
        "required": ["event", "time", *required],
        "additionalProperties": False,
        "properties": {
            "event": {"const": name},
            "time": {"type": "string", "format": "date-time"},
            "version": {"const": VERSION},
            **required,
            **(optional or {}),
        },
    }


_RESULT: Final = {
    **_OPERATION,
    "fine": {"type": "boolean"},
    "changed": {"type": "boolean"},
    "changes": _COUNTS,
    "duration_s": _SECONDS,
    "outputs": {
        "type": "object",
        "additionalProperties": {"enum": ["added", "changed", "removed"]},
    },
}
_MONEY: Final = {
    "type": "object",
    "required": ["before_hourly_usd", "after_hourly_usd"],
    "additionalProperties": False,
    "properties": {"before_hourly_usd": _USD, "after_hourly_usd": _USD},
}
_EVENTS: Final[dict[str, dict[str, Any]]] = {
    "began": _event("began", "The operation began.", _OPERATION),
    "started": _event("started", "A step on one resource began.", _STEP, _PRICED),
    "finished": _event("finished", "A step is done.", _STEP, {**_PRICED, **_OVER}),
    "failed": _event("failed", "A step failed.", _STEP, {**_PRICED, **_OVER}),
    "said": _event(
        "said",
        "The engine, the provider or the program said something.",
        {"severity": {"enum": ["info", "warning", "error"]}, "text": _TEXT},
        {**_RESOURCE, "newest_only": _TRUE},
    ),
    "note": _event("note", "moorage itself said something.", {"text": _TEXT}),
    "result": _event("result", "The operation is over.", _RESULT, {"money": _MONEY}),
}

if __name__ == "__main__":
    sys.stdout.write(render())
