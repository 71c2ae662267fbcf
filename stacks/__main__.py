"""The stack program: every spec of the stack becomes a service behind one gateway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pulumi
from msgspec.structs import asdict

from components import planned, plugins, published, refuse_unfurnished
from components.endpoint import Endpoint, Site
from components.gateway import Gateway
from components.model_service import ModelService
from components.standing import came_up
from moorage.errors import Exit, MoorageError
from moorage.plan.load import Loaded, load
from moorage.plan.types import Plan

__all__ = ["main", "plugins"]  # what moorage asks a stack program for

GATEWAY_PORT = 8700


async def main(root: Path, loaded: Loaded | None = None) -> None:
    """Declare the stack's resources and outputs; `root` is the folder of Pulumi.yaml.

    `loaded` are its specs' plans, where they were made already.
    """
    config = pulumi.Config("moorage")
    port = config.get_int("gatewayPort") or GATEWAY_PORT
    address = config.get("gatewayAddress") or f"http://127.0.0.1:{port}/v1"
    loaded = loaded or _loaded(root, config.get_object("specs") or [])
    _refuse(loaded, address)
    site = Site(
        root=root,
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        gateway=address,
        delete_first=loaded.policy.delete_first,
        plans=loaded.plans,
    )
    services = []
    for plan in loaded.plans:
        services.append(ModelService(plan, site=site))
        await asyncio.sleep(0.001)  # the engine starts with what is declared
    gateway = Gateway("gateway", services=services, port=port, site=site)
    pulumi.export("services", {s.plan.service: _service(s, gateway) for s in services})
    pulumi.export("details", {s.plan.service: _details(s, root) for s in services})


def _loaded(root: Path, patterns: list[str]) -> Loaded:
    paths = [root / pattern for pattern in patterns]
    return load(paths, root=root, today=datetime.now(UTC).date())


def _refuse(loaded: Loaded, gateway: str) -> None:
    """Refuse what cannot be deployed, before anything exists."""
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    if errors:
        raise MoorageError("\n".join(map(str, errors)), exit_code=Exit.PROBLEMS)
    if not loaded.plans:
        file = f"stacks/Pulumi.{pulumi.get_stack()}.yaml"
        message = f"{file}: moorage:specs names no spec; list files, folders or globs there"
        raise MoorageError(message)
    refuse_unfurnished(loaded.plans, gateway=gateway)


def _service(service: ModelService, gateway: Gateway) -> dict[str, pulumi.Input[str]]:
    return {"url": gateway.url, "api_key": service.api_key, "model": service.plan.service}


def _details(service: ModelService, root: Path) -> dict[str, object]:
    """What operators and load tests need of a service; without secrets."""
    plan = service.plan
    return {
        "task": plan.task,
        "slo": asdict(plan.slo),
        "failover": asdict(plan.failover),
        "load": asdict(plan.load),
        "backends": came_up(service.endpoints, partial(_backend, plan, root)),
        **({"app": service.app.app_url} if service.app is not None else {}),
        **({"published": list(map(published.told, service.published))} if plan.publish else {}),
    }


def _backend(plan: Plan, root: Path, endpoint: Endpoint) -> dict[str, object]:
    return {
        "name": endpoint.name,
        "kind": endpoint.kind,
        "url": endpoint.url,
        "model": endpoint.model,
        "planned": planned.told(plan, endpoint.name, root=root),
        **endpoint.details,
    }


if __name__ == "__main__":
    pulumi.run(partial(main, Path(pulumi.get_root_directory())))
