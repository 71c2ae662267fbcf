"""The specs of this repository: the examples are good, the published schema is fresh."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from moorage.plan.catalogue import catalog
from moorage.plan.choice.kinds import KINDS
from moorage.plan.choice.resolve import offers_used
from moorage.plan.facts import Lock
from moorage.plan.load import load, read
from moorage.plan.locks import lock
from moorage.spec import document, schema

ROOT = Path(__file__).parent.parent
CATALOG = catalog.read(ROOT / "catalog")
EXAMPLES = sorted((ROOT / "specs" / "examples").glob("*.yaml"))
PUBLISHED = json.loads((ROOT / "specs" / "schema.json").read_text(encoding="utf-8"))


def test_every_spec_is_good_and_has_a_plan() -> None:
    loaded = load([ROOT / "specs"], root=ROOT)
    assert loaded.problems == ()
    assert "hello" in [plan.service for plan in loaded.plans]


def test_every_lock_is_written_as_moorage_writes_it() -> None:
    for path in sorted((ROOT / "specs").rglob("*.lock.json")):
        text = path.read_text(encoding="utf-8")
        read = lock.read(text, path.name)
        assert isinstance(read, Lock), read
        assert lock.render(read) == text


def test_every_lock_has_the_prices_that_its_spec_is_judged_by() -> None:
    """As `moorage lock` would freeze them: without one nobody is told that it has moved."""
    for subject in read([ROOT / "specs"], root=ROOT).subjects:
        locked = subject.facts.lock
        assert locked is not None
        used = [row.key for row in offers_used(subject.world, locked)]
        assert [row.key for row in locked.offers] == used, subject.parsed.file


def test_the_published_schema_is_fresh() -> None:
    """`moorage schema --write` writes it."""
    text = (ROOT / "specs" / "schema.json").read_text(encoding="utf-8")
    assert text == schema.render(catalog.spec_schema(CATALOG))


def test_the_published_schema_is_a_schema_and_the_examples_fit_it() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    for path in EXAMPLES:
        tree, problems = document.read(path.read_text(encoding="utf-8"), path.name)
        assert tree is not None
        assert problems == []
        Draft202012Validator(PUBLISHED).validate(document.plain(tree))


def test_an_example_names_its_schema_for_editors() -> None:
    for path in EXAMPLES:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=../schema.json"


def described(value: object, way: str = "") -> list[str]:
    """Every key of the schema without a description."""
    if not isinstance(value, dict):
        return []
    properties = value.get("properties", {})
    bare = [
        f"{way}.{key}"
        for key, own in properties.items()
        if "description" not in own and "const" not in own and "enum" not in own
    ]
    below = {**properties, **value.get("$defs", {})}
    return bare + [line for key, own in below.items() for line in described(own, f"{way}.{key}")]


def test_every_key_of_the_schema_is_explained() -> None:
    assert described(PUBLISHED) == []


def test_registry_catalogue_and_schema_name_the_same_kinds() -> None:
    """A kind that one of them forgot would be accepted here and unknown there."""
    kinds = set(CATALOG.kinds)
    assert set(KINDS) == kinds
    assert set(PUBLISHED["properties"]["providers"]["items"]["properties"]["kind"]["enum"]) == kinds


def test_every_kind_of_the_catalogue_is_built_or_said_not_to_be() -> None:
    components = pytest.importorskip("components")
    assert set(components.KINDS) == set(CATALOG.kinds)
