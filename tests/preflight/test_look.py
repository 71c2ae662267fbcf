"""The table, asked of the twin: what was wished, what is there, and what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from moorage import preflight
from moorage.errors import Exit, MoorageError
from moorage.plan.types import Cost, Machine, Placement, Plan
from moorage.preflight import reading
from moorage.preflight.judge import INFER, MANAGE, ROUTE, Row
from moorage.provider.hugging_face import endpoint_owner
from moorage.spec.types import App, Failover, Load, Slo
from moorage.twin import face
from moorage.twin.hardware import catalogue

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


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a twin whose addresses and tokens are in the environment."""
    monkeypatch.setattr(reading, "_PAUSES_S", (0.01, 0.01))
    running: list[Any] = []

    def begin(**said: Any) -> face.Twin:
        told = {"status": "live", "task": "conversational", "providerId": "x"}
        repo = face.Repo(revision=REVISION, providers={"together": told})
        known: dict[str, Any] = {"repos": {MODEL: repo}, **said}
        serving = face.serve(face.Scenario(**known))
        running.append(serving)
        twin = serving.__enter__()
        for name, value in twin.environment().items():
            monkeypatch.setenv(name, value)
        return twin

    yield begin
    for serving in running:
        serving.__exit__(None, None, None)


def table(
    *placements: Placement, prices: Mapping[str, str] | None = None, **said: Any
) -> dict[str, Row]:
    usd = {key: Decimal(value) for key, value in (prices or {OFFER: "0.80"}).items()}
    report = preflight.look([a_plan(*placements, **said)], owner="p/dev", prices=usd)
    return {row.asked: row for row in report.rows}


def bad(rows: Mapping[str, Row]) -> dict[str, str]:
    return {asked: row.verdict for asked, row in rows.items() if row.verdict != "ok"}


def accounts(token: face.Token, **changes: Any) -> tuple[face.Account, ...]:
    """The twin's usual accounts; the given token deploys."""
    usual = face.Scenario().accounts
    ann = dataclasses.replace(usual[0], tokens=(token, *usual[0].tokens))
    acme = dataclasses.replace(usual[1], **changes)
    return ann, acme, *usual[2:]


def test_what_can_be_had_is_ok_in_few_questions(start: Start) -> None:
    twin = start()
    rows = table(ENDPOINT, ROUTER)
    assert not bad(rows)
    assert rows["account acme"].there == "write"
    assert rows["nvidia-l4-x1 in aws eu-west-1"].there == "available"
    assert rows["nvidia-l4-x1 at $0.800 an hour"].there == "$0.800 an hour"
    assert rows["2 nvidia-l4 for acme"].there == "8 of 8 left"
    assert rows[f"{MODEL} at together"].there == "live"
    assert len(twin.requests) <= 8
    assert {request.method for request in twin.requests} == {"GET"}


def test_without_a_token_only_that_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = start()
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.delenv("MOORAGE_HF_INFERENCE_TOKEN")
    rows = table(ENDPOINT)
    assert bad(rows) == {"HF_TOKEN": "problem"}
    assert not twin.requests


