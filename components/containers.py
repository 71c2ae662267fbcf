"""Containers on Docker hosts, through Pulumi's docker plugin, and what those of one host share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import pulumi
import pulumi_docker as docker

from components import names, registries
from components.endpoint import Site
from moorage.resources import ContainerSlot

NAME_CHARACTERS: Final = 63

_LOCAL: Final = "local"  # where Docker's own client would look
_SSH: Final = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]  # nobody is there to be asked
_PULLING: Final = pulumi.CustomTimeouts(create="2h", update="2h", delete="10m")
_APART: Final = {"com.docker.network.bridge.enable_icc": "false"}  # containers do not talk
_HASH_CHARACTERS: Final = 8

_R = TypeVar("_R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A Docker host of a stack: the way to it, and the network of its containers."""

    address: str
    name: str  # as resources are called after it
    provider: docker.Provider
    network: docker.Network

    @property
    def opts(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(provider=self.provider)


def host(address: str, site: Site) -> Host:
    """The host; everything that goes there has one plugin and one network."""
    return _once(site, f"host {address}", lambda: _host(address, site))


def image(at: Host, name: str, site: Site) -> pulumi.Input[str]:
    """The id of an image that is on the host: pulled before any container goes for it."""
    if name.startswith("sha256:"):
        return name  # of an image that the host has already
    called = f"{at.name}-image-{_digest(name)}"
    made = _once(
        site,
        called,
        lambda: docker.RemoteImage(
            called,
            name=name,
            keep_locally=True,
            opts=pulumi.ResourceOptions(provider=at.provider, custom_timeouts=_PULLING),
        ),
    )
    return made.image_id


def volume(at: Host, service: str, what: str, site: Site) -> docker.Volume:
    """What a service keeps on a host, whatever container comes and goes."""
    called = f"{service}-{at.name}-{what}"
    return _once(
        site,
        called,
        lambda: docker.Volume(
            called,
            name=_remote(site, service, at.address, what),
            labels=_labels({"moorage.owner": site.owner(called)}),
            opts=at.opts,
        ),
    )


def container(
    name: str,
    slot: ContainerSlot,
    *,
    at: Host,
    settings: Mapping[str, Any],
    labels: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> docker.Container:
    """The container in its slot; a change goes by the slot's name, port and GPUs."""
    generation = slot.generation.apply(str)
    return docker.Container(
        name,
        name=slot.name,
        networks_advanced=[{"name": at.network.name}],
        labels=_labels({**labels, "moorage.claim": slot.claim, "moorage.generation": generation}),
        **settings,
        opts=pulumi.ResourceOptions.merge(opts, at.opts),
    )


def _host(address: str, site: Site) -> Host:
    name = f"docker-{names.slug(address)}"
    others = {str(p.options.get("host")) for plan in site.plans for p in plan.placements}
    if any(names.slug(one) == names.slug(address) for one in others - {address}):
        name = f"{name}-{_digest(address)}"  # ssh://a.b and ssh://a-b are two hosts
    provider = docker.Provider(
        name,
        host=None if address == _LOCAL else address,
        ssh_opts=_SSH if address.startswith("ssh://") else None,
        registry_auth=registries.logins(_images(address, site)) or None,
    )
    network = docker.Network(
        f"{name}-network",
        name=_remote(site, "network", address),
        driver="bridge",
        options=_APART,
        labels=_labels({"moorage.owner": site.owner(f"{name}-network")}),
        # A daemon tells its own defaults among them, as Docker Desktop does, and any difference
        # would replace a network that containers are in.
        opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["options"]),
    )
    return Host(address=address, name=name, provider=provider, network=network)


def _images(address: str, site: Site) -> Iterator[str]:
    """All that are pulled to a host, for all of its containers have one plugin."""
    for plan in site.plans:
        for placement in plan.placements:
            if placement.image is not None and placement.options.get("host") == address:
                yield placement.image


def _labels(labels: Mapping[str, pulumi.Input[str]]) -> list[Any]:
    return [{"label": label, "value": value} for label, value in sorted(labels.items())]


def _remote(site: Site, *identity: str) -> str:
    """A name on the host: of the stack, and of what it is there."""
    whole = "/".join([site.project, site.stack, *identity])
    readable = names.slug(f"{site.stack}-{identity[0]}-{identity[-1]}")
    return f"{readable[: NAME_CHARACTERS - _HASH_CHARACTERS - 1]}-{_digest(whole)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]


def _once(site: Site, key: str, make: Callable[[], _R]) -> _R:
    """What several placements share is declared by the first of them."""
    if key not in site.shared:
        site.shared[key] = make()
    return cast("_R", site.shared[key])
