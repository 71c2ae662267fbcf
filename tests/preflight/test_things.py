"""Models, hardware, quotas, prices and providers: each row beside what there is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from msgspec import structs

from components.called import called
from moorage.plan.types import Placement
from moorage.provider.hugging_face.endpoints import endpoint_owner
from moorage.twin import face
from moorage.twin.hardware import catalogue
from tests.preflight.tables import (
    ENDPOINT,
    MACHINE,
    MODEL,
    OFFER,
    REVISION,
    ROUTER,
    SITE,
    Start,
    a_plan,
    bad,
    table,
)

NAME = called(a_plan(ENDPOINT), ENDPOINT, site=SITE)


def test_a_gated_model_without_access_is_told(start: Start) -> None:
    start(repos={"zoe/gated": face.Repo(revision=REVISION, gated="manual")})
    rows = table(ENDPOINT, model_id="zoe/gated")
    assert bad(rows) == {"model zoe/gated": "problem"}
    assert rows["model zoe/gated"].todo == "ask for access at https://huggingface.co/zoe/gated"


def test_what_a_space_is_to_load_must_be_there_too(start: Start) -> None:
    start()
    space = Placement(name="s", kind="hf-space", options={"namespace": "acme", "hardware": "l4x1"})
    assert table(space)[f"model {MODEL}"].there == "it may be read"
    assert bad(table(space, model_id="acme/gone")) == {"model acme/gone": "problem"}


def test_a_model_or_a_revision_that_is_not_there_is_told(start: Start) -> None:
    start(repos={})
    assert table(ENDPOINT)[f"model {MODEL}"].verdict == "problem"
    start(repos={MODEL: face.Repo(revision="b" * 40)})
    assert table(ENDPOINT)[f"model {MODEL}"].there == "not there, or hidden (404)"


def test_a_model_under_its_earlier_name_is_found(start: Start) -> None:
    """The Hub sends whoever asks for one on to the new name, and so are the weights found."""
    twin = start()
    for asked in ("auth-check", f"revision/{REVISION}"):
        to = {"Location": f"/api/models/{MODEL}/{asked}"}
        path = f"/api/models/acme/old/{asked}"
        twin.faults.append(face.Fault(path=path, does="answer", status=307, headers=to))
    assert table(ENDPOINT, model_id="acme/old")["model acme/old"].there == "it may be read"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("available", "ok"),
        ("low_availability", "warning"),
        ("not_available", "problem"),
        ("deprecated", "problem"),
        ("reserved", "warning"),
    ],
)
def test_stock_is_told(status: str, verdict: str, start: Start) -> None:
    computes = [
        dataclasses.replace(row, status=status) if row.instance_type == "nvidia-l4" else row
        for row in catalogue()
    ]
    start(computes=computes)
    assert table(ENDPOINT)["nvidia-l4-x1 in aws eu-west-1"].verdict == verdict


@pytest.mark.parametrize("gone", ["not_available", "deprecated", None])
def test_what_ours_stands_on_already_need_not_be_had_again(gone: str | None, start: Start) -> None:
    """Or an instance that is sold out would stop every run of a stack that has one."""
    twin = start()
    tags = endpoint_owner.marks("p/dev/chat-hf-endpoint-1")
    twin.plant("acme", NAME, tags=tags, **_l4(replicas=2))
    kept = [row for row in catalogue() if gone or row.instance_type != "nvidia-l4"]
    told = [
        dataclasses.replace(row, status=gone) if gone and row.instance_type == "nvidia-l4" else row
        for row in kept
    ]
    twin.world.scenario = dataclasses.replace(twin.world.scenario, computes=tuple(told))
    assert bad(table(ENDPOINT)) == {"nvidia-l4-x1 in aws eu-west-1": "warning"}
    twin.pause("acme", NAME)
    assert bad(table(ENDPOINT)) == {"nvidia-l4-x1 in aws eu-west-1": "problem"}


def test_an_instance_that_nobody_has_there_is_told(start: Start) -> None:
    start()
    machine = structs.replace(MACHINE, region="us-west-2")
    rows = table(structs.replace(ENDPOINT, machine=machine))
    assert rows["nvidia-l4-x1 in aws us-west-2"].there == "nobody has it"


def test_the_planned_most_must_fit_into_the_quota(start: Start) -> None:
    twin = start()
    twin.plant("acme", "others", **_l4(replicas=7))
    rows = table(ENDPOINT)
    assert rows["2 aws nvidia-l4 for acme"].verdict == "problem"
    assert rows["2 aws nvidia-l4 for acme"].there == "1 of 8 left"


def test_what_is_ours_already_is_not_counted_twice(start: Start) -> None:
    """Or the second `up` of a stack would find its own endpoints in the way."""
    twin = start()
    tags = endpoint_owner.marks("p/dev/chat-hf-endpoint-1")
    twin.plant("acme", NAME, tags=tags, **_l4(replicas=8))
    assert table(ENDPOINT)["2 aws nvidia-l4 for acme"].there == "8 of 8 left"


def test_what_is_replaced_stands_beside_its_replacement_and_takes_of_the_quota(
    start: Start,
) -> None:
    """Or the run would find out when the old one is paid, and the new one refused."""
    twin = start()
    tags = endpoint_owner.marks("p/dev/chat-hf-endpoint-1")
    twin.plant("acme", "chat-dev-older", tags=tags, **_l4(replicas=7))
    row = table(ENDPOINT)["2 aws nvidia-l4 for acme"]
    assert (row.verdict, row.there) == ("problem", "1 of 8 left")
    assert row.todo.startswith("chat-dev-older stands until its replacement serves: ask for more")
    assert row.todo.endswith("or let the policy say gpus.replace: delete-first")
    assert not bad(table(ENDPOINT, delete_first=True))
    twin.pause("acme", "chat-dev-older")
    assert not bad(table(ENDPOINT))


def test_what_is_sold_out_must_be_had_again_for_a_replacement(start: Start) -> None:
    twin = start()
    tags = endpoint_owner.marks("p/dev/chat-hf-endpoint-1")
    twin.plant("acme", "chat-dev-older", tags=tags, **_l4(replicas=1))
    told = [row for row in catalogue() if row.instance_type == "nvidia-l4"]
    gone = tuple(dataclasses.replace(row, status="not_available") for row in told)
    twin.world.scenario = dataclasses.replace(twin.world.scenario, computes=gone)
    assert bad(table(ENDPOINT)) == {"nvidia-l4-x1 in aws eu-west-1": "problem"}


def test_a_price_that_rose_is_warned_of_and_one_that_fell_is_not(start: Start) -> None:
    start()
    rows = table(ENDPOINT, prices={OFFER: "0.70"})
    assert rows["nvidia-l4-x1 at $0.700 an hour"].verdict == "warning"
    assert "moorage lock" in rows["nvidia-l4-x1 at $0.700 an hour"].todo
    assert not bad(table(ENDPOINT, prices={OFFER: "0.90"}))


def test_a_provider_that_is_not_live_is_told(start: Start) -> None:
    start()
    several = structs.replace(ROUTER, routes=("together", "novita"))
    assert bad(table(several)) == {f"{MODEL} at novita": "problem"}
    options = {**ROUTER.options, "provider": "auto"}
    either = table(structs.replace(several, options=options))
    assert either[f"{MODEL} at any provider"].there == "live at together"


def test_the_quota_of_another_vendor_does_not_help(start: Start) -> None:
    """An instance may be told as available where nobody may have one."""
    h100 = next(row for row in catalogue() if row.instance_type == "nvidia-h100")
    start(computes=[*catalogue(), dataclasses.replace(h100, vendor="aws", quota=8)])
    machine = structs.replace(
        MACHINE, vendor="gcp", region="us-east4", instance="nvidia-h100-x1", offer="none"
    )
    rows = table(structs.replace(ENDPOINT, machine=machine))
    assert bad(rows) == {"2 gcp nvidia-h100 for acme": "problem"}
    assert rows["2 gcp nvidia-h100 for acme"].there == "0 of 0 left"


def _l4(replicas: int) -> dict[str, Any]:
    scaling = {"minReplica": 1, "maxReplica": replicas}
    compute = {
        "accelerator": "gpu",
        "instanceType": "nvidia-l4",
        "instanceSize": "x1",
        "scaling": scaling,
    }
    return {"compute": compute}
