"""What holds for every document, shape and unit: the reader, the schema and the units agree."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from moorage.spec import document, shape, units
from moorage.spec.document import Node
from moorage.spec.secrets import find, redact
from tests.spec.support import HELLO, SCHEMA

VALIDATOR = Draft202012Validator(SCHEMA)
KINDS = SCHEMA["properties"]["providers"]["items"]["properties"]["kind"]["enum"]

# --- documents ---

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["no", "1:30", "010", "0o10", "1_000", "2026-11-23", "~", "", "<<", "a: b"])
    | st.text(LETTERS, max_size=20)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(LETTERS, max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)
FLOWS = st.sampled_from([True, False, None])


def quoted(value: Any, *, flow: bool | None) -> str:
    """The text of a tree in which every text stands in quotes, so that it means itself."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _data: object) -> bool:
            return True

    Dumper.add_representer(
        str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    )
    Dumper.add_representer(float, _float)
    return yaml.dump(value, Dumper=Dumper, default_flow_style=flow, allow_unicode=True, width=1000)


def _float(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    """As PyYAML would read it: 1e-05 is a text to it, 1.0e-05 is not."""
    text = repr(number)
    text = text.replace("e", ".0e") if "e" in text and "." not in text else text
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    children = node.value.values() if isinstance(node.value, dict) else node.items
    for child in children:
        yield from nodes(child)


@settings(max_examples=120)
@given(st.dictionaries(st.text(LETTERS, max_size=8), TREES, min_size=1, max_size=4), FLOWS)
def test_whatever_is_written_is_read_back(value: dict[str, Any], flow: bool | None) -> None:
    tree, problems = document.read(quoted(value, flow=flow), "f")
    assert problems == []
    assert tree is not None
    assert document.plain(tree) == value


@settings(max_examples=100)
@given(st.dictionaries(st.text(LETTERS, max_size=8), TREES, min_size=1, max_size=4), FLOWS)
def test_every_value_stands_where_its_place_says(value: dict[str, Any], flow: bool | None) -> None:
    text = quoted(value, flow=flow)
    tree, _ = document.read(text, "f")
    assert tree is not None
    # The reader's lines end where YAML says so, at more letters than a line feed.
    lines = text.replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n").split("\n")
    for node in nodes(tree):
        if not isinstance(node.value, dict | tuple):
            rest = lines[node.at.line - 1][node.at.column - 1 :]
            assert (
                rest.startswith('"') if isinstance(node.value, str) else rest.startswith(node.text)
            )
        assert (node.key.line, node.key.column) <= (node.at.line, node.at.column)


@settings(max_examples=100)
@given(st.lists(TREES, max_size=5))
def test_a_tree_is_as_large_as_the_values_in_it(value: list[Any]) -> None:
    tree, _ = document.read(quoted(value, flow=None), "f")
    assert tree is not None
    keys = sum(len(node.value) for node in nodes(tree) if isinstance(node.value, dict))
    assert tree.size == keys + sum(1 for _ in nodes(tree))


# --- the shape ---

CURIOUS = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2.0, 0.5, 10**9, 1e300, "", "x", "no", "2s", "5%", "eu"),
        *("auto", "1k", "a\nb", "A B", "x" * 301, [], ["x"], [1], ["x"] * 65, {}, {"x": 1}),
        *({"A_B": "C"}, {"min": 0, "max": 2}, {"a b": "c"}, {f"k{n}": "v" for n in range(201)}),
        *KINDS,
    ]
)


