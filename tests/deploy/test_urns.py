"""URNs: a name may hold colons in a row, and is told and typed whole everywhere."""

from __future__ import annotations

import pytest

from moorage.deploy import urns
from moorage.deploy.advice import meaning
from moorage.deploy.show.values import _reference
from moorage.deploy.stored import pending, recover

URN = "urn:pulumi:local::demo::demo:index:Group$docker:index/container:Container::team::web"


def test_a_name_may_hold_colons_in_a_row() -> None:
    assert urns.split(URN).stack == "local"
    assert urns.split(URN).project == "demo"
    assert urns.type_of(URN) == "docker:index/container:Container"
    assert urns.name_of(URN) == "team::web"
    assert urns.label(URN) == "Container team::web"


@pytest.mark.parametrize("text", ["", "team::web", "urn:pulumi:local::demo::T", "tcp://[::1]::2"])
def test_what_is_no_urn_is_a_name(text: str) -> None:
    assert urns.split(text) == ("", "", "", text)
    assert urns.label(text) == text


def test_whoever_tells_of_a_resource_tells_its_whole_name() -> None:
    creating = {"type": "creating", "resource": {"urn": URN, "type": urns.type_of(URN)}}
    assert "`moorage state settle team::web --stack s --id ID`" in pending.foreign_verdict(
        creating, "s"
    )
    assert recover._names(creating) >= {URN, "team::web", "Container::team::web"}
    assert _reference({"urn": URN}) == "team::web"


def test_a_name_with_blanks_is_one_word_of_a_command() -> None:
    urn = "urn:pulumi:local::demo::demo:index:Thing::a thing"
    told = meaning(f'resource "{urn}" cannot be deleted because it is protected.')
    assert told.startswith("Thing a thing is protected, so it is not deleted")
    assert told.endswith("`moorage state unprotect 'a thing'`")
