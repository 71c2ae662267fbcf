"""The twin of Hugging Face as a whole: Hub, Inference Endpoints, router and engines at once.

    from moorage.twin import face

    with face.serve(face.Scenario()) as twin:            # or the path of a scenario in YAML
        os.environ.update(twin.environment())            # every address, and tokens to use
        twin.endpoints["acme/name"].raw                  # an endpoint's JSON as the API tells it
        twin.endpoints["acme/name"].history              # the states that it went through
        twin.requests                                    # every Request(host, method, path, ...)
        twin.clock.advance(30)                           # time, above all where it is driven
        twin.faults.append(face.Fault(method="POST", does="lose"))
        twin.plant("acme", "by-hand")                    # an endpoint that somebody else made
        twin.pause("acme", "name")                       # as a person would

Each host listens on a port of its own, as the real ones have names of their own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from moorage.twin import body as bodies
from moorage.twin import control, endpoints, engines, hub, router, scenario_file, space_routes
from moorage.twin.clock import Clock
from moorage.twin.endpoint import Endpoint, born
from moorage.twin.limits import Limits
from moorage.twin.mischief import Faults, Request, watched
from moorage.twin.people import Account, People, Token
from moorage.twin.repos import Repo, TwinError
from moorage.twin.scenario import Fault, Limit, Scenario, Speed, Start, Timings
from moorage.twin.serving import Door, open_doors
from moorage.twin.spaces import Habit
from moorage.twin.world import Fleet, World

__all__ = [
    "Account",
    "Fault",
    "Habit",
    "Limit",
    "Repo",
    "Request",
    "Scenario",
    "Speed",
    "Start",
    "Timings",
    "Token",
    "Twin",
    "TwinError",
    "serve",
]

_MAX_BODY_BYTES: Final = 64 << 20
_APPS: Final = "/spaces"


class Twin:
    """A running twin, for a test in the same process."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self.world.clock

    @property
    def faults(self) -> Faults:
        """The faults to come."""
        return self.world.faults

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        return self.world.requests

    @property
    def endpoints(self) -> Fleet:
        """The endpoints that there are, by account/name."""
        return self.world.endpoints

    @property
    def hub(self) -> hub.Hub:
        """The Hub's own twin."""
        return self.world.hub

    @property
    def urls(self) -> Mapping[str, str]:
        """Where each host listens: hub, endpoints, router, engines."""
        return self.world.urls

    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to take the twin for the real thing."""
        return environment(self.world)

    def plant(
        self, account: str, name: str, *, by: str = "zoe", ready: bool = True, **fields: Any
    ) -> Endpoint:
        """An endpoint that somebody made by hand; `fields` replace those of its body."""
        body = {**_by_hand(), "name": name, **fields}
        compute = bodies.placed(self.world.scenario.computes, body)
        if isinstance(compute, str):
            raise TwinError(compute)
        endpoint = endpoints.make(self.world, account, body, compute, by=by)
        self.endpoints.add(born(endpoint, by))
        if ready:
            endpoint.hurry()
        return endpoint

    def pause(self, account: str, name: str, *, by: str = "zoe") -> None:
        """As a person pauses an endpoint in the browser."""
        self.endpoints[f"{account}/{name}"].pause(by)

    def remove(self, account: str, name: str) -> None:
        """As a person deletes an endpoint behind everybody's back, at once."""
        self.endpoints[f"{account}/{name}"].gone_at_s = self.clock.now_s()

    def wait_for(self, key: str, state: str, *, within_s: float = 10.0) -> Endpoint:
        """The endpoint once it is in a state, for tests on the real clock."""
        end_s = time.monotonic() + within_s
        while self.endpoints[key].state != state:
            if time.monotonic() > end_s:
                says = f"{key} is {self.endpoints[key].state} after {within_s:g} s, not {state}"
                raise TwinError(says)
            time.sleep(0.005)
        return self.endpoints[key]


