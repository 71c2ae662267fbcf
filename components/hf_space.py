"""Kind `hf-space`: the model in a Docker Space, its engine in a container of the platform."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import pulumi

from components import app, names, tokens
from components.endpoint import Endpoint, Site, ranks
from components.engines.flags import flags, gguf_url
from components.engines.words import words
from moorage.plan.types import Placement, Plan
from moorage.resources import ModelFile, Space, SpaceVisibilityText

_TIMEOUTS: Final = pulumi.CustomTimeouts(create="2h", update="2h", delete="20m")
_READY_SECONDS: Final = 5400
_PORT: Final = 7860  # where a Space expects its app
_HEALTH: Final = "/health"  # which every engine here answers once it has loaded

_CACHE: Final = "/tmp/hub"  # noqa: S108  the one folder where a Space's user may write
_CACHES: Final = ("HF_HOME", "HUGGINGFACE_HUB_CACHE", "LLAMA_CACHE")


def build(
    placement: Placement,
    *,
    plan: Plan,
    site: Site,
    weights: ModelFile | None,  # noqa: ARG001  every kind is called alike
    opts: pulumi.ResourceOptions,
) -> Sequence[Endpoint]:
    """Declare the Space; it answers like any OpenAI-compatible server."""
    made = _space(placement, plan, site, opts)
    return [
        Endpoint(
            name=placement.name,
            kind=placement.kind,
            url=made.app_url.apply(lambda url: f"{url}/v1"),
            model=pulumi.Output.from_input(plan.model_id),
            api_key=tokens.inference(),
            ranks=ranks(placement, plan),
            details={"space": made.url, "stage": made.stage},
        )
    ]


def _space(placement: Placement, plan: Plan, site: Site, opts: pulumi.ResourceOptions) -> Space:
    told = inputs(placement, plan=plan, site=site)
    visibility = cast("SpaceVisibilityText", told.pop("visibility"))
    return Space(
        f"{plan.service}-{placement.name}",
        **told,
        visibility=visibility,
        secrets=tokens.secrets(placement.options.get("secrets", {})) or None,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=_TIMEOUTS)),
    )


def lacks(placement: Placement) -> Iterator[str]:
    """What of the environment is missing for it."""
    if not tokens.has_inference():
        yield tokens.missing_inference()
    for variable in tokens.unset(placement.options.get("secrets", {}).values()):
        yield f"the environment has no {variable}; set it to the secret that the spec names"
    if placement.image is None:
        yield f"engine {placement.engine} has no image; give serving.image"


def remote_name(placement: Placement, plan: Plan, site: Site) -> str:
    """Its name at Hugging Face; pure."""
    identity = placement.name, placement.options.get("namespace")
    return names.remote(plan, site, *identity, most=app.NAME_CHARACTERS)


def inputs(placement: Placement, *, plan: Plan, site: Site) -> dict[str, Any]:
    """The Space's inputs besides its secrets; pure."""
    options = placement.options
    found = {
        "name": remote_name(placement, plan, site),
        "namespace": options.get("namespace"),
        "owner": site.owner(f"{plan.service}-{placement.name}"),
        "sdk": "docker",
        "card": {"app_port": _PORT},
        "files": {"Dockerfile": dockerfile(placement, plan)},
        "visibility": options.get("visibility", "private"),
        "hardware": options["hardware"],
        "sleep_seconds": app.sleep_seconds(options),
        "variables": dict(placement.env) or None,
        "ready_path": _HEALTH,
        "ready_timeout_seconds": _READY_SECONDS,
    }
    return {name: value for name, value in found.items() if value is not None}


def dockerfile(placement: Placement, plan: Plan) -> str:
    """The engine with its flags; the weights come from the Hub when it starts."""
    command = [*_model(placement, plan), *words(placement.engine or "", flags(placement, plan))]
    lines = [
        f"FROM {placement.image}",
        f"ENV {' '.join(f'{name}={_CACHE}' for name in _CACHES)}",
        f"EXPOSE {_PORT}",
        *_entry(placement),
        f"CMD {json.dumps(command)}",
    ]
    return "\n".join([*lines, ""])


def _entry(placement: Placement) -> list[str]:
    """vLLM's image changed how it is entered; this way works with all of its versions."""
    if placement.engine != "vllm":
        return []
    return [f"ENTRYPOINT {json.dumps(['python3', '-m', 'vllm.entrypoints.openai.api_server'])}"]


def _model(placement: Placement, plan: Plan) -> list[str]:
    """Which model, at which revision, and where to listen, as each engine is told it."""
    listen = ["--host", "0.0.0.0", "--port", str(_PORT)]
    if placement.engine == "tei":
        listen = ["--hostname", "0.0.0.0", "--port", str(_PORT)]
        return ["--model-id", plan.model_id, *_revision(plan), *listen]
    if placement.engine == "llama.cpp":
        return ["--model-url", gguf_url(placement, plan), "--alias", plan.model_id, *listen]
    return ["--model", plan.model_id, *_revision(plan), *listen]


def _revision(plan: Plan) -> list[str]:
    return ["--revision", plan.revision] if plan.revision else []
