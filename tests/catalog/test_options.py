"""Every option of every kind takes its own examples, and refuses what is not meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from moorage.plan.catalogue import catalog
from moorage.spec import document
from tests.spec.support import HELLO, ROOT, SCHEMA, parsed

KINDS = catalog.read(ROOT / "catalog").kinds
VALIDATOR = Draft202012Validator(SCHEMA)


def values(own: dict[str, Any]) -> list[Any]:
    """What an option says of itself that it takes."""
    default = [own["default"]] if "default" in own else []
    return [*own.get("examples", ()), *own.get("enum", ()), *default]


def said(kind: str, options: dict[str, Any]) -> list[str]:
    """The problems of a spec with one such provider; the jsonschema package agrees on whether."""
    head = HELLO[: HELLO.index("providers:")]
    tail = HELLO[HELLO.index("slo:") :]
    provider = json.dumps({"kind": kind, **options})
    text = f"{head}providers:\n  - {provider}\n{tail}"
    problems = [str(problem) for problem in parsed(text).problems]
    tree, faults = document.read(text, "spec.yaml")
    assert tree is not None
    assert faults == []
    assert VALIDATOR.is_valid(document.plain(tree)) == (problems == []), problems
    return problems


def needed(kind: str) -> dict[str, Any]:
    options = KINDS[kind].options
    return {key: values(options["properties"][key])[0] for key in options.get("required", ())}


EVERY = [
    (kind, key, value)
    for kind, row in KINDS.items()
    for key, own in row.options["properties"].items()
    for value in values(own)
]


@pytest.mark.parametrize(("kind", "key", "value"), EVERY)
def test_an_option_takes_what_it_says(kind: str, key: str, value: object) -> None:
    assert said(kind, needed(kind) | {key: value}) == []


@pytest.mark.parametrize("kind", list(KINDS))
def test_all_options_may_be_given_at_once(kind: str) -> None:
    properties = KINDS[kind].options["properties"]
    assert said(kind, {key: values(own)[0] for key, own in properties.items()}) == []


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("hf-endpoint", {"scale_to_zero_after": 30}, "write the unit: 30ms or 30s"),
        ("hf-endpoint", {"replicas": {"min": -1}}, "'min' must be"),
        ("hf-endpoint", {"replicas": {"mim": 1}}, "did you mean 'min'?"),
        ("hf-endpoint", {"replicas": 2}, "'replicas' must be a mapping"),
        ("hf-endpoint", {"visibility": "protected"}, "must be public, authenticated or private"),
        ("hf-endpoint", {"count": 0}, "'count' must be"),
        ("hf-endpoint", {"secrets": {"HF_TOKEN": "hf_abc"}}, "the name of an environment variable"),
        ("hf-endpoint", {"private_link": {"account": "123456789012"}}, "needs the key 'region'"),
        ("hf-endpoint", {"scaling": {"metric": "cpu"}}, "pending-requests or hardware-usage"),
        ("hf-space", {}, "needs the key 'hardware'"),
        ("hf-router", {"provider": []}, "it may have 1 to 16"),
        ("hf-router", {"provider": ["together", 7]}, "must be a provider's slug"),
        ("hf-router", {"provider": "To gether"}, "must be a provider's slug such as together"),
        ("docker-host", {"host": "tcp://box:2375"}, "must be local or an address"),
        ("docker-host", {"host": "local", "device_ids": [0]}, "a GPU's number or UUID in quotes"),
        ("docker-host", {"host": "local", "monthly_usd": "1k"}, "write 1000"),
        ("ec2-gpu", {"instance": "L40S"}, "an EC2 instance type such as g6e.xlarge"),
        ("ec2-gpu", {"market": "auction"}, "must be on-demand or spot"),
        ("ec2-gpu", {"region": "Frankfurt"}, "an AWS region such as us-east-1"),
    ],
)
def test_an_option_refuses_what_is_not_meant(kind: str, options: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in said(kind, options))
