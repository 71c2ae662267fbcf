"""Small programs of components, run against Pulumi's mocks: what they declare is what is seen."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from components.endpoint import Site
from components.gateway import Gateway
from components.model_service import ModelService
from moorage.plan.types import Cost, Placement, Plan
from moorage.spec.types import Failover, Load, Slo

GATEWAY = "https://llm.example.com/v1"
SITE = Site(root=Path("/checkout"), project="moorage", stack="story", gateway=GATEWAY)


def a_plan(*placements: Placement, task: str = "text-generation", **said: Any) -> Plan:
    known: dict[str, Any] = {
        "service": "hello",
        "team": "examples",
        "model_id": "acme/tiny-gguf",
        "task": task,
        "max_model_len": 2048,
        "privacy_tier": "internal",
        "placements": placements,
        "cost": Cost(most_usd=Decimal(0)),
        "slo": Slo(),
        "failover": Failover(),
        "load": Load(),
        "spec_path": Path("hello.yaml"),
    }
    return Plan(**{**known, **said})


class Answers(mocks.Mocks):
    """What our provider would answer, as far as a program can see it."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.seen[args.name] = dict(args.inputs)
        outputs: dict[str, Any] = {
            "moorage:index:ApiKey": {"value": f"key-of-{args.name}"},
            "moorage:index:ModelFile": {
                "localPath": "/cache/tiny.gguf",
                "servedModel": "served",
                "sha256Actual": "d1935",
            },
            "moorage:index:Process": {
                "url": f"http://127.0.0.1:{args.inputs.get('port') or 9000}",
                "log": "log",
                "pid": 1,
            },
            "moorage:index:OpenAIServer": {"servedModel": "smollm2:135m"},
            "moorage:index:InferenceEndpoint": {
                "url": f"https://{args.inputs.get('name')}.endpoints.test/v1",
                "servedModel": "as-the-endpoint-says",
                "status": "running",
            },
            "moorage:index:Space": {"appUrl": "https://acme-app.hf.test", "stage": "RUNNING"},
            "moorage:index:ContainerSlot": {
                "name": args.inputs.get("service"),
                "port": args.inputs.get("port") or 21000,
                "deviceIds": next(iter(args.inputs.get("devices") or []), []),
                "claim": "c1a1",
                "generation": 1,
            },
            "moorage:index:EngineReady": {"servedModel": "as-the-engine-says", "status": "running"},
            "docker:index/remoteImage:RemoteImage": {"imageId": "sha256:0a1b"},
            "moorage:index:ModelRepository": {"account": args.inputs.get("namespace") or "me"},
            "moorage:index:RouterRoute": {
                "url": "https://router.test/v1",
                "servedModel": f"m:{args.inputs.get('provider') or args.inputs.get('policy')}",
            },
        }
        return f"{args.name}-id", {**args.inputs, **outputs.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {}, None


def declare(program: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """Run a program against the mocks; returns the inputs of every resource by name."""
    answers = Answers()

    async def main() -> None:
        mocks.set_mocks(answers, project="moorage", stack="story")
        await pulumi.runtime.stack.run_pulumi_func(program)

    asyncio.run(main())
    return answers.seen


def revealed(value: dict[str, Any]) -> Any:
    """The plain value of an input that must have been sent as a secret."""
    assert value[_special_sig_key] == _special_secret_sig
    return value["value"]


def routes_of(seen: dict[str, dict[str, Any]]) -> dict[str, Any]:
    routes: dict[str, Any] = json.loads(revealed(seen["gateway-process"]["files"])["routes.json"])
    return routes


def a_stack(*plans: Plan) -> None:
    site = dataclasses.replace(SITE, shared={}, plans=plans)
    services = [ModelService(plan, site=site) for plan in plans]
    Gateway("gateway", services=services, port=8700, site=site)
