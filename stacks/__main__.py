"""The stack program: every spec of the stack becomes a service behind one gateway."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pulumi

from components.endpoint import Site
from components.gateway import Gateway
from components.model_service import ModelService
from moorage.errors import Exit, MoorageError
from moorage.plan.load import load
from moorage.plan.types import Plan


def main(root: Path) -> None:
    """Declare the stack's resources and outputs; `root` is the folder of Pulumi.yaml."""
    config = pulumi.Config("moorage")
    plans = _plans(root, config.require_object("specs"))
    site = Site(root=root, project=pulumi.get_project(), stack=pulumi.get_stack())
    services = [ModelService(plan, site=site) for plan in plans]
    port = config.require_int("gatewayPort")
    gateway = Gateway("gateway", services=services, port=port, site=site)
    pulumi.export("services", {s.plan.service: _service(s, gateway) for s in services})
    pulumi.export("details", {s.plan.service: _details(s) for s in services})


def _plans(root: Path, patterns: list[str]) -> tuple[Plan, ...]:
    loaded = load([root / pattern for pattern in patterns], root=root)
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    if errors:
        raise MoorageError("\n".join(map(str, errors)), exit_code=Exit.PROBLEMS)
    if not loaded.plans:
        message = f"moorage:specs of this stack names no spec: {', '.join(patterns)}"
        raise MoorageError(message)
    return loaded.plans


def _service(service: ModelService, gateway: Gateway) -> dict[str, pulumi.Input[str]]:
    return {"url": gateway.url, "api_key": service.api_key, "model": service.plan.service}


def _details(service: ModelService) -> dict[str, object]:
    """What operators and load tests need of a service; without secrets."""
    plan = service.plan
    return {
        "task": plan.task,
        "slo": asdict(plan.slo),
        "failover": asdict(plan.failover),
        "load": asdict(plan.load),
        "backends": [
            {"name": e.name, "kind": e.kind, "url": e.url, "model": e.model, **e.details}
            for e in service.endpoints
        ],
    }


if __name__ == "__main__":
    main(Path(pulumi.get_root_directory()))
