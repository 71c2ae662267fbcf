"""Everything that a twin is at one moment; its hosts all work on this one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field

from aiohttp import web

from moorage.twin.clock import Clock
from moorage.twin.desk import token
from moorage.twin.endpoint import Endpoint
from moorage.twin.hub import Hub
from moorage.twin.limits import Limits
from moorage.twin.mischief import Faults, Request
from moorage.twin.people import Caller, People
from moorage.twin.scenario import Scenario


class Fleet(Mapping[str, Endpoint]):
    """The endpoints that there are, by account/name; a deleted one stays until it is gone."""

    def __init__(self) -> None:
        self._all: dict[str, Endpoint] = {}
        self.gone: list[Endpoint] = []

    def __getitem__(self, key: str) -> Endpoint:
        self._sweep()
        endpoint = self._all[key]
        endpoint.settle()
        return endpoint

    def __iter__(self) -> Iterator[str]:
        self._sweep()
        return iter(list(self._all))

    def __len__(self) -> int:
        self._sweep()
        return len(self._all)

    def values(self) -> ValuesView[Endpoint]:
        """All at one moment: of those that are looked up one by one, some go meanwhile."""
        return self._now().values()

    def items(self) -> ItemsView[str, Endpoint]:
        """The same, each with its id."""
        return self._now().items()

    def add(self, endpoint: Endpoint) -> None:
        """One more endpoint."""
        self._all[endpoint.id] = endpoint

    def forget(self) -> None:
        """None any more, at once."""
        self._all.clear()

    def of(self, account: str) -> list[Endpoint]:
        """The endpoints of an account, the oldest first."""
        return [endpoint for endpoint in self.values() if endpoint.account == account]

    def _now(self) -> dict[str, Endpoint]:
        self._sweep()
        found = dict(self._all)
        for endpoint in found.values():
            endpoint.settle()
        return found

    def _sweep(self) -> None:
        for key in [key for key, endpoint in list(self._all.items()) if endpoint.is_gone]:
            endpoint = self._all.pop(key, None)
            if endpoint is not None:  # another thread may have been quicker
                self.gone.append(endpoint)


@dataclass(kw_only=True, slots=True)
class World:
    """The accounts, the endpoints, the Hub, the clock and the faults of one twin."""

    scenario: Scenario
    clock: Clock
    people: People
    faults: Faults
    limits: Limits
    hub: Hub
    endpoints: Fleet = field(default_factory=Fleet)
    requests: list[Request] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)  # by host: hub, endpoints, router, engines

    def caller(self, request: web.BaseRequest) -> Caller | None:
        """Whose token a request carries; None for no token and for an unknown one."""
        return self.people.caller(token(request))

    def note(self, host: str, request: web.BaseRequest) -> None:
        """Write a request down."""
        caller = self.caller(request)
        self.requests.append(
            Request(
                host=host,
                method=request.method,
                path=request.path,
                query=request.query_string,
                token_of=caller.user.name if caller else "",
                token=token(request) or "",
                at_s=self.clock.now_s(),
            )
        )

    def accelerators_used(self, account: str, *, but: str = "") -> dict[str, int]:
        """An account's accelerators by instance type: asleep they count, paused they do not."""
        used: Counter[str] = Counter()
        counts = {compute.id: compute.accelerators for compute in self.scenario.computes}
        for endpoint in self.endpoints.of(account):
            if endpoint.state == "paused" or endpoint.name == but:
                continue
            compute = endpoint.body["compute"]
            most = int(compute["scaling"]["maxReplica"])
            used[compute["instanceType"]] += counts.get(compute["id"], 0) * most
        return dict(used)