@pytest.mark.parametrize("variable", ["HF_TOKEN", "MOORAGE_HF_INFERENCE_TOKEN"])
def test_a_token_that_nobody_knows_is_named(
    variable: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.setenv(variable, "hf_wrong")
    rows = table(ENDPOINT)
    assert rows[variable].verdict == "problem"
    assert "hf_wrong" not in str(rows)


def test_a_gateway_with_the_deploying_token_is_warned_of(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.delenv("MOORAGE_HF_INFERENCE_TOKEN")
    assert bad(table(ENDPOINT)) == {"a token that asks": "warning"}


def test_a_fine_grained_token_without_a_scope_is_told_which(start: Start) -> None:
    token = face.Token(text="hf_fine", role="fineGrained", scoped={"acme": (INFER,)})
    start(accounts=accounts(token), deploys="hf_fine")
    rows = table(ENDPOINT)
    asked = f"{MANAGE} on acme"
    assert rows[asked].verdict == "problem"
    assert "give the token of HF_TOKEN this permission on acme" in rows[asked].todo


def test_a_token_that_only_reads_cannot_deploy(start: Start) -> None:
    token = face.Token(text="hf_reads", role="read")
    start(accounts=accounts(token), deploys="hf_reads")
    assert table(ENDPOINT)[f"{MANAGE} on acme"].verdict == "problem"


def test_an_asking_token_without_its_scopes_is_told(start: Start) -> None:
    token = face.Token(text="hf_asks", role="fineGrained", scoped={"acme": ()})
    start(accounts=accounts(token), calls="hf_asks")
    assert bad(table(ENDPOINT, ROUTER)) == {
        f"{INFER} on acme": "problem",
        f"{ROUTE} on acme": "problem",
    }


def test_an_account_of_others_is_refused(start: Start) -> None:
    start()
    options = {**ENDPOINT.options, "namespace": "globex"}
    rows = table(dataclasses.replace(ENDPOINT, options=options))
    assert rows["account globex"].verdict == "problem"
    assert "name one of ann, acme as namespace" in rows["account globex"].todo


def test_an_account_that_cannot_pay_is_told(start: Start) -> None:
    start(accounts=accounts(face.Token(text="hf_more"), can_pay=False))
    assert table(ENDPOINT)["account acme"].there == "it cannot pay"


def test_without_a_namespace_it_is_the_tokens_own(start: Start) -> None:
    start()
    rows = table(dataclasses.replace(ENDPOINT, options={"visibility": "authenticated"}))
    assert rows["account ann"].there == "the token's own"
    assert not bad(rows)


def test_a_gated_model_without_access_is_told(start: Start) -> None:
    start(repos={"zoe/gated": face.Repo(revision=REVISION, gated="manual")})
    rows = table(ENDPOINT, model_id="zoe/gated")
    assert bad(rows) == {"model zoe/gated": "problem"}
    assert rows["model zoe/gated"].todo == "ask for access at https://huggingface.co/zoe/gated"


def test_a_model_or_a_revision_that_is_not_there_is_told(start: Start) -> None:
    start(repos={})
    assert table(ENDPOINT)[f"model {MODEL}"].verdict == "problem"
    start(repos={MODEL: face.Repo(revision="b" * 40)})
    assert table(ENDPOINT)[f"model {MODEL}"].there == "not there, or hidden (404)"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("available", "ok"),
        ("low_availability", "warning"),
        ("not_available", "problem"),
        ("deprecated", "problem"),
        ("reserved", "problem"),
    ],
)
def test_stock_is_told(status: str, verdict: str, start: Start) -> None:
    computes = [
        dataclasses.replace(row, status=status) if row.instance_type == "nvidia-l4" else row
        for row in catalogue()
    ]
    start(computes=computes)
    assert table(ENDPOINT)["nvidia-l4-x1 in aws eu-west-1"].verdict == verdict


def test_an_instance_that_nobody_has_there_is_told(start: Start) -> None:
    start()
    machine = dataclasses.replace(MACHINE, region="us-west-2")
    rows = table(dataclasses.replace(ENDPOINT, machine=machine))
    assert rows["nvidia-l4-x1 in aws us-west-2"].there == "nobody has it"


def test_the_planned_most_must_fit_into_the_quota(start: Start) -> None:
    twin = start()
    twin.plant("acme", "others", **_l4(replicas=7))
    rows = table(ENDPOINT)
    assert rows["2 nvidia-l4 for acme"].verdict == "problem"
    assert rows["2 nvidia-l4 for acme"].there == "1 of 8 left"


def test_what_is_ours_already_is_not_counted_twice(start: Start) -> None:
    """Or the second `up` of a stack would find its own endpoints in the way."""
    twin = start()
    tags = endpoint_owner.marks("p/dev/chat-hf-endpoint-1")
    twin.plant("acme", "ours", tags=tags, **_l4(replicas=8))
    assert table(ENDPOINT)["2 nvidia-l4 for acme"].there == "8 of 8 left"


def test_all_placements_of_an_account_share_its_quota(start: Start) -> None:
    start()
    machine = dataclasses.replace(MACHINE, replicas_max=5)
    first = dataclasses.replace(ENDPOINT, machine=machine)
    second = dataclasses.replace(first, name="hf-endpoint-2")
    assert table(first, second)["10 nvidia-l4 for acme"].verdict == "problem"


def _l4(replicas: int) -> dict[str, Any]:
    scaling = {"minReplica": 1, "maxReplica": replicas}
    compute = {
        "accelerator": "gpu",
        "instanceType": "nvidia-l4",
        "instanceSize": "x1",
        "scaling": scaling,
    }
    return {"compute": compute}


