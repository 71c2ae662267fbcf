"""Kind `ec2-gpu`: an engine on instances with GPUs of one's own AWS account."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pulumi

from components import aws, cloud_init, engines, names, planned, probes, tokens
from components.cloud_init import Instance
from components.endpoint import Endpoint, Site, ranks
from moorage.plan.types import Machine, Placement, Plan
from moorage.resources import ApiKey, GpuHost, ModelFile
from moorage.spec import units

NAME_CHARACTERS: Final = 63
# The newest of Amazon's images with NVIDIA's driver, Docker, its toolkit and the AWS CLI.
AMI: Final = (
    "ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
)

_USUAL_READY: Final = "45m"
_BESIDE_SECONDS: Final = 1800  # what buying and ending an instance may take besides
_PARAMETER: Final = "ssm:"
_MS_PER_SECOND: Final = 1000
_NOWHERE: Final = "http://asleep.invalid/v1"  # one without an address: others take over


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,
    weights: ModelFile | None,  # noqa: ARG001  every kind is called alike
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
    """Declare an instance for each replica, and the key that opens their engines."""
    key = ApiKey(f"{plan.service}-{placement.name}-key", opts=opts)
    return [_replica(called, placement, plan, site, key, opts) for called in _called(placement)]


def lacks(placement: Placement) -> Iterator[str]:
    """What of the environment is missing for it."""
    options = placement.options
    if not aws.has_credentials():
        yield "there are no AWS credentials; set AWS_PROFILE, or run `aws configure`"
    for variable in tokens.unset(options.get("secrets", {}).values()):
        yield f"the environment has no {variable}; set it to the secret that the spec names"
    if not options.get("allow_from") and aws.own_address() is None:
        yield (
            "this machine has no address with which its gateway would come;"
            " name the gateway's network: allow_from: [10.0.0.0/16]"
        )


def inputs(placement: Placement, *, plan: Plan, called: str, site: Site) -> dict[str, Any]:
    """The host's inputs besides name, user data and secrets; pure."""
    options, server = placement.options, engines.server(placement, plan)
    return {
        **_place(placement),
        "owner": site.owner(f"{plan.service}-{called}"),
        "allow_from": options.get("allow_from") or _own_network(),
        "port": server.port,
        "probe": probes.probe(plan.task, server.model, engine=placement.engine),
        "kv": planned.kv(placement, server),
        "stop_when_idle": _idle_seconds(placement) is not None,
        "needed": placement.name == plan.placements[-1].name,
        "ready_timeout_seconds": _seconds(options.get("ready_within", _USUAL_READY)),
    }


def identity(
    placement: Placement, *, plan: Plan, called: str, site: Site, key: str
) -> tuple[str, str]:
    """The host's name and its user data; whatever replaces a host is in its name; pure.

    So the one that replaces it stands before the old one goes. Secrets count too, as an engine
    reads them at its start only.
    """
    told = _instance(placement, plan)
    secrets = _secrets(placement.options, told.server)
    whole = [_place(placement), cloud_init.render(told, key=key), secrets]
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    name = names.remote(plan, site, called, digest, most=NAME_CHARACTERS)
    named = {variable: f"/moorage/{name}/{variable}" for variable in secrets}
    return name, cloud_init.render(replace(told, secrets=named), key=key)


def _called(placement: Placement) -> Sequence[str]:
    """Every replica by its name; the first is called like the placement."""
    machine = _machine(placement)
    more = range(2, machine.replicas_min + 1)
    return [placement.name, *(f"{placement.name}-replica-{number}" for number in more)]


def _replica(
    called: str,
    placement: Placement,
    plan: Plan,
    site: Site,
    key: ApiKey,
    opts: pulumi.ResourceOptions,
) -> Endpoint:
    told = key.value.apply(
        lambda value: identity(placement, plan=plan, called=called, site=site, key=value)
    )
    server = engines.server(placement, plan)
    secrets = _secrets(placement.options, server)
    host = GpuHost(
        f"{plan.service}-{called}",
        **inputs(placement, plan=plan, called=called, site=site),
        name=pulumi.Output.unsecret(told.apply(lambda pair: pair[0])),
        user_data=told.apply(lambda pair: pair[1]),
        key=key.value,
        secrets={name: pulumi.Output.secret(value) for name, value in secrets.items()} or None,
        opts=pulumi.ResourceOptions.merge(opts, _options(placement, site)),
    )
    return Endpoint(
        name=called,
        kind=placement.kind,
        url=host.url.apply(lambda url: url or _NOWHERE),
        model=host.served_model.apply(lambda model: model or server.model),
        api_key=key.value,
        adapters=server.adapters,
        ranks=ranks(placement, plan),
        details={
            "instance": host.instance_id,
            "zone": host.zone,
            "state": host.state,
            "kv_tokens": host.kv_tokens,
        },
    )


def _options(placement: Placement, site: Site) -> pulumi.ResourceOptions:
    """The engine's own patience ends after that of the host."""
    ready_s = _seconds(placement.options.get("ready_within", _USUAL_READY))
    longest = f"{ready_s + _BESIDE_SECONDS}s"
    return pulumi.ResourceOptions(
        custom_timeouts=pulumi.CustomTimeouts(create=longest, update=longest, delete="30m"),
        delete_before_replace=site.delete_first or None,
    )


def _place(placement: Placement) -> dict[str, Any]:
    """What is bought, and where: none of it can be changed in place."""
    machine, options = _machine(placement), placement.options
    ami = options.get("ami", AMI)
    return {
        "region": machine.region,
        "instance_type": machine.instance,
        "market": options.get("market"),
        "subnets": options.get("subnets"),
        "public_address": options.get("public_address"),
        "ami_parameter" if ami.startswith(_PARAMETER) else "ami": ami.removeprefix(_PARAMETER),
        "disk_gib": options.get("disk_gib"),
        "instance_profile": options.get("instance_profile"),
    }


def _instance(placement: Placement, plan: Plan) -> Instance:
    """What the machine is told, without its secrets."""
    machine = _machine(placement)
    assert placement.image is not None, "the plan gives every engine its image"
    return Instance(
        region=str(machine.region),
        image=placement.image,
        server=engines.server(placement, plan),
        has_gpus=machine.gpu is not None,
        is_spot=placement.options.get("market") == "spot",
        idle_s=_idle_seconds(placement),
    )


def _idle_seconds(placement: Placement) -> int | None:
    """After how long without a request it stops; None: it always runs."""
    idle = placement.options.get("stop_when_idle_after")
    may_stop = _machine(placement).replicas_min == 0
    return _seconds(idle) if idle is not None and may_stop else None


def _secrets(options: Mapping[str, Any], server: engines.Server) -> dict[str, str]:
    """The values of the secrets that a spec names by the variables which hold them.

    The engine's own key is drawn, and none of them takes its place: whoever asks would not have it.
    """
    held = sorted(options.get("secrets", {}).items())
    return {name: os.environ[here] for name, here in held if name != server.key_variable}


def _own_network() -> list[str]:
    return [f"{aws.own_address()}/32"]


def _seconds(duration: str) -> int:
    return max(1, round(units.duration_ms(duration) / _MS_PER_SECOND))


def _machine(placement: Placement) -> Machine:
    assert placement.machine is not None, "the plan gives every instance its machine"
    return placement.machine
