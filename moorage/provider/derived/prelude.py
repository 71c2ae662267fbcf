"""What generated resource classes have in common; its text stands at the head of each module.

So a program needs the generated module and Pulumi, and nothing of the provider.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import pulumi
from pulumi import Input, Output, ResourceOptions

# --- from here on, the text of every generated module

_T = TypeVar("_T")
_R = TypeVar("_R", bound=pulumi.CustomResource)


class _Each(NamedTuple):
    """What every value of a map holds; its keys are the user's own."""

    value: Any


def _to_wire(value: Any, within: Any) -> Any:
    """The value with the members of its objects called as on the wire."""
    if inspect.isawaitable(value) or isinstance(value, Output):
        return Output.from_input(value).apply(lambda known: _to_wire(known, within))
    if isinstance(value, list | tuple):
        return [_to_wire(item, within) for item in value]
    if isinstance(value, Mapping) and isinstance(within, _Each):
        return {key: _to_wire(item, within.value) for key, item in value.items()}
    if isinstance(value, Mapping) and isinstance(within, dict):
        known = {name: within.get(name, (name, None)) for name in value}
        return {wire: _to_wire(value[name], inner) for name, (wire, inner) in known.items()}
    return value


def _from_wire(value: Any, within: Any) -> Any:
    """The value with the members of its objects called as in Python."""
    if within is int and isinstance(value, float):
        return int(value)
    if isinstance(value, list):
        return [_from_wire(item, within) for item in value]
    if isinstance(value, dict) and isinstance(within, _Each):
        return {key: _from_wire(item, within.value) for key, item in value.items()}
    if isinstance(value, dict) and isinstance(within, dict):
        names = {wire: (name, inner) for name, (wire, inner) in within.items()}
        known = {wire: names.get(wire, (wire, None)) for wire in value}
        return {name: _from_wire(value[wire], inner) for wire, (name, inner) in known.items()}
    return value


def _known(resource: pulumi.Resource, wire: str, within: Any = None) -> Output[_T]:
    """The output that is called so on the wire."""
    value: Output[Any] = resource.__dict__[wire]
    if within is None:
        return value
    return value.apply(lambda known: _from_wire(known, within))


def _secret(value: Any) -> Output[Any] | None:
    return None if value is None else Output.secret(value)


def _json(value: Any) -> Output[str] | None:
    """Providers are configured by texts."""
    return None if value is None else Output.json_dumps(value)


def _deprecated(value: Any, name: str, instead: str) -> Any:
    if value is not None:
        pulumi.log.warn(f"{name} is deprecated: {instead}")
    return value


def _options(
    opts: ResourceOptions | None, secrets: Iterable[str], *, delete_first: bool = False
) -> ResourceOptions:
    """The options, and what is so whether the program says it or not.

    The engine asks a provider which goes first in a replacement, but not in one that a user
    asks for; so the program says it too.
    """
    first = ResourceOptions(delete_before_replace=delete_first or None)
    secret = ResourceOptions(additional_secret_outputs=list(secrets))
    return ResourceOptions.merge(ResourceOptions.merge(first, opts), secret)


def _existing(
    resource: type[_R],
    token: str,
    wired: Iterable[str],
    name: str,
    key: Input[str],
    opts: ResourceOptions | None,
) -> _R:
    """A resource that is read by its id, and never changed."""
    made = resource.__new__(resource)
    found = ResourceOptions.merge(opts, ResourceOptions(id=key))
    pulumi.CustomResource.__init__(made, token, name, dict.fromkeys(wired), found)
    return made
