"""What may be left out of a gateway: placements that failed to come up and never stood before.

With `--continue-on-error` the engine goes on after a failure, but skips whatever depends on it,
and a gateway depends on every placement. The SDK tells a failed registration by outputs that stay
unknown outside of a preview. Such a placement is left out of the routes when nothing of it was in
the state before: then no working backend is lost. What stood before may still work though its
update or replacement failed; then the gateway is left as it is, with the routes that it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pulumi

from components.endpoint import Endpoint

# The driver sets it: URNs that were in the state before, in JSON. Plain Pulumi stops at a failure.
SETTING: Final = "standing"


def left_out(endpoints: Sequence[Endpoint]) -> pulumi.Output[list[int]]:
    """Which of the endpoints, by their place, can be left out; unlike they, it is always known."""
    setting = pulumi.Config("moorage").get(SETTING)
    if setting is None or pulumi.runtime.is_dry_run():
        return pulumi.Output.from_input([])
    return pulumi.Output.from_input(_left_out(endpoints, frozenset(json.loads(setting))))


def came_up(
    endpoints: Sequence[Endpoint], tell: Callable[[Endpoint], Mapping[str, object]]
) -> pulumi.Output[list[Any]]:
    """What there is to tell of the endpoints that were not left out; by name, plain or an output.

    Only the outputs are waited for: the SDK would make one of every word of it.
    """

    def told(out: list[int]) -> pulumi.Output[list[Any]]:
        rows = [tell(endpoint) for n, endpoint in enumerate(endpoints) if n not in out]
        waits = [one for row in rows for one in row.values() if isinstance(one, pulumi.Output)]

        def filled(values: list[Any]) -> list[Any]:
            known = iter(values)
            return [
                {
                    n: next(known) if isinstance(one, pulumi.Output) else one
                    for n, one in row.items()
                }
                for row in rows
            ]

        return pulumi.Output.all(*waits).apply(filled)

    listed: pulumi.Output[list[Any]] = left_out(endpoints).apply(told)
    return listed


async def _left_out(endpoints: Sequence[Endpoint], standing: frozenset[str]) -> list[int]:
    return [n for n, each in enumerate(endpoints) if await _never_stood(each, standing)]


async def _never_stood(endpoint: Endpoint, standing: frozenset[str]) -> bool:
    if await endpoint.url.is_known():
        return False
    urns = [await resource.urn.future() for resource in await endpoint.url.resources()]
    return bool(urns) and standing.isdisjoint(urn for urn in urns if urn is not None)
