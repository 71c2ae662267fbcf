"""Where a stack's placements are, and what was planned of each: from its outputs and routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

GATEWAY: Final = "gateway"
_PAID: Final = frozenset({"hf-router"})  # by the request
_SLEEPY: Final = frozenset({"hf-endpoint", "hf-space"})  # to be asked may wake them


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One placement of one service, or the gateway in front of them all."""

    service: str
    name: str
    kind: str
    url: str  # without /v1
    model: str = ""
    task: str = ""
    key: str | None = field(default=None, repr=False)
    planned: Mapping[str, Any] = field(default_factory=dict)
    known: str = ""  # what was told of it at the last deployment

    @property
    def why_unasked(self) -> str:
        """Why nobody should ask it without being told to."""
        if self.kind in _PAID:
            return "every request is paid"
        return "to ask might wake it" if self.kind in _SLEEPY else ""


def places(outputs: Mapping[str, Any], routes: Mapping[str, Any]) -> tuple[Place, ...]:
    """The gateway, then every placement in the order of failover.

    `routes` is the gateway's file, which holds the keys; empty where it is another machine's. What
    failed to come up has no address.
    """
    fronts = sorted({str(one.get("url", "")) for one in outputs.get("services", {}).values()})
    gateways = [Place(service="", name=GATEWAY, kind=GATEWAY, url=_base(url)) for url in fronts]
    return *gateways, *_backends(outputs.get("details", {}), _keys(routes))


def _backends(
    details: Mapping[str, Any], keys: Mapping[tuple[str, str], str | None]
) -> Iterator[Place]:
    for service, told in sorted(details.items()):
        for backend in told["backends"]:
            name = str(backend["name"])
            yield Place(
                service=service,
                name=name,
                kind=str(backend["kind"]),
                url=_base(str(backend["url"])),
                model=str(backend["model"]),
                task=str(told["task"]),
                key=keys.get((service, name)),
                planned=backend.get("planned", {}),
                known=str(backend.get("status") or backend.get("state") or ""),
            )


def _keys(routes: Mapping[str, Any]) -> dict[tuple[str, str], str | None]:
    return {
        (service["name"], backend["name"]): backend["api_key"]
        for service in routes.get("services", ())
        for backend in service["backends"]
    }


def _base(url: str) -> str:
    return url.rstrip("/").removesuffix("/v1")
