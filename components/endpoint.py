"""What every placement kind must give: an endpoint, as the gateway will see it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pulumi

from moorage.plan.types import Placement, Plan
from moorage.resources import ModelFile

PYTHON = str(Path(sys.prefix, "bin", "python"))  # one text, whoever runs the program


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where a component builds: the checkout, the project and the stack."""

    root: Path
    project: str
    stack: str
    gateway: str = ""  # its address as it is reached from outside, ending in /v1
    delete_first: bool = False  # the policy's word: nothing stands beside its replacement
    plans: Sequence[Plan] = field(default=(), repr=False)  # all that is built there
    shared: dict[str, Any] = field(
        default_factory=dict, repr=False
    )  # what placements have in common

    def directory(self, name: str) -> str:
        """The folder of one process of this machine; its path is the process's identity."""
        return str(self.root / ".moorage" / "run" / self.stack / name)

    def owner(self, name: str) -> str:
        """The ownership tag of one remote thing."""
        return f"{self.project}/{self.stack}/{name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A live URL with its secret and the name under which it serves the model."""

    name: str
    kind: str
    url: pulumi.Output[str]  # ends in /v1
    model: pulumi.Output[str]
    api_key: pulumi.Output[str | None]
    adapters: Mapping[str, str] = field(default_factory=dict)  # clients' names -> the engine's
    headers: Mapping[str, str] = field(default_factory=dict)  # sent with every request
    timeouts: Mapping[str, float] = field(default_factory=dict)  # the gateway's own, where empty
    ranks: str | None = None  # in whose words it is asked to rank, where not in /v1/rerank's
    details: Mapping[str, Any] = field(default_factory=dict)  # what operators want to see beside it


def ranks(placement: Placement, plan: Plan) -> str | None:
    """In whose words the gateway asks it to rank; None: in those of /v1/rerank."""
    return "tei" if placement.engine == "tei" and plan.task == "text-ranking" else None


class Kind(Protocol):
    """A placement kind is a module with these functions."""

    def build(
        self,
        placement: Placement,
        *,
        plan: Plan,
        site: Site,
        weights: ModelFile | None,
        opts: pulumi.ResourceOptions,
    ) -> Sequence[Endpoint]:
        """Declare the resources of one placement; what it gives is asked in this order."""
        ...

    def lacks(self, placement: Placement) -> Iterator[str]:
        """What this machine's environment lacks for it: a line each, with what to do."""
        ...
