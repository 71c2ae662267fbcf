"""Whether a place is one where a spec and its policy let requests be computed; pure."""

from __future__ import annotations

from moorage.plan.catalogue.offers import Kind, Region
from moorage.plan.world import World


def allowed(world: World, name: str | None, areas: tuple[str, ...]) -> str:
    """Why requests may not be computed there; empty where they may."""
    places = {*areas, *((name,) if name else ())}
    for wanted, who in _wishes(world):
        if not places:
            return f"nobody says where it computes, {who} {_either(wanted)}"
        # A provider with several areas may use any of them, so all must be allowed.
        inside = name in wanted or (bool(areas) and set(areas) <= set(wanted))
        if not inside:
            return f"it computes in {name or '/'.join(areas)}, {who} {_either(wanted)}"
    return ""


def of(kind: Kind, vendor: str | None, name: str) -> Region | None:
    """The region of that name; the vendor counts only where both know theirs."""
    return next(
        (
            region
            for region in kind.regions
            if region.name == name and (not vendor or not region.vendor or region.vendor == vendor)
        ),
        None,
    )


def _wishes(world: World) -> list[tuple[tuple[str, ...], str]]:
    privacy = world.spec.privacy
    tier = world.policy.tiers.get(privacy.tier)
    wishes = [(privacy.regions, "the spec allows")] if privacy.regions else []
    if tier is not None and tier.regions is not None:
        wishes.append((tier.regions, f"the policy allows tier {privacy.tier}"))
    return wishes


def _either(places: tuple[str, ...]) -> str:
    return ", ".join(places) if places else "nowhere"
