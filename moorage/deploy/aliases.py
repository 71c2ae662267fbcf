"""Aliases are the names that a resource may have in the state from before, as the engine counts.

The engine tells nobody under which of them it has found one (step_generator.go, v3.259).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from moorage.deploy.urns import STACK_TYPE, Urn, name_of, split, type_of


def urn_of(request: Any) -> str:
    """The URN that the engine gives to what is being registered, or read."""
    return _urn(request.name, request.type, request.parent)


def earlier(request: Any, renamed: Mapping[str, str]) -> Iterator[str]:
    """The URNs that it may have had; `renamed` says which ones its parents had, where others."""
    own = [*(_told(alias, request, renamed) for alias in request.aliases), *request.aliasURNs]
    yield from own
    parent = renamed.get(request.parent)
    if parent is not None:
        for name, kind in [(request.name, request.type), *((name_of(u), type_of(u)) for u in own)]:
            yield _urn(_like_parent(name, request.parent, parent), kind, parent)


def _told(alias: Any, request: Any, renamed: Mapping[str, str]) -> str:
    """The URN that an alias of the program's stands for."""
    if alias.urn:
        return str(alias.urn)
    spec = alias.spec
    parent = renamed.get(spec.parentUrn, spec.parentUrn) or request.parent
    return _urn(
        spec.name or request.name,
        spec.type or request.type,
        "" if spec.noParent else parent,
        project=spec.project,
        stack=spec.stack,
    )


def _like_parent(name: str, parent: str, before: str) -> str:
    """A child that begins with its parent's name is taken to have always done so."""
    own = name_of(parent)
    return name_of(before) + name.removeprefix(own) if name.startswith(own) else name


def _urn(name: str, kind: str, parent: str, *, project: str = "", stack: str = "") -> str:
    above = split(parent).path if parent else STACK_TYPE
    path = kind if above == STACK_TYPE else f"{above}${kind}"
    return str(Urn(stack or pulumi.get_stack(), project or pulumi.get_project(), path, name))