def shaped(schema: Any, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values that a schema allows, and sometimes others, at every place of it."""
    right = _right(schema, depth)
    return right | CURIOUS if depth < 4 else right


def _right(schema: Any, depth: int) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        return st.just(schema["const"])
    if "oneOf" in schema:
        return st.one_of([shaped(one, depth) for one in schema["oneOf"]])
    if "anyOf" in schema:
        return st.one_of([shaped(one, depth) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _of_type(schema, depth)


def _of_type(schema: Any, depth: int) -> st.SearchStrategy[Any]:
    kind = schema["type"]
    if isinstance(kind, list):
        return st.sampled_from(["x", 1, 0.5, True])
    if kind == "object":
        return _object(schema, depth)
    if kind == "array":
        return st.lists(shaped(schema["items"], depth - 1), max_size=3) if depth else st.just([])
    if kind == "boolean":
        return st.booleans()
    examples = [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else ())]
    numbers = [
        schema.get("minimum", 1),
        schema.get("maximum", 1),
        schema.get("exclusiveMinimum", 1),
    ]
    return st.sampled_from(examples or (["x"] if kind == "string" else numbers))


def _object(schema: Any, depth: int) -> st.SearchStrategy[Any]:
    if schema["additionalProperties"] is not False:
        names = st.sampled_from(["a-b", "A_B", "x", "a b", ""])
        return st.dictionaries(names, shaped(schema["additionalProperties"], depth - 1), max_size=3)
    known = {key: shaped(own, depth - 1) for key, own in schema["properties"].items()}
    needed = {key: known[key] for key in schema.get("required", ())}
    rest = {key: own for key, own in known.items() if key not in needed}
    return st.fixed_dictionaries(needed, optional=rest if depth > 1 else {})


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_the_verdict_on_a_shape_is_that_of_the_jsonschema_package(data: st.DataObject) -> None:
    """All kinds, lists of types, branches, tables, their names and their number of entries."""
    value = data.draw(shaped(SCHEMA))
    tree, problems = document.read(quoted(value, flow=None), "f")
    assert tree is not None
    assert problems == []
    ours = shape.check(tree, SCHEMA, "f")
    theirs = [error.message[:200] for error in VALIDATOR.iter_errors(value)]
    assert bool(ours) == bool(theirs), (ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_entry_of_a_kind_is_judged_as_the_jsonschema_package_judges_it(
    kind: str, data: st.DataObject
) -> None:
    entry = data.draw(shaped(SCHEMA["$defs"][f"provider-{kind}"], 3))
    spec = yaml.safe_load(HELLO) | {"providers": [entry]}
    tree, _ = document.read(quoted(spec, flow=None), "f")
    assert tree is not None
    assert bool(shape.check(tree, SCHEMA, "f")) != VALIDATOR.is_valid(spec)


# --- units ---

TAILS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
AMOUNTS = st.decimals(0, 999_999_999, places=3, allow_nan=False, allow_infinity=False)


@given(AMOUNTS, st.sampled_from(list(TAILS)))
def test_a_duration_is_its_number_times_its_unit(amount: Decimal, unit: str) -> None:
    assert units.duration_ms(f"{amount:f}{unit}") == float(amount * TAILS[unit])


@given(st.decimals(0, 100, places=4, allow_nan=False, allow_infinity=False))
def test_a_percentage_is_read_back_from_its_share(percent: Decimal) -> None:
    assert round(Decimal(str(units.share(f"{percent:f}%"))) * 100, 4) == percent


@given(st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False))
def test_money_of_a_spec_is_what_was_written(amount: Decimal) -> None:
    tree, _ = document.read(f"monthly_usd: {amount:f}", "f")
    assert tree is not None
    assert units.money(tree.value["monthly_usd"].text) == amount  # type: ignore[index,union-attr,call-overload]


HINTS = {"duration": units.duration_ms, "percent": units.share, "money": units.money}
NEAR = st.builds(
    lambda number, gap, unit: f"{number}{gap}{unit}",
    st.integers(0, 10**6) | st.decimals(0, 10**5, places=1).map(str),
    st.sampled_from(["", " ", "  "]),
    st.sampled_from(["", "s", "sec", "minutes", "h", "days", "k", "K", "USD", "$", "%", "ms", "x"]),
)


@settings(max_examples=100)
@given(st.sampled_from(list(HINTS)), NEAR | st.text(max_size=30))
def test_what_a_hint_says_to_write_is_right(kind: str, text: str) -> None:
    """A hint that leads to the next problem would be worse than none."""
    advice = units.hint(kind, text)
    if advice.startswith("write ") and " " not in (better := advice.removeprefix("write ")):
        HINTS[kind](better)


@settings(max_examples=100)
@given(st.text(max_size=40) | st.from_regex(r"\A[0-9_,' xobk]{1,12}\Z"))
def test_a_hint_for_a_number_is_a_number(text: str) -> None:
    advice = units.number_hint(text)
    assert not advice or float(advice.removeprefix("write ")) >= 0


PIECES = st.sampled_from(
    [
        *("hf_", "sk-", "AKIA", "ASIA", "ghp_", "github_pat_", "-----BEGIN RSA PRIVATE KEY-----"),
        *("://", "u:p@", ":", "@", " ", "-", "_", "é", "A" * 16, "a" * 20, "B2" * 10, "\n", "x"),
    ]
)


@settings(max_examples=100)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_is_found_is_what_is_never_repeated(text: str) -> None:
    found = list(find(text))
    assert bool(found) == (redact(text) != text)
    assert list(find(redact(text))) == []