@contextmanager
def serve(
    scenario: Scenario | Path | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[Twin]:
    """Serve a scenario from a thread while the block runs; `port` is as in `doors`."""
    world = make(scenario)
    with open_doors(doors(world, host=host, port=port)) as urls:
        listens_at(world, urls)
        yield Twin(world)


def make(scenario: Scenario | Path | None = None) -> World:
    """A world as the scenario tells; nothing listens yet."""
    told = scenario_file.read(scenario) if isinstance(scenario, Path) else scenario or Scenario()
    people, clock = People(told.accounts), Clock(driven=told.clock == "driven")
    its_hub = hub.make(told.repos, people=people)
    its_hub.desk.clock, its_hub.desk.groups = clock, told.groups
    its_hub.desk.habits = dict(told.spaces)
    return World(
        scenario=told,
        clock=clock,
        people=people,
        faults=Faults(told.faults),
        limits=Limits(all=told.limits, clock=clock),
        hub=its_hub,
    )


def doors(world: World, *, host: str, port: int = 0) -> list[Door]:
    """The application and the ports of each host, in the order of `listens_at`.

    `port` is that of the Endpoints API; the four after it are the others'. 0 takes free ones.
    """
    hub_app = hub.application(world.hub, middlewares=[_watched(world, "hub")])
    api, *hub_ports, routes, apps = (port + at if port else 0 for at in range(5))
    return [
        Door(app=_app(world, "endpoints", _api), host=host, ports=(api,)),
        Door(app=hub_app, host=host, ports=hub_ports),
        Door(app=_app(world, "router", router.add_routes), host=host, ports=(routes,)),
        Door(app=_app(world, "engines", _engines), host=host, ports=(apps,)),
    ]


def listens_at(world: World, urls: list[str]) -> None:
    """Where the doors are, once they are open."""
    api, hub_url, content_url, router_url, engines_url = urls
    world.hub.listens_at([hub_url, content_url])
    world.hub.desk.apps_url = f"{engines_url}{_APPS}"
    world.urls |= {"endpoints": api, "hub": hub_url, "router": router_url, "engines": engines_url}


def environment(world: World) -> dict[str, str]:
    """What a program needs in its environment to take the twin for the real thing."""
    scenario, urls = world.scenario, world.urls
    told = {
        "HF_TOKEN": scenario.deploys,
        "HF_ENDPOINT": urls["hub"],
        "MOORAGE_HF_ENDPOINTS_URL": urls["endpoints"],
        "MOORAGE_HF_ROUTER_URL": urls["router"],
        "MOORAGE_HF_INFERENCE_TOKEN": scenario.calls,
        "MOORAGE_HF_FOREIGN_TOKEN": scenario.foreign,
    }
    return {key: value for key, value in told.items() if value}


def _engines(app: web.Application, world: World) -> None:
    space_routes.mount_apps(app, world.hub, _APPS)  # first: an engine's path would match it too
    engines.add_routes(app, world)


def _api(app: web.Application, world: World) -> None:
    endpoints.add_routes(app, world)
    control.add_routes(app, world)


def _app(world: World, host: str, add: Any) -> web.Application:
    app = web.Application(middlewares=[_watched(world, host)], client_max_size=_MAX_BODY_BYTES)
    add(app, world)
    return app


def _watched(world: World, host: str) -> Any:
    return watched(host, note=world.note, refuse=world.limits.refuse, faults=world.faults)


def _by_hand() -> dict[str, Any]:
    return {
        "type": "private",
        "provider": {"vendor": "aws", "region": "eu-west-1"},
        "compute": {
            "accelerator": "cpu",
            "instanceType": "intel-spr",
            "instanceSize": "x1",
            "scaling": {"minReplica": 1, "maxReplica": 1},
        },
        "model": {
            "repository": "acme/by-hand",
            "revision": "b" * 40,
            "framework": "pytorch",
            "image": {"huggingface": {}},
        },
    }
