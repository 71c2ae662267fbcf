"""The app of a spec: a Space in front of a service, talking to it through the gateway."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import pulumi

from components import apps, names
from components.endpoint import Site
from moorage.plan.money.prices import APP_HARDWARE
from moorage.plan.types import Plan
from moorage.resources import Space, SpaceVisibilityText
from moorage.spec import units

NAME_CHARACTERS: Final = 96
REACHABLE: Final = frozenset({80, 443, 8080})  # no other port goes out of a Space
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_TIMEOUTS: Final = pulumi.CustomTimeouts(create="2h", update="2h", delete="20m")
_MS_PER_SECOND: Final = 1000


def build(
    plan: Plan,
    *,
    site: Site,
    address: pulumi.Input[str],
    api_key: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> Space:
    """Declare the Space; `address` is that of the gateway from outside, ending in /v1."""
    assert plan.app is not None, "there is an app to build"
    told = inputs(plan, site=site)
    visibility = cast("SpaceVisibilityText", told.pop("visibility"))
    return Space(
        f"{plan.service}-app",
        **told,
        visibility=visibility,
        variables={
            "MOORAGE_GATEWAY_URL": address,
            "MOORAGE_MODEL": plan.service,
            "MOORAGE_TITLE": plan.service,
        },
        secrets={"MOORAGE_GATEWAY_KEY": api_key},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=_TIMEOUTS)),
    )


def remote_name(plan: Plan, site: Site) -> str:
    """Its name at Hugging Face; pure."""
    assert plan.app is not None, "there is an app to name"
    options = plan.app.options
    identity = "app", options.get("namespace"), apps.named(options.get("template")).sdk
    return names.remote(plan, site, *identity, most=NAME_CHARACTERS)


def inputs(plan: Plan, *, site: Site) -> dict[str, Any]:
    """The Space's inputs besides its environment; pure."""
    assert plan.app is not None, "there is an app to build"
    options = plan.app.options
    template = apps.named(options.get("template"))
    found = {
        "name": remote_name(plan, site),
        "namespace": options.get("namespace"),
        "owner": site.owner(f"{plan.service}-app"),
        "sdk": template.sdk,
        "files": apps.files(options.get("template")),
        "card": dict(template.card) or None,
        "visibility": options.get("visibility", "private"),
        "hardware": options.get("hardware", APP_HARDWARE),
        "sleep_seconds": sleep_seconds(options),
    }
    return {name: value for name, value in found.items() if value is not None}


def lacks(plan: Plan, address: str) -> Iterator[str]:
    """What stands in the way of the app: a line each, with what to do."""
    if plan.app is None:
        return
    options = plan.app.options
    yield from _misnamed(options.get("template") or apps.USUAL, options.get("sdk", "gradio"))
    if not is_reachable(address):
        yield (
            f"app: a Space does not reach the gateway at {address}: it gets out on the ports 80,"
            " 443 and 8080 only; set moorage:gatewayAddress to where others reach the gateway"
        )


def _misnamed(name: str, sdk: str) -> Iterator[str]:
    template = apps.TEMPLATES.get(name)
    usable = ", ".join(one for one, told in apps.TEMPLATES.items() if told.is_for_specs)
    if template is None:
        yield f"app: there is no template {name}; there are {usable}"
    elif not template.is_for_specs:
        yield f"app: template {name} is for a program of your own (docs/spaces.md); take {usable}"
    elif template.sdk != sdk:
        yield f"app: template {name} is made with sdk {template.sdk}, not {sdk}"


def is_reachable(address: str) -> bool:
    """Whether a Space can come to an address: public, and on a port that it may use."""
    parts = urlsplit(address)
    port = parts.port or _USUAL_PORTS.get(parts.scheme)
    return port in REACHABLE and not _is_inside(parts.hostname or "")


def _is_inside(host: str) -> bool:
    """Whether a host is of one machine or network only."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host in ("", "localhost") or host.endswith((".local", ".internal", ".localhost"))


def sleep_seconds(options: Mapping[str, Any]) -> int | None:
    """After how long it sleeps; free hardware decides that by itself."""
    idle = options.get("sleep_after")
    if idle is None or options.get("hardware", APP_HARDWARE) == APP_HARDWARE:
        return None
    return max(1, round(units.duration_ms(idle) / _MS_PER_SECOND))
