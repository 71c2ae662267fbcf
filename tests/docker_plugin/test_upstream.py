"""The stand-in has nothing that the real plugin lacks, and replaces what the real one replaces."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

import pulumi_docker
import pytest
from packaging.version import Version

from moorage.provider.handler import Change
from moorage.provider.shape import Field, items_of
from tests.docker_plugin import shapes
from tests.docker_plugin.__main__ import PACKAGE

CLASSES: Mapping[str, Any] = {
    "container": pulumi_docker.Container,
    "network": pulumi_docker.Network,
    "remoteImage": pulumi_docker.RemoteImage,
    "volume": pulumi_docker.Volume,
}
TOKENS = {token.split("/")[1].split(":")[0]: token for token in PACKAGE.handlers}


@pytest.fixture(params=[*CLASSES])
def resource(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_its_version_is_the_one_that_the_package_asks_for() -> None:
    installed = Version(metadata.version("pulumi-docker"))
    assert Version(PACKAGE.version).release[:2] == installed.release[:2]


def test_its_tokens_are_those_of_the_package(resource: str) -> None:
    told = inspect.getsource(CLASSES[resource])
    assert f"'{TOKENS[resource]}'" in told


def test_every_property_that_upstream_is_said_to_have_is_in_the_package(resource: str) -> None:
    taken, given = _taken(CLASSES[resource]), _given(CLASSES[resource])
    known = shapes.upstream()[resource]
    inputs = {name for name, one in known.items() if not one.get("output")}
    assert inputs <= taken, "these do not exist as inputs"
    assert known.keys() - inputs <= given, "these do not exist as outputs"


def test_every_input_of_the_stand_in_is_one_of_the_package(resource: str) -> None:
    fields = PACKAGE.handlers[TOKENS[resource]].shape.inputs
    assert set(fields) <= _taken(CLASSES[resource])
    for name, one in fields.items():
        within = items_of(one).fields or one.fields
        arguments = f"{resource[0].upper()}{resource[1:]}{_class_of(name)}Args"
        if within:
            assert set(within) <= _taken(getattr(pulumi_docker, arguments)), arguments


def test_it_replaces_exactly_what_upstream_declares_as_forcing_a_new_thing(resource: str) -> None:
    handler = PACKAGE.handlers[TOKENS[resource]]
    for name, one in handler.shape.inputs.items():
        wanted = bool(shapes.upstream()[resource][name].get("replaces"))
        assert one.replaces == wanted, name
        change = Change(path=name, kind="update", replaces=one.replaces)
        assert handler.diff([change], {name: ["old"]}, {name: ["new"]}) == [change]


def test_a_container_is_deleted_before_its_replacement_is_made() -> None:
    assert PACKAGE.handlers[TOKENS["container"]].shape.delete_before_replace


def test_the_configuration_is_that_of_the_package() -> None:
    assert set(PACKAGE.config) <= _taken(pulumi_docker.Provider)
    registry: Field = items_of(PACKAGE.config["registryAuth"])
    assert set(registry.fields) <= _taken(pulumi_docker.ProviderRegistryAuthArgs)


def _taken(of: Any) -> set[str]:
    """The arguments of a class, as Pulumi writes them."""
    init = getattr(of, "_internal_init", of.__init__)
    return {_camel(name) for name in inspect.signature(init).parameters}


def _given(of: Any) -> set[str]:
    return {_camel(name) for name, _ in _properties(of)}


def _properties(of: Any) -> Iterator[tuple[str, property]]:
    return iter(inspect.getmembers(of, lambda one: isinstance(one, property)))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _class_of(name: str) -> str:
    """How the classes of nested arguments are called: one of many, in the singular."""
    single = name if name.endswith("Advanced") or not name.endswith("s") else name[:-1]
    single = {"capabilitie": "capabilities", "networksAdvanced": "networksAdvanced"}.get(
        single, single
    )
    return single[0].upper() + single[1:]


def test_what_the_stand_in_does_not_know_is_refused_and_not_passed_over(resource: str) -> None:
    [failure] = PACKAGE.handlers[TOKENS[resource]].check({"name": "a", "cgroupParent": "b"})
    assert failure.name == "cgroupParent"
