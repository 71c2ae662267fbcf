"""The building blocks of our schemas: text, choices, counts, durations, money, sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moorage.spec import units

Schema = Mapping[str, Any]

LABEL = r"^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$"
COMMIT_EXAMPLE = "b968826d9c46dd6066d109eabc6255188de91218"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def record(properties: Schema, required: Iterable[str] = ()) -> dict[str, Any]:
    """A mapping of known keys; any other key is refused."""
    shape: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if needed := list(required):
        shape["required"] = needed
    return shape | {"additionalProperties": False}


def section(description: str, properties: Schema, required: Iterable[str] = ()) -> Schema:
    return {"description": description, **record(properties, required)}


def table(description: str, names: str, values: Schema, **more: Any) -> Schema:
    """A mapping whose keys the writer chooses; `names` is their pattern."""
    return {
        "description": description,
        "type": "object",
        "propertyNames": {"pattern": names},
        "additionalProperties": values,
        "maxProperties": 200,
        **more,
    }


def rows(description: str, items: Schema, *, most: int = 64, **more: Any) -> Schema:
    return {"description": description, "type": "array", "items": items, "maxItems": most, **more}


def text(description: str, **more: Any) -> Schema:
    return {"description": description, "type": "string", "minLength": 1, "maxLength": 300, **more}


def words(description: str, *, most: int = 64, examples: list[Any] | None = None) -> Schema:
    """A list of texts."""
    more = {"examples": examples} if examples else {}
    return rows(
        description, {"type": "string", "minLength": 1, "maxLength": 300}, most=most, **more
    )


def choice(description: str, values: Iterable[str], default: str | None = None) -> Schema:
    more = {} if default is None else {"default": default}
    return {"description": description, "type": "string", "enum": list(values), **more}


def switch(description: str, *, default: bool = False) -> Schema:
    return {"description": description, "type": "boolean", "default": default}


def count(description: str, most: int, **more: Any) -> Schema:
    return {"description": description, "type": "integer", "minimum": 1, "maximum": most, **more}


def label(description: str, example: str) -> Schema:
    return {
        "description": description,
        "type": "string",
        "format": "label",
        "pattern": LABEL,
        "errorMessage": "must be at most 24 lower-case letters, digits and hyphens, a letter first",
        "examples": [example],
    }


def duration(description: str, example: str, **more: Any) -> Schema:
    return {
        "description": description,
        "type": "string",
        "format": "duration-with-unit",
        "pattern": units.DURATION,
        "errorMessage": "must be a duration with its unit such as 800ms, 2s or 30m",
        "examples": [example],
        **more,
    }


def percent(description: str, example: str, **more: Any) -> Schema:
    return {
        "description": description,
        "type": "string",
        "format": "percent",
        "pattern": units.PERCENT,
        "errorMessage": "must be a percentage such as 0.5%",
        "examples": [example],
        **more,
    }


def money(description: str, **more: Any) -> Schema:
    return {
        "description": description,
        "type": "number",
        "format": "money",
        "minimum": 0,
        "maximum": 1_000_000_000,
        "errorMessage": "must be US dollars such as 0, 25 or 19.99",
        **more,
    }


def day(description: str, example: str) -> Schema:
    return {
        "description": description,
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "errorMessage": "must be a day such as 2027-01-31",
        "examples": [example],
    }


def commit(description: str) -> Schema:
    return text(description, examples=[COMMIT_EXAMPLE])


def repository(description: str, example: str) -> Schema:
    return text(
        description,
        pattern=r"^[\w.-]{1,96}(/[\w.-]{1,96})?$",
        errorMessage="must be a repository of the Hub (owner/name)",
        examples=[example],
    )
