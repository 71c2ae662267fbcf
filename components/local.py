"""Kind `local`: llama.cpp's server in a process of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi

from components import probes
from components.endpoint import PYTHON, Endpoint, Site
from moorage.plan.types import Placement, Plan
from moorage.resources import ApiKey, ModelFile, Process

LOAD_TIMEOUT_SECONDS = 300  # a few GiB of weights from a slow disk


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,
    weights: ModelFile | None,
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
    """Declare the engine's key and process; the engine is reachable on loopback only."""
    assert weights is not None, "the plan gives every local placement its weights"
    name = f"{plan.service}-{placement.name}"
    key = ApiKey(f"{name}-key", opts=opts)
    engine = Process(
        name,
        directory=site.directory(name),
        owner=site.owner(name),
        command=_command(placement, plan, weights),
        environment={
            "MOORAGE_ENGINE_KEY": key.value,
            # Nobody reads it: the same path with other bytes in it shall restart the engine.
            "MOORAGE_WEIGHTS_SHA256": weights.sha256_actual,
        },
        port=placement.options.get("port"),
        ready={
            "path": probes.probe(plan.task, "")["path"],
            "body": weights.served_model.apply(
                lambda model: probes.probe(plan.task, model)["body"]
            ),
            "timeout_seconds": LOAD_TIMEOUT_SECONDS,
        },
        ready_key=key.value,
        opts=opts,
    )
    return [
        Endpoint(
            name=placement.name,
            kind=placement.kind,
            url=engine.url.apply(lambda url: f"{url}/v1"),
            model=weights.served_model,
            api_key=key.value,
            details={"directory": engine.directory, "log": engine.log, "pid": engine.pid},
        )
    ]


def lacks(placement: Placement) -> Iterator[str]:  # noqa: ARG001
    """An engine of this machine needs nothing of the environment."""
    return iter(())


def _command(placement: Placement, plan: Plan, weights: ModelFile) -> list[pulumi.Input[str]]:
    command: list[pulumi.Input[str]] = [
        *(PYTHON, "-m", "moorage.engine", "serve"),
        *("--model", weights.local_path, "--alias", weights.served_model, "--task", plan.task),
        *("--host", "127.0.0.1", "--port", "{port}"),
    ]
    sizes = {
        "--ctx": plan.max_model_len,
        "--parallel": placement.options.get("parallel"),
        "--threads": placement.options.get("threads"),
    }
    return command + [
        text for flag, size in sizes.items() if size is not None for text in (flag, str(size))
    ]
