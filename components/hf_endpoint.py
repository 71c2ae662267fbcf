"""Kind `hf-endpoint`: a dedicated Hugging Face Inference Endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pulumi

from components import engines, names, tokens
from components.endpoint import Endpoint, Site, ranks
from moorage.plan.types import Machine, Placement, Plan
from moorage.resources import InferenceEndpoint, ModelFile
from moorage.spec import units

_TIMEOUTS: Final = pulumi.CustomTimeouts(create="90m", update="90m", delete="20m")
_READY_SECONDS: Final = 4500  # large weights load for an hour; below the engine's own timeout
_METRICS: Final = {"pending-requests": "pendingRequests", "hardware-usage": "hardwareUsage"}
_USUAL_METRIC: Final = "pending-requests"
_USUAL_THRESHOLDS: Final = {"pending-requests": 1.5, "hardware-usage": 80}  # the platform's own
_MS_PER_MINUTE: Final = 60_000
_NOWHERE: Final = "https://paused.invalid/v1"  # one that is paused has no address: others take over

# Where nobody stands behind an endpoint that sleeps, its proxy holds a request until it is awake;
# a client of OpenAI's waits 600 s, so all of this ends before.
_WAKE_SECONDS: Final = 540
_WAKING: Final = {"first_byte_s": 560.0, "total_s": 590.0}


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,
    weights: ModelFile | None,  # noqa: ARG001  every kind is called alike
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
    """Declare the endpoint; its replacement has another name, so both can stand for a while."""
    token = tokens.inference()
    made = InferenceEndpoint(
        f"{plan.service}-{placement.name}",
        **inputs(placement, plan=plan, site=site),
        secrets=tokens.secrets(placement.options.get("secrets", {})) or None,
        opts=pulumi.ResourceOptions.merge(opts, _options(site)),
    )
    waits = _sleeps(placement) and placement.name == plan.placements[-1].name
    return [
        Endpoint(
            name=placement.name,
            kind=placement.kind,
            url=made.url.apply(lambda url: url or _NOWHERE),
            model=made.served_model.apply(lambda model: model or plan.model_id),
            api_key=token,
            adapters=engines.managed(placement, plan).adapters,
            ranks=ranks(placement, plan),
            headers={"X-Scale-Up-Timeout": str(_WAKE_SECONDS)} if waits else {},
            timeouts=_WAKING if waits else {},
            details={"endpoint": made.name, "status": made.status},
        )
    ]


def _options(site: Site) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(
        custom_timeouts=_TIMEOUTS, delete_before_replace=site.delete_first or None
    )


def lacks(placement: Placement) -> Iterator[str]:
    """What of the environment is missing for it."""
    if not tokens.has_inference():
        yield tokens.missing_inference()
    for variable in tokens.unset(placement.options.get("secrets", {}).values()):
        yield f"the environment has no {variable}; set it to the secret that the spec names"


def remote_name(placement: Placement, plan: Plan, site: Site) -> str:
    """Its name at Hugging Face; pure."""
    engine = engines.managed(placement, plan).engine
    return names.endpoint(placement, engine=engine, plan=plan, site=site)


def inputs(placement: Placement, *, plan: Plan, site: Site) -> dict[str, Any]:
    """The endpoint's inputs besides its secrets; pure."""
    options, told = placement.options, engines.managed(placement, plan)
    found = {
        "name": remote_name(placement, plan, site),
        "namespace": options.get("namespace"),
        "owner": site.owner(f"{plan.service}-{placement.name}"),
        "repository": plan.model_id,
        "revision": plan.revision,
        "task": plan.task,
        "engine": told.engine,
        "image": placement.image,
        "engine_options": dict(told.options) or None,
        "command": list(told.command) or None,
        "args": list(told.args) or None,
        "env": {**placement.env, **told.env} or None,
        "access": options.get("visibility"),
        "cache_http_responses": options.get("cache_http_responses"),
        "domain": options.get("domain"),
        "path": options.get("path"),
        "private_link": options.get("private_link"),
        "ready_timeout_seconds": _READY_SECONDS,
        **_scaling(options),
    }
    assert placement.machine is not None, "the plan gives every endpoint its machine"
    return {**found, **_machine(placement.machine)}


def _machine(machine: Machine) -> dict[str, Any]:
    """The hardware as the platform calls it: nvidia-l4-x1 is instance nvidia-l4 of size x1."""
    instance, _, size = (machine.instance or "").rpartition("-")
    return {
        "vendor": machine.vendor,
        "region": machine.region,
        "accelerator": "gpu" if machine.gpu else "cpu",
        "instance_type": instance,
        "instance_size": size,
        "min_replica": machine.replicas_min,
        "max_replica": machine.replicas_max,
    }


def _scaling(options: Mapping[str, Any]) -> dict[str, Any]:
    scaling, idle = options.get("scaling"), options.get("scale_to_zero_after")
    found: dict[str, Any] = {"scale_to_zero_minutes": _minutes(idle) if idle else None}
    if scaling:
        metric = scaling.get("metric", _USUAL_METRIC)
        threshold = scaling.get("threshold", _USUAL_THRESHOLDS[metric])
        found |= {"scaling_metric": _METRICS[metric], "scaling_threshold": threshold}
    return found


def _minutes(duration: str) -> int:
    """The platform counts in whole minutes, of which there is at least one."""
    return max(1, round(units.duration_ms(duration) / _MS_PER_MINUTE))


def _sleeps(placement: Placement) -> bool:
    """Whether there may be nobody awake to answer."""
    return placement.machine is not None and placement.machine.replicas_min == 0
