"""Plans at Hugging Face, and the table that preflight makes of them on a twin."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from components.called import called
from components.endpoint import Site
from moorage import preflight
from moorage.plan.types import Cost, Machine, Placement, Plan
from moorage.preflight.judge import Row
from moorage.spec.types import Failover, Load, Slo
from moorage.twin import face

MODEL = "acme/chat"
REVISION = "a" * 40
OFFER = "hf-endpoint/aws/nvidia-l4-x1"
MACHINE = Machine(
    offer=OFFER,
    instance="nvidia-l4-x1",
    vendor="aws",
    region="eu-west-1",
    gpu="nvidia-l4",
    count=1,
    replicas_max=2,
)
ENDPOINT = Placement(
    name="hf-endpoint-1",
    kind="hf-endpoint",
    machine=MACHINE,
    options={"namespace": "acme", "visibility": "private"},
)
ROUTER = Placement(
    name="hf-router-2",
    kind="hf-router",
    routes=("together",),
    options={"provider": "together", "bill_to": "acme"},
)
SITE = Site(root=Path("/srv"), project="p", stack="dev")
Start = Callable[..., face.Twin]


def a_plan(*placements: Placement, **said: Any) -> Plan:
    known: dict[str, Any] = {
        "service": "chat",
        "team": "t",
        "model_id": MODEL,
        "revision": REVISION,
        "task": "text-generation",
        "max_model_len": 2048,
        "privacy_tier": "internal",
        "placements": placements,
        "cost": Cost(),
        "slo": Slo(),
        "failover": Failover(),
        "load": Load(),
        "spec_path": Path("chat.yaml"),
    }
    return Plan(**{**known, **said})


def look(
    *plans: Plan, prices: Mapping[str, str] | None = None, delete_first: bool = False
) -> preflight.Report:
    usd = {key: Decimal(value) for key, value in (prices or {OFFER: "0.80"}).items()}
    named = partial(called, site=SITE)
    site = preflight.Site(owner="p/dev", prices=usd, named=named, delete_first=delete_first)
    return preflight.look(plans, site)


def table(
    *placements: Placement,
    prices: Mapping[str, str] | None = None,
    delete_first: bool = False,
    **said: Any,
) -> dict[str, Row]:
    plan = a_plan(*placements, **said)
    report = look(plan, prices=prices, delete_first=delete_first)
    return {row.asked: row for row in report.rows}


def bad(rows: Mapping[str, Row]) -> dict[str, str]:
    return {asked: row.verdict for asked, row in rows.items() if row.verdict != "ok"}


def accounts(token: face.Token, **changes: Any) -> tuple[face.Account, ...]:
    """The twin's usual accounts; the given token deploys."""
    usual = face.Scenario().accounts
    ann = dataclasses.replace(usual[0], tokens=(token, *usual[0].tokens))
    acme = dataclasses.replace(usual[1], **changes)
    return ann, acme, *usual[2:]
