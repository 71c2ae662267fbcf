"""Whether a document has the shape that the schema asks for: every deviation, at its place.

It understands the part of JSON Schema that `moorage.spec.schema` writes, and no more; a test holds
it to the verdicts of the jsonschema package. What is gained is words, places and speed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from moorage.spec import units
from moorage.spec.document import Node
from moorage.spec.problems import Place, Problem
from moorage.spec.secrets import redact
from moorage.spec.words import expected, label_like, listing, nearest, show

Schema = Mapping[str, Any]

_UNITS = {"duration-with-unit": "duration", "percent": "percent", "money": "money"}


def check(node: Node, schema: Schema, file: str, *, name: str = "the spec") -> list[Problem]:
    """Every place where the document is not what the schema describes."""
    return list(_Checker(file, schema).value(node, schema, name))


class _Checker:
    """One walk over one document; `name` is what the value is called in messages."""

    def __init__(self, file: str, root: Schema) -> None:
        self._file = file
        self._root = root

    def value(self, node: Node, schema: Schema, name: str) -> Iterator[Problem]:
        if "$ref" in schema:
            schema = self._root["$defs"][schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            schema = _branch(node, schema["anyOf"])
        if "const" in schema or "enum" in schema:
            yield from self._choice(node, schema, name)
        elif not _has_type(node, schema.get("type", "object")) or not _within(node, schema):
            yield self._wrong(node, schema, name)
        elif isinstance(node.value, dict):
            yield from self._mapping(node, node.value, schema, name)
        elif isinstance(node.value, tuple):
            yield from self._list(node, schema, name)

    def _mapping(
        self, node: Node, entries: Mapping[str, Node], schema: Schema, name: str
    ) -> Iterator[Problem]:
        if "discriminator" in schema:
            yield from self._one_of(node, entries, schema, name)
            return
        if schema["additionalProperties"] is not False:
            yield from self._table(node, entries, schema, name)
            return
        known = schema["properties"]
        for key in schema.get("required", ()):
            if key not in entries:
                yield self._missing(node, known[key], key, name)
        for key, child in entries.items():
            if key in known:
                yield from self.value(child, known[key], f"'{key}'")
            else:
                yield self._unknown(child, key, known, name)

    def _table(
        self, node: Node, entries: Mapping[str, Node], schema: Schema, name: str
    ) -> Iterator[Problem]:
        """A mapping whose keys the writer chooses."""
        most, names = schema.get("maxProperties"), schema.get("propertyNames", {}).get("pattern")
        if most is not None and len(entries) > most:
            says = f"{name} has {len(entries)} entries; it may have {most}"
            yield self._problem(node.key, "wrong-value", says)
        for key, child in entries.items():
            if names is not None and _compiled(names).search(key) is None:
                says = f"{name} cannot have the key {redact(key)[:60]!r}"
                yield self._problem(child.key, "unknown-key", says, _like(schema))
            yield from self.value(child, schema["additionalProperties"], f"'{key[:60]}'")

    def _one_of(
        self, node: Node, entries: Mapping[str, Node], schema: Schema, name: str
    ) -> Iterator[Problem]:
        """The branch that the discriminator names; a choice of branches gives no good message."""
        word = schema["discriminator"]["propertyName"]
        if word not in entries:
            yield self._missing(node, schema["properties"][word], word, name)
            return
        wrong = list(self._choice(entries[word], schema["properties"][word], f"'{word}'"))
        if wrong:
            yield from wrong
            return
        chosen = schema["properties"][word]["enum"].index(entries[word].value)
        yield from self.value(node, schema["oneOf"][chosen], name)

    def _list(self, node: Node, schema: Schema, name: str) -> Iterator[Problem]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", len(node.items))
        if not least <= len(node.items) <= most:
            says = f"{name} has {len(node.items)} entries; it may have {least} to {most}"
            yield self._problem(node.key, "wrong-value", says)
        for number, child in enumerate(node.items, 1):
            yield from self.value(child, schema["items"], f"entry {number} of {name}")

    def _choice(self, node: Node, schema: Schema, name: str) -> Iterator[Problem]:
        choices = schema["enum"] if "enum" in schema else [schema["const"]]
        if isinstance(node.value, str) and node.value in choices:
            return
        says = f"{name} must be {listing(choices)}, not {show(node)}"
        near = nearest(node.text, choices) if node.text and len(choices) > 1 else None
        hint = f"did you mean '{near}'?" if near else ""
        yield self._problem(node.at, "unknown-value", says, hint)

    def _wrong(self, node: Node, schema: Schema, name: str) -> Problem:
        must = schema.get("errorMessage") or f"must be {expected(schema)}"
        says = f"{name} {must}, not {show(node)}"
        rule = "wrong-value" if _has_type(node, schema.get("type", "object")) else "wrong-type"
        return self._problem(node.at, rule, says, _hint(node, schema))

    def _missing(self, node: Node, schema: Schema, key: str, name: str) -> Problem:
        example = next(iter(schema.get("examples", ())), schema.get("const"))
        hint = f"for example '{key}: {example}'" if example is not None else ""
        return self._problem(node.key, "missing-key", f"{name} needs the key '{key}'", hint)

    def _unknown(self, node: Node, key: str, known: Schema, name: str) -> Problem:
        near = nearest(key, known)
        hint = f"did you mean '{near}'?" if near else self._elsewhere(key)
        hint = hint or f"known keys: {', '.join(known)}"
        return self._problem(node.key, "unknown-key", f"{name} has no key {key[:60]!r}", hint)

    def _elsewhere(self, key: str) -> str:
        for section, schema in self._root["properties"].items():
            if key in schema.get("properties", ()):
                return f"'{key}' belongs under '{section}'"
        return f"'{key}' belongs at the top" if key in self._root["properties"] else ""

    def _problem(self, at: Place, rule: str, says: str, hint: str = "") -> Problem:
        return Problem(
            file=self._file, line=at.line, column=at.column, rule=rule, says=says, hint=hint
        )


def _like(schema: Schema) -> str:
    """How the keys of a mapping look, by its example."""
    example: Mapping[str, Any] = next(iter(schema.get("examples", ())), {})
    return f"its keys look like {listing(example)}" if example else ""


def _branch(node: Node, branches: list[Schema]) -> Schema:
    """The one branch whose type the value has; the first one where none has it."""
    fitting = (schema for schema in branches if _has_type(node, schema.get("type", "object")))
    return next(fitting, branches[0])


def _has_type(node: Node, wanted: str | list[str]) -> bool:
    value = node.value
    if not isinstance(wanted, str):
        return any(_has_type(node, one) for one in wanted)
    if wanted == "object":
        return isinstance(value, dict)
    if wanted == "array":
        return isinstance(value, tuple)
    if wanted == "string":
        return isinstance(value, str)
    if wanted == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return wanted == "number" or isinstance(value, int) or value.is_integer()


def _within(node: Node, schema: Schema) -> bool:
    value = node.value
    if isinstance(value, str):
        longest = schema.get("maxLength", len(value))
        pattern = schema.get("pattern")
        fits = pattern is None or _compiled(pattern).search(value) is not None
        return schema.get("minLength", 0) <= len(value) <= longest and fits
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        above = "exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"]
        return bool(low <= value <= high and above)
    return True


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """JSON Schema's `$` is the very end; Python's would let a line break pass."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _hint(node: Node, schema: Schema) -> str:
    unit = _UNITS.get(schema.get("format", ""))
    if unit and (advice := units.hint(unit, node.text)):
        return advice
    if schema.get("format") == "label" and isinstance(node.value, str):
        near = label_like(node.value)
        return f"for example '{near}'" if near else ""
    if schema.get("type") in ("integer", "number") and (advice := units.number_hint(node.text)):
        return advice
    if schema.get("type") == "string" and not unit and node.plain and node.value is not None:
        if isinstance(node.value, bool):
            truth = "true" if node.value else "false"
            return f'YAML reads {node.text} as {truth}; write "{node.text}" in quotes'
        if isinstance(node.value, int | float):
            return f'write "{node.text}" in quotes'
    return ""
