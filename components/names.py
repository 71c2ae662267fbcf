"""Names of remote things: short, readable, and another one wherever the thing must be another."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from components.endpoint import Site
from moorage.plan.types import Placement, Plan

ENDPOINT_CHARACTERS: Final = 32  # of an Inference Endpoint

_HASH_CHARACTERS: Final = 8
_OPTIONS: Final = ("namespace", "vendor", "region", "visibility")  # a change of them replaces it


def endpoint(placement: Placement, *, engine: str, plan: Plan, site: Site) -> str:
    """The name of an Inference Endpoint; `engine` is the variant that runs it.

    What cannot be changed in place is part of the hash, so that what replaces an endpoint has a
    name of its own and can stand before the old one goes.
    """
    machine, options = placement.machine, placement.options
    known = {name: options.get(name) for name in _OPTIONS}
    if machine is not None:
        known |= {"vendor": machine.vendor, "region": machine.region}
    identity = [placement.name, engine, *(known[name] for name in _OPTIONS)]
    if link := options.get("private_link"):  # few have one, and the others keep their names
        identity.append(json.dumps(link, sort_keys=True))
    return remote(plan, site, *identity, most=ENDPOINT_CHARACTERS)


def remote(plan: Plan, site: Site, *identity: str | None, most: int) -> str:
    """A name of service and stack, with a hash over these, the project and the identity."""
    whole = [site.project, site.stack, plan.service, *identity]
    digest = hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:_HASH_CHARACTERS]
    room = most - _HASH_CHARACTERS - 1
    readable = slug(f"{plan.service}-{site.stack}")[:room].rstrip("-")
    return f"{readable}-{digest}" if readable else f"m-{digest}"


def slug(text: str) -> str:
    """Lowercase letters, digits and single hyphens, beginning and ending with none of these."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
