"""A package: what one provider plugin serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moorage.provider.handler import Handler
from moorage.provider.shape import Field


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A provider: its name, version, resource types and configuration.

    `python` is the module that the generated classes live in, so that `pulumi import` can write
    code which uses them.
    """

    name: str
    version: str
    description: str
    handlers: Mapping[str, Handler]
    config: Mapping[str, Field] = field(default_factory=dict)
    license: str = "Apache-2.0"
    python: str = ""
