"""Kind `openai`: a server that is already there and speaks OpenAI's API."""

from __future__ import annotations

import os

import pulumi

from components.endpoint import Endpoint, Site
from moorage.errors import MoorageError
from moorage.plan.types import Placement, Plan
from moorage.resources import ModelFile, OpenAIServer


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,  # noqa: ARG001  every kind is called alike
    weights: ModelFile | None,  # noqa: ARG001
    opts: pulumi.ResourceOptions,
) -> Endpoint:
    """Declare the proof that the server answers for this model; nothing is created there."""
    server = OpenAIServer(
        f"{plan.service}-{placement.name}",
        url=placement.options["url"],
        api_key=_api_key(placement),
        model=placement.options.get("model"),
        model_hint=plan.model_id,
        task=plan.task,
        opts=opts,
    )
    return Endpoint(
        name=placement.name,
        kind=placement.kind,
        url=server.url,
        model=server.served_model,
        api_key=server.api_key,
    )


def _api_key(placement: Placement) -> pulumi.Output[str] | None:
    variable = placement.options.get("api_key_env")
    if variable is None:
        return None
    value = os.environ.get(variable)
    if not value:
        message = f"{placement.name}: the environment has no {variable}; set it to the server's key"
        raise MoorageError(message)
    return pulumi.Output.secret(value)