def test_a_price_that_rose_is_warned_of_and_one_that_fell_is_not(start: Start) -> None:
    start()
    rows = table(ENDPOINT, prices={OFFER: "0.70"})
    assert rows["nvidia-l4-x1 at $0.700 an hour"].verdict == "warning"
    assert "moorage lock" in rows["nvidia-l4-x1 at $0.700 an hour"].todo
    assert not bad(table(ENDPOINT, prices={OFFER: "0.90"}))


def test_a_provider_that_is_not_live_is_told(start: Start) -> None:
    start()
    several = dataclasses.replace(ROUTER, routes=("together", "novita"))
    assert bad(table(several)) == {f"{MODEL} at novita": "problem"}
    options = {**ROUTER.options, "provider": "auto"}
    either = table(dataclasses.replace(several, options=options))
    assert either[f"{MODEL} at any provider"].there == "live at together"


def test_a_payer_that_is_not_the_tokens_is_told(start: Start) -> None:
    start()
    options = {**ROUTER.options, "bill_to": "globex"}
    rows = table(dataclasses.replace(ROUTER, options=options))
    assert rows["globex pays"].verdict == "problem"


def test_a_space_wants_a_paid_plan(start: Start) -> None:
    start(accounts=accounts(face.Token(text="hf_more"), plan="free"))
    rows = table(app=App(options={"namespace": "acme"}))
    assert bad(rows) == {"a Space of acme": "problem"}
    assert not bad(table(app=App(options={"namespace": "ann"})))


@pytest.mark.parametrize("does", ["answer", "drop", "garbage"])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("hub", "whoami"),
        ("hub", "auth-check"),
        ("hub", "/revision/"),
        ("endpoints", "/v2/provider/"),
        ("endpoints", "/v2/endpoint/"),
    ],
)
def test_a_service_that_does_not_answer_ends_it(
    host: str, path: str, does: str, start: Start
) -> None:
    twin = start()
    twin.faults.append(face.Fault(host=host, path=path, does=does, status=503))
    assert not bad(table(ENDPOINT))  # once is nothing
    twin.faults.append(face.Fault(host=host, path=path, does=does, status=503, times=None))
    with pytest.raises(MoorageError, match="does not answer") as silent:
        table(ENDPOINT)
    assert silent.value.exit_code == Exit.UNANSWERED
    assert "\n" not in str(silent.value)
    assert "hf_twin" not in str(silent.value)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 422, 429, 500, 504])
@pytest.mark.parametrize("path", ["/whoami", "/auth-check", "/revision/", "provider/", "endpoint/"])
def test_any_status_is_a_row_or_one_clear_line(path: str, status: int, start: Start) -> None:
    """And never a verdict that all is well."""
    twin = start()
    twin.faults.append(face.Fault(path=path, does="answer", status=status, times=None))
    told = ended()
    if isinstance(told, MoorageError):
        assert "\n" not in str(told)
        assert told.exit_code == Exit.UNANSWERED
    else:
        assert "problem" in told.values()


def ended() -> dict[str, str] | MoorageError:
    try:
        return bad(table(ENDPOINT))
    except MoorageError as error:
        return error


@pytest.mark.parametrize("body", [{}, [], {"vendors": [{}]}, {"vendors": 7}, "text"])
def test_an_answer_of_another_form_is_as_good_as_none(body: Any, start: Start) -> None:
    twin = start()
    twin.faults.append(face.Fault(path="/v2/provider/", does="answer", status=200, body=body))
    twin.faults.append(
        face.Fault(path="/v2/provider/", does="answer", status=200, body=body, times=None)
    )
    with pytest.raises(MoorageError, match="does not answer"):
        table(ENDPOINT)


def test_the_table_is_one_line_each_and_sums_up(start: Start) -> None:
    start()
    report = preflight.look([a_plan(ENDPOINT)], owner="p/dev", prices={OFFER: Decimal("0.7")})
    lines = preflight.text(report).splitlines()
    assert lines[0].split() == ["asked", "there", "what", "to", "do"]
    assert len(lines) == len(report.rows) + 2
    assert lines[-1] == f"preflight: {len(report.rows)} asked, 0 problems, 1 warning"
    told = preflight.as_json(report)
    assert told["fine"] is True
    assert told["rows"][0]["asked"] == "a token that deploys"


def test_plans_without_hugging_face_concern_nobody() -> None:
    local = Placement(name="local-1", kind="local")
    assert not preflight.concerned([a_plan(local)])
    assert preflight.concerned([a_plan(local, app=App())])
    assert preflight.concerned([a_plan(local, ROUTER)])
