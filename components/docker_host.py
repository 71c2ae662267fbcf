"""Kind `docker-host`: an engine in a container of a host that runs Docker.

The order is what matters. The image is there, and the slot has proven host, port and GPUs, before
anything of a container that serves is touched; the gateway hears of the new one once it is proven.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
import pulumi_docker as docker

from components import container_settings as container
from components import containers, engines, names, planned, probes, tokens, tunnels
from components.containers import Host
from components.endpoint import Endpoint, Site, ranks
from components.engines import Server
from moorage.plan.types import Placement, Plan
from moorage.resources import ApiKey, ContainerSlot, EngineReady, ModelFile

_SERVICE_CHARACTERS: Final = 50  # of a container's name; a digest may follow
_BESIDE_SECONDS: Final = 300  # what Pulumi waits beyond an engine's own time

Secrets = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One placement, and what everything of it is made with."""

    name: str
    placement: Placement
    plan: Plan
    server: Server
    site: Site
    opts: pulumi.ResourceOptions

    @property
    def host(self) -> str:
        return str(self.placement.options["host"])

    @property
    def owner(self) -> str:
        return self.site.owner(self.name)


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,
    weights: ModelFile | None,  # noqa: ARG001  every kind is called alike
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
    """Declare slot, container and proof, and the key that opens the engine."""
    case = _Case(
        name=f"{plan.service}-{placement.name}",
        placement=placement,
        plan=plan,
        server=engines.server(placement, plan),
        site=site,
        opts=opts,
    )
    assert placement.image is not None, "the plan gives every container its image"
    at = containers.host(case.host, site)
    image = containers.image(at, placement.image, site)
    key = ApiKey(f"{case.name}-key", opts=opts).value
    secret = {
        **tokens.secrets(container.secrets(placement)),
        case.server.key_variable: key,
    }
    digest = _digest(case, image, secret)
    slot = _slot(case, image, digest)
    made = _container(case, at, slot, image, digest, secret)
    url = _url(case, slot)
    return [_endpoint(case, slot, url, _ready(case, made, url, key), key)]


def lacks(placement: Placement) -> Iterator[str]:
    """Secrets that the environment does not hold, and ways to the host that lead elsewhere."""
    for variable in tokens.unset(container.secrets(placement).values()):
        yield f"the environment has no {variable}; set it to the secret that the spec names"
    host, elsewhere = placement.options["host"], os.environ.get("DOCKER_HOST", "")
    if host == "local" and elsewhere.startswith((tunnels.SSH, "tcp://")):
        yield (
            f"host local is this machine, and DOCKER_HOST names {elsewhere};"
            " write host: ssh://… into the spec, or unset DOCKER_HOST"
        )
    if host.startswith(tunnels.SSH) and shutil.which("ssh") is None:
        yield f"this machine has no ssh, the way to {host}; install OpenSSH's client"


def _digest(case: _Case, image: pulumi.Input[str], secret: Secrets) -> pulumi.Output[str]:
    """One text that changes whenever the container must be another.

    It tells nothing of the secrets in it: nobody who does not know the engine's key, which is one
    of them, can try values for the others.
    """
    placement, server = case.placement, case.server
    plain = [
        container.settings(placement, server),
        dict(server.env),
        dict(server.volumes),
        list(container.binds(placement)),
    ]
    known: pulumi.Output[list[Any]] = pulumi.Output.all(image, secret)
    return pulumi.Output.unsecret(known.apply(lambda rest: _hashed([plain, *rest])))


def _hashed(whole: Any) -> str:
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _slot(case: _Case, image: pulumi.Input[str], digest: pulumi.Output[str]) -> ContainerSlot:
    options = case.placement.options
    return ContainerSlot(
        f"{case.name}-slot",
        host=case.host,
        owner=case.owner,
        service=names.remote(case.plan, case.site, case.placement.name, most=_SERVICE_CHARACTERS),
        digest=digest,
        image=image,
        address=container.address(case.placement),
        port=options.get("port"),
        devices=container.device_sets(case.placement),
        blue_green=container.is_blue_green(case.placement),
        opts=case.opts,
    )


