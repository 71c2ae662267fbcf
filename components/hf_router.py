"""Kind `hf-router`: providers behind the Hugging Face router, each a backend of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import pulumi

from components import tokens
from components.endpoint import Endpoint, Site
from moorage.plan.choice.routing import AUTO
from moorage.plan.types import Placement, Plan
from moorage.resources import ModelFile, RouterRoute, RouterRoutePolicyText
from moorage.spec.tasks import TASKS

_POLICY: Final = "cheapest"  # never an id without a suffix: an account may set its own policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One way through the router: a provider that is pinned, or a policy that chooses one."""

    name: str
    provider: str | None = None
    policy: str | None = None


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,  # noqa: ARG001  every kind is called alike
    weights: ModelFile | None,  # noqa: ARG001
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
    """Declare the proof of each way; the gateway goes them in order, for a pin never fails over."""
    token = tokens.inference()
    return [_endpoint(placement, way, plan, token, opts) for way in ways(placement, plan)]


def lacks(placement: Placement) -> Iterator[str]:  # noqa: ARG001
    """What of the environment is missing for it."""
    if not tokens.has_inference():
        yield tokens.missing_inference()


def ways(placement: Placement, plan: Plan) -> list[Way]:
    """The ways in order; pure.

    The router may choose for itself only chats, and only where it could choose nobody whom the plan
    passed over; else the providers that may be used are pinned one by one.
    """
    asked = placement.options.get("provider", AUTO)
    free = plan.privacy_tier == "public" and not placement.passed_over and not plan.regions
    if asked == AUTO and free and TASKS[plan.task].chats:
        return [Way(name=placement.name, policy=placement.options.get("policy", _POLICY))]
    if len(placement.routes) == 1:
        return [Way(name=placement.name, provider=placement.routes[0])]
    return [Way(name=f"{placement.name}-{slug}", provider=slug) for slug in placement.routes]


def _endpoint(
    placement: Placement,
    way: Way,
    plan: Plan,
    token: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> Endpoint:
    payer = placement.options.get("bill_to")
    route = RouterRoute(
        f"{plan.service}-{way.name}",
        model=plan.model_id,
        task=plan.task,
        provider=way.provider,
        policy=cast("RouterRoutePolicyText | None", way.policy),  # the catalogue knows the words
        bill_to=payer,
        min_context=None if "context" in placement.differs else plan.max_model_len,
        opts=opts,
    )
    return Endpoint(
        name=way.name,
        kind=placement.kind,
        url=route.url,
        model=route.served_model,
        api_key=token,
        headers={"X-HF-Bill-To": payer} if payer else {},
    )
