"""What is called what at Hugging Face, for whoever asks before anything is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from components import app, hf_endpoint, hf_space
from components.endpoint import Site
from moorage.plan.types import Placement, Plan

_NAMED: Final[Mapping[str, Callable[[Placement, Plan, Site], str]]] = {
    "hf-endpoint": hf_endpoint.remote_name,
    "hf-space": hf_space.remote_name,
}


def called(plan: Plan, placement: Placement | None, *, site: Site) -> str:
    """The name of an endpoint or of an engine's Space; without a placement, of the app; pure."""
    if placement is None:
        return app.remote_name(plan, site)
    return _NAMED[placement.kind](placement, plan, site)
