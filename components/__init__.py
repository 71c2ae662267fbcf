"""How a plan becomes Pulumi resources; `KINDS` is the one registry of placement kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from components import published
from components.endpoint import Kind
from moorage.errors import MoorageError
from moorage.late import Late
from moorage.plan.types import Plan

KINDS: Final = Late[Kind](
    {
        "local": "components.local",
        "openai": "components.openai",
        "hf-endpoint": "components.hf_endpoint",
        "hf-router": "components.hf_router",
        "hf-space": "components.hf_space",
        "docker-host": "components.docker_host",
        "ec2-gpu": "components.ec2_gpu",
    }
)

# Kinds that build with another provider's resources: the package of them, its plugin in its name.
OTHERS: Final = {"docker-host": "pulumi_docker"}


def plugins(plans: Iterable[Plan]) -> dict[str, str]:
    """The plugins of other providers that the plans' placements need, and their versions."""
    from importlib import metadata  # takes as long as a dozen modules of ours

    kinds = {placement.kind for plan in plans for placement in plan.placements}
    packages = sorted(OTHERS[kind] for kind in kinds & OTHERS.keys())
    return {package.removeprefix("pulumi_"): metadata.version(package) for package in packages}


def refuse_unfurnished(plans: Iterable[Plan], *, gateway: str = "") -> None:
    """Refuse plans that want a token or key which the environment lacks, before anything exists."""
    lines = [line for plan in plans for line in _lacking(plan, gateway)]
    if lines:
        raise MoorageError("\n".join(lines))


def _lacking(plan: Plan, gateway: str) -> Iterator[str]:
    for placement in plan.placements:
        for line in KINDS[placement.kind].lacks(placement):
            yield f"{plan.spec_path}: {placement.name}: {line}"
    for line in (*_lacks_of_app(plan, gateway), *published.lacks(plan)):
        yield f"{plan.spec_path}: {line}"


def _lacks_of_app(plan: Plan, gateway: str) -> Iterator[str]:
    if plan.app is not None:
        from components import app  # most services have none

        yield from app.lacks(plan, gateway)
