"""The one front of a stack: routes to every service, handed to a gateway process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set
from typing import Any

import pulumi

from components.endpoint import PYTHON, Endpoint, Site
from components.model_service import ModelService
from components.standing import left_out
from moorage.resources import Process

HOST = "127.0.0.1"


class Gateway(pulumi.ComponentResource):
    """The gateway process of a stack; `url` is where clients point their OpenAI SDK."""

    def __init__(
        self,
        name: str,
        *,
        services: Sequence[ModelService],
        port: int,
        site: Site,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("moorage:index:Gateway", name, None, opts)
        routes = _routes(services, port)
        process = Process(
            f"{name}-process",
            directory=site.directory(name),
            owner=site.owner(name),
            command=[PYTHON, "-m", "moorage.gateway", "--routes", "{directory}/routes.json"],
            files={"routes.json": routes},
            host=HOST,
            port=port,
            # The answer names the routes in force, so ready means: these very routes.
            ready={"path": "/health", "contains": pulumi.Output.unsecret(routes.apply(_digest))},
            reload_signal="SIGHUP",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url: pulumi.Output[str] = process.url.apply(lambda url: f"{url}/v1")
        self.register_outputs({"url": self.url})


def _routes(services: Sequence[ModelService], port: int) -> pulumi.Output[str]:
    """The routes of what came up; of everything, as long as nothing failed."""
    endpoints = [endpoint for service in services for endpoint in service.endpoints]

    def told(out: list[int]) -> pulumi.Output[str]:
        failed = {id(endpoints[number]) for number in out}
        return pulumi.Output.json_dumps(_file(services, port, failed), indent=2)

    routes: pulumi.Output[str] = left_out(endpoints).apply(told)
    return pulumi.Output.secret(routes)


def _file(services: Sequence[ModelService], port: int, failed: Set[int]) -> dict[str, object]:
    came_up = {s: [e for e in s.endpoints if id(e) not in failed] for s in services}
    # Where nothing came up there is nothing to stand in front of: the routes stay unknown, and
    # with them the gateway stays what it is.
    some = {s: endpoints for s, endpoints in came_up.items() if endpoints}
    listed = some or {s: s.endpoints for s in services}
    told = [_service(service, endpoints) for service, endpoints in listed.items()]
    return {"version": 1, "listen": {"host": HOST, "port": port}, "services": told}


def _service(service: ModelService, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    plan = service.plan
    return {
        "name": plan.service,
        "models": list(dict.fromkeys([plan.service, plan.model_id])),
        "task": plan.task,
        "api_key": service.api_key,
        "backends": [_backend(endpoint) for endpoint in endpoints],
    }


def _backend(endpoint: Endpoint) -> dict[str, Any]:
    more = {
        "adapters": dict(endpoint.adapters),
        "headers": dict(endpoint.headers),
        "timeouts": dict(endpoint.timeouts),
        "ranks": endpoint.ranks,
    }
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "model": endpoint.model,
        "api_key": endpoint.api_key,
        **{name: value for name, value in more.items() if value},
    }


def _digest(routes: str) -> str:
    return hashlib.sha256(routes.encode()).hexdigest()
