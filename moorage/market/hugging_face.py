"""Prices of Hugging Face: Inference Endpoints, Spaces, and the router's models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from moorage import login
from moorage.market.asked import Answer, Asked, base, get_json, misread, silent
from moorage.plan.catalogue.offers import Offer

ENDPOINTS_URL: Final = "MOORAGE_HF_ENDPOINTS_URL"
ROUTER_URL: Final = "MOORAGE_HF_ROUTER_URL"
HUB_URL: Final = "HF_ENDPOINT"

_FAULTS = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
_MINUTES: Final = {"minute": 60, "hour": 1}  # unit -> how many of it are an hour
_MILL = Decimal("0.001")

Row = Mapping[str, Any]


def endpoints(asked: Asked) -> Answer:
    """Every compute of every vendor and region, with its status; with a namespace, its quota."""
    place = f"/v2/provider/{quote(asked.namespace, safe='')}" if asked.namespace else "/v2/provider"
    url = base(ENDPOINTS_URL, "https://api.endpoints.huggingface.cloud") + place
    answer = get_json(url, token=login.deploying_token(), deadline_s=asked.deadline_s)
    try:
        return _sorted(_computes(asked, answer))
    except _FAULTS as error:
        misread(url, error)


def spaces(asked: Asked) -> Answer:
    """The hardware of Spaces; it is priced by the minute."""
    url = base(HUB_URL, "https://huggingface.co") + "/api/spaces/hardware"
    answer = get_json(url, token=login.deploying_token(), deadline_s=asked.deadline_s)
    try:
        return _sorted(_space(asked, row) for row in answer)
    except _FAULTS as error:
        misread(url, error)


def router(asked: Asked) -> Answer:
    """What the models that have rows, or are named, cost at every provider that tells it."""
    models = {offer.name.rpartition(":")[0] for offer in asked.kind.offers} | set(asked.names)
    url = base(ROUTER_URL, "https://router.huggingface.co") + "/v1/models"
    if not models:
        silent(url, "no model is followed yet; name one: --model owner/name")
    answer = get_json(url, token=login.deploying_token(), deadline_s=asked.deadline_s)
    try:
        listed = {row["id"]: row for row in answer["data"]}
        missing = [f"{model}: the router does not list it" for model in sorted(models - {*listed})]
        known = (
            row for model in sorted(models & {*listed}) for row in _model(asked, listed[model])
        )
        return _sorted([*known, *missing])
    except _FAULTS as error:
        misread(url, error)


def _sorted(found: Any) -> Answer:
    """Rows and notes, as they came, one from the other."""
    every = list(found)
    return Answer(
        rows=tuple(row for row in every if isinstance(row, Offer)),
        notes=tuple(row for row in every if isinstance(row, str)),
    )


def _computes(asked: Asked, answer: Row) -> Iterator[Offer | str]:
    for vendor in answer["vendors"]:
        for region in vendor["regions"]:
            for compute in region["computes"]:
                yield _compute(asked, vendor["name"], region["name"], compute)


def _compute(asked: Asked, vendor: str, region: str, row: Row) -> Offer | str:
    name = f"{row['instanceType']}-{row['instanceSize']}"
    gpu = asked.gpu(row["instanceType"]) if row["accelerator"] == "gpu" else None
    if row["accelerator"] == "gpu" and gpu is None:
        return f"{vendor}/{region}/{name}: catalog/gpus.yaml does not know its GPU"
    if row["accelerator"] not in ("gpu", "cpu"):
        return f"{vendor}/{region}/{name}: no engine runs on {row['accelerator']}"
    if region not in {known.name for known in asked.kind.regions if known.vendor == vendor}:
        return f"{vendor}/{region}/{name}: catalog/{asked.kind.name}.yaml does not know the region"
    count = int(row["numAccelerators"]) if gpu else 0
    return asked.row(
        name=name,
        vendor=vendor,
        region=region,
        gpu=gpu,
        count=count,
        memory_gib=_plain(row["memoryGb"]),
        usd=Decimal(row["pricePerHour"]),
        status=str(row["status"]).replace("_", "-"),
        quota=_quota(row) if asked.namespace and gpu else None,
        source="huggingface.co Inference Endpoints API, /v2/provider",
    )


def _quota(row: Row) -> int | None:
    quota = row.get("quota")
    return int(quota["maxAccelerators"]) - int(quota["usedAccelerators"]) if quota else None


def _space(asked: Asked, row: Row) -> Offer | str:
    name, accelerator = row["name"], row.get("accelerator")
    if name.startswith("zero-"):
        return f"{name}: ZeroGPU lends its GPU to Gradio only, no engine can stay on it"
    gpu = asked.gpu(accelerator["model"]) if accelerator else None
    if accelerator and gpu is None:
        return f"{name}: catalog/gpus.yaml does not know the GPU {accelerator['model']!r}"
    an_hour = Decimal(row["unitCostUSD"]) * _MINUTES[row["unitLabel"]]
    return asked.row(
        name=name,
        gpu=gpu,
        count=int(accelerator["quantity"]) if accelerator else 0,
        memory_gib=float(re.sub(r"[^0-9.]", "", row["ram"])),
        usd=an_hour.quantize(_MILL),  # a price by the minute is itself rounded
        source="huggingface.co API, /api/spaces/hardware",
    )


def _model(asked: Asked, model: Row) -> Iterator[Offer | str]:
    for provider in model["providers"]:
        prices = provider.get("pricing")
        if not prices:
            yield f"{model['id']} at {provider['provider']}: nobody says what it costs"
            continue
        for way in ("input", "output"):
            yield asked.row(
                name=f"{model['id']}:{way}",
                vendor=provider["provider"],
                usd=Decimal(prices[way]),
                free=bool(provider.get("is_free")) and not prices[way],
                per=f"mtok-{way}",
                status="available" if provider["status"] == "live" else "not-available",
                source="huggingface.co router API, /v1/models",
            )


def _plain(value: int | Decimal) -> float:
    """A size: whole numbers stay whole in the file."""
    return int(value) if value == int(value) else float(value)
