"""What a deployment tells of its plan is all that a later measurement needs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml
from msgspec.structs import replace

from components import planned
from moorage import status
from moorage.plan.load import load
from moorage.plan.types import Machine, Placement, Plan
from moorage.provider.serving.metrics import CacheConfig, Metrics
from moorage.status import judge
from moorage.status.judge import Report, Sight
from moorage.status.places import Place
from tests.components.programs import a_plan
from tests.plan.fit.known import ROOT
from tests.plan.fit.test_measured import the_tool

SPEC = ROOT / "specs" / "support" / "support-chat.yaml"


def the_plan() -> Plan:
    [plan] = load([SPEC], root=ROOT, today=date(2026, 11, 25)).plans
    return plan


def test_a_measured_engine_becomes_a_row_that_make_fit_reads(tmp_path: Path) -> None:
    plan = the_plan()
    placement = next(one for one in plan.placements if one.fit is not None and one.fit.kv_tokens)
    assert placement.fit is not None
    told = planned.told(plan, placement.name, root=ROOT)
    assert (told["engine"], told["kv_tokens"]) == ("vllm", placement.fit.kv_tokens)
    place = Place(service="s", name="n", kind=placement.kind, url="http://h:1", planned=told)
    cache = CacheConfig(block_size=1, gpu_blocks=placement.fit.kv_tokens)
    sight = Sight(is_served=True, after=Metrics(cache=cache, version=placement.version))
    file = tmp_path / "prod.yaml"
    assert status.keep(file, [place], Report(rows=[judge.row(place, sight)]))
    [row] = yaml.safe_load(file.read_text("utf-8"))["rows"]
    assert row["lock"] == "specs/support/support-chat.lock.json"
    [found] = the_tool().compare(file)
    assert abs(found.low_gib - row["kv_gib"]) < 0.02  # the plan tells what surely fits


def test_every_replica_and_way_is_of_its_own_placement() -> None:
    plan = the_plan()
    for placement in plan.placements:
        told = planned.told(plan, f"{placement.name}-replica-2", root=ROOT)
        assert told == planned.told(plan, placement.name, root=ROOT)


def test_what_may_sleep_is_told() -> None:
    always = Placement(
        name="ec2-gpu-1",
        kind="ec2-gpu",
        machine=Machine(instance="g6e.xlarge", replicas_min=1),
        options={"stop_when_idle_after": "30m"},
    )
    assert "may_sleep" not in planned.told(a_plan(always), "ec2-gpu-1", root=ROOT)
    rests = replace(always, machine=Machine(instance="g6e.xlarge", replicas_min=0))
    assert planned.told(a_plan(rests), "ec2-gpu-1", root=ROOT)["may_sleep"] is True


def test_where_nothing_was_proven_nothing_is_told() -> None:
    plan = a_plan(Placement(name="openai-1", kind="openai"))
    told = planned.told(plan, "openai-1", root=ROOT)
    assert told == {}