def _container(
    case: _Case,
    at: Host,
    slot: ContainerSlot,
    image: pulumi.Input[str],
    digest: pulumi.Output[str],
    secret: Secrets,
) -> docker.Container:
    """A fixed name and port are free only once the old container is gone."""
    first = pulumi.ResourceOptions(
        delete_before_replace=not container.is_blue_green(case.placement)
    )
    return containers.container(
        case.name,
        slot,
        at=at,
        settings={
            **container.settings(case.placement, case.server),
            **_placed(case, slot),
            "image": image,
            "envs": _env(case.server, secret),
            "volumes": [*_kept(case, at), *container.binds(case.placement)],
        },
        labels={
            "moorage.owner": case.owner,
            "moorage.service": slot.service,
            "moorage.digest": digest,
        },
        opts=pulumi.ResourceOptions.merge(case.opts, first),
    )


def _placed(case: _Case, slot: ContainerSlot) -> dict[str, Any]:
    """What the slot has decided."""
    port = {
        "internal": case.server.port,
        "external": slot.port,
        "ip": container.address(case.placement),
    }
    gpus = {"driver": "nvidia", "device_ids": slot.device_ids, "capabilities": ["gpu"]}
    given = {"device_requests": [gpus]} if case.placement.device_ids else {}
    return {"ports": [port], **given}


def _env(server: Server, secret: Secrets) -> pulumi.Output[list[str]]:
    """Secret as a whole: Docker's variables are one list of texts."""
    plain = [f"{name}={server.env[name]}" for name in sorted(server.env.keys() - secret.keys())]
    known: pulumi.Output[dict[str, str]] = pulumi.Output.all(**secret)
    listed = known.apply(lambda held: [*plain, *(f"{name}={held[name]}" for name in sorted(held))])
    return pulumi.Output.secret(listed)


def _kept(case: _Case, at: Host) -> Iterator[docker.ContainerVolumeArgsDict]:
    """What the service keeps on that host, whichever of its containers runs there."""
    for what, path in sorted(case.server.volumes.items()):
        made = containers.volume(at, case.plan.service, what, case.site)
        yield {"volume_name": made.name, "container_path": path}


def _url(case: _Case, slot: ContainerSlot) -> pulumi.Output[str]:
    """How the gateway comes to the engine, without /v1."""
    address = container.address(case.placement)
    if case.host.startswith(tunnels.SSH) and address == container.LOOPBACK:
        return tunnels.tunnel(case.name, case.host, case.site, slot, case.opts).url
    shown = f"[{address}]" if ":" in address else address
    return slot.port.apply(lambda port: f"http://{shown}:{port}")


def _ready(
    case: _Case, made: docker.Container, url: pulumi.Output[str], key: pulumi.Output[str]
) -> EngineReady:
    seconds = container.ready_seconds(case.placement)
    longest = f"{seconds + _BESIDE_SECONDS}s"
    patient = pulumi.CustomTimeouts(create=longest, update=longest)
    return EngineReady(
        f"{case.name}-ready",
        host=case.host,
        owner=case.owner,
        container=made.name,
        container_id=made.id,
        url=url,
        key=key,
        probe=cast(
            "Any", probes.probe(case.plan.task, case.server.model, engine=case.placement.engine)
        ),
        kv=cast("Any", planned.kv(case.placement, case.server)),
        blue_green=container.is_blue_green(case.placement),
        ready_timeout_seconds=seconds,
        opts=pulumi.ResourceOptions.merge(
            case.opts, pulumi.ResourceOptions(custom_timeouts=patient)
        ),
    )


def _endpoint(
    case: _Case,
    slot: ContainerSlot,
    url: pulumi.Output[str],
    ready: EngineReady,
    key: pulumi.Output[str],
) -> Endpoint:
    """Known once the engine is proven, so that the gateway hears of none that does not serve."""
    proven = pulumi.Output.all(url, ready.served_model)
    return Endpoint(
        name=case.placement.name,
        kind=case.placement.kind,
        url=proven.apply(lambda known: f"{known[0]}/v1"),
        model=proven.apply(lambda known: known[1] or case.server.model),
        api_key=key,
        adapters=case.server.adapters,
        ranks=ranks(case.placement, case.plan),
        details={
            "host": case.host,
            "container": slot.name,
            "devices": slot.device_ids,
            "engine": case.placement.engine,
            "version": ready.engine_version,
            "status": ready.status,
            "kv_tokens": ready.kv_tokens,
            "kv_difference": ready.kv_difference,
        },
    )
