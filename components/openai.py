"""Kind `openai`: a server that is already there and speaks OpenAI's API."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pulumi

from components.endpoint import Endpoint, Site
from moorage.plan.types import Placement, Plan
from moorage.resources import ModelFile, OpenAIServer


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,  # noqa: ARG001  every kind is called alike
    weights: ModelFile | None,  # noqa: ARG001
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
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
    return [
        Endpoint(
            name=placement.name,
            kind=placement.kind,
            url=server.url,
            model=server.served_model,
            api_key=server.api_key,
        )
    ]


def lacks(placement: Placement) -> Iterator[str]:
    """The variable that holds the server's key, where the spec names one."""
    variable = placement.options.get("api_key_env")
    if variable is not None and not os.environ.get(variable):
        yield f"the environment has no {variable}; set it to the server's key"


def _api_key(placement: Placement) -> pulumi.Output[str] | None:
    variable = placement.options.get("api_key_env")
    return None if variable is None else pulumi.Output.secret(os.environ[variable])
