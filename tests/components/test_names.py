"""Names of endpoints: legal, the same for the same thing, another wherever it must be another."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from components import names
from components.endpoint import Site
from moorage.plan.types import Machine, Placement, Plan
from tests.components.programs import SITE, a_plan

LEGAL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
MACHINE = Machine(vendor="aws", region="eu-west-1", instance="nvidia-l4-x1")
USUAL = Placement(
    name="hf-endpoint-1",
    kind="hf-endpoint",
    engine="vllm",
    machine=MACHINE,
    options={"namespace": "acme", "visibility": "private"},
)
LINKS = [{"account": "1", "region": "us-east-1"}, {"account": "2", "region": "us-east-1"}]

services = st.from_regex(r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?", fullmatch=True)
stacks = st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)


def named(placement: Placement = USUAL, site: Site = SITE, **said: Any) -> str:
    engine = placement.engine or "toolkit"
    return names.endpoint(placement, engine=engine, plan=a_plan(placement, **said), site=site)


@given(service=services, stack=stacks)
def test_a_name_is_legal_and_readable(service: str, stack: str) -> None:
    site = dataclasses.replace(SITE, stack=stack)
    name = named(site=site, service=service)
    assert len(name) <= 32
    assert LEGAL.fullmatch(name)
    assert name.startswith(service[:23].rstrip("-"))


@given(service=services, one=stacks, other=stacks)
def test_two_stacks_have_two_names(service: str, one: str, other: str) -> None:
    first, second = (
        named(site=dataclasses.replace(SITE, stack=stack), service=service)
        for stack in (one, other)
    )
    assert (first == second) == (one == other)


@given(stacks, stacks, services)
def test_where_words_are_joined_names_are_not(project: str, stack: str, service: str) -> None:
    """a/bc and ab/c are two things."""
    one = Site(root=SITE.root, project=project + "x", stack=stack)
    other = Site(root=SITE.root, project=project, stack="x" + stack)
    assert named(site=one, service=service) != named(site=other, service=service)


def test_the_same_thing_has_the_same_name() -> None:
    """A name in use can never be made otherwise: the endpoint would be left behind."""
    assert named() == "hello-story-8687c3d8"


def test_what_cannot_be_changed_in_place_is_another_name() -> None:
    changes: list[Placement] = [
        structs.replace(USUAL, name="hf-endpoint-2"),
        structs.replace(USUAL, engine="sglang"),
        structs.replace(USUAL, options={**USUAL.options, "namespace": "globex"}),
        structs.replace(USUAL, options={**USUAL.options, "visibility": "authenticated"}),
        *(structs.replace(USUAL, options={**USUAL.options, "private_link": one}) for one in LINKS),
        structs.replace(USUAL, machine=structs.replace(MACHINE, vendor="gcp")),
        structs.replace(USUAL, machine=structs.replace(MACHINE, region="us-east-1")),
    ]
    found = {named(), *map(named, changes)}
    assert len(found) == len(changes) + 1


def test_what_is_changed_in_place_keeps_its_name() -> None:
    larger = structs.replace(MACHINE, instance="nvidia-l4-x4", count=4, replicas_max=9)
    changed = structs.replace(
        USUAL, machine=larger, image="i:2", flags={"a": 1}, env={"A": "1"}, version="2"
    )
    assert named(changed, model_id="acme/other", revision="f" * 40) == named()


def test_a_plan_is_no_part_of_it_but_its_service() -> None:
    plan: Plan = a_plan(USUAL)
    assert names.endpoint(USUAL, engine="vllm", plan=plan, site=SITE) == named()
    assert named(service="other") != named()
