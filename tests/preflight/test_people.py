"""Tokens, their scopes, accounts and who pays: each row beside what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from components.called import called
from moorage.errors import MoorageError
from moorage.preflight.judge import INFER, MANAGE, ROUTE
from moorage.spec.types import App, Publication
from moorage.twin import face
from tests.preflight.tables import (
    ENDPOINT,
    MACHINE,
    ROUTER,
    SITE,
    Start,
    a_plan,
    accounts,
    bad,
    table,
)


def test_without_a_token_only_that_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = start()
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.delenv("MOORAGE_HF_INFERENCE_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nonexistent")
    rows = table(ENDPOINT)
    assert bad(rows) == {"HF_TOKEN": "problem"}
    assert not twin.requests


def test_a_login_that_was_kept_is_as_good_as_a_token(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    twin = start()
    kept = tmp_path / "token"
    kept.write_text(twin.environment()["HF_TOKEN"])
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(kept))
    assert not bad(table(ENDPOINT))


@pytest.mark.parametrize("variable", ["HF_TOKEN", "MOORAGE_HF_INFERENCE_TOKEN"])
def test_a_token_that_nobody_knows_is_named(
    variable: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.setenv(variable, "hf_wrong")
    rows = table(ENDPOINT)
    assert rows[variable].verdict == "problem"
    assert "hf_wrong" not in str(rows)


@pytest.mark.parametrize("variable", ["HF_TOKEN", "MOORAGE_HF_INFERENCE_TOKEN"])
def test_a_token_that_cannot_be_one_is_not_taken_for_a_broken_network(
    variable: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = start()
    monkeypatch.setenv(variable, "hf_with\nbreak")
    with pytest.raises(MoorageError, match=f"^{variable} holds characters that no token has"):
        table(ENDPOINT)
    monkeypatch.setenv(variable, f" {twin.environment()[variable]}\n")
    assert not bad(table(ENDPOINT))


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


@pytest.mark.parametrize(
    ("visibility", "wants"),
    [("private", [f"{INFER} on acme"]), ("authenticated", []), ("public", [])],
)
def test_who_asks_needs_what_the_endpoint_wants_of_askers(
    visibility: str, wants: list[str], start: Start
) -> None:
    """A token that may ask elsewhere may ask whatever every account may."""
    token = face.Token(text="hf_asks", role="fineGrained", scoped={"ann": (INFER,)})
    start(accounts=accounts(token), calls="hf_asks")
    options = {**ENDPOINT.options, "visibility": visibility}
    rows = table(structs.replace(ENDPOINT, options=options))
    assert [*bad(rows)] == wants
    assert bool([one for one in rows if INFER in one]) is (visibility != "public")


def test_an_account_of_others_is_refused(start: Start) -> None:
    start()
    options = {**ENDPOINT.options, "namespace": "globex"}
    rows = table(structs.replace(ENDPOINT, options=options))
    assert rows["account globex"].verdict == "problem"
    assert "name one of ann, acme as namespace" in rows["account globex"].todo


def test_an_account_that_cannot_pay_is_told(start: Start) -> None:
    start(accounts=accounts(face.Token(text="hf_more"), can_pay=False))
    assert table(ENDPOINT)["account acme"].there == "it cannot pay"


def test_without_a_namespace_it_is_the_tokens_own(start: Start) -> None:
    start()
    rows = table(structs.replace(ENDPOINT, options={"visibility": "authenticated"}))
    assert rows["account ann"].there == "the token's own"
    assert not bad(rows)


def test_all_placements_of_an_account_share_its_quota(start: Start) -> None:
    start()
    machine = structs.replace(MACHINE, replicas_max=5)
    first = structs.replace(ENDPOINT, machine=machine)
    second = structs.replace(first, name="hf-endpoint-2")
    assert table(first, second)["10 aws nvidia-l4 for acme"].verdict == "problem"


def test_a_payer_that_is_not_the_tokens_is_told(start: Start) -> None:
    start()
    options = {**ROUTER.options, "bill_to": "globex"}
    rows = table(structs.replace(ROUTER, options=options))
    assert rows["globex pays"].verdict == "problem"


def test_a_resource_group_may_pay_and_nobody_can_tell_whose_it_is(start: Start) -> None:
    group = "66670e5163145ca562cb1988"
    start()
    rows = table(structs.replace(ROUTER, options={**ROUTER.options, "bill_to": group}))
    assert bad(rows) == {f"{group} pays": "warning"}
    assert rows[f"{ROUTE} on acme"].verdict == "ok"


def test_a_space_wants_a_paid_plan(start: Start) -> None:
    start(accounts=accounts(face.Token(text="hf_more"), plan="free"))
    rows = table(app=App(options={"namespace": "acme"}))
    assert bad(rows) == {"a Space of acme": "problem"}
    assert not bad(table(app=App(options={"namespace": "ann"})))


def test_a_space_wants_a_token_that_may_write_repositories(start: Start) -> None:
    token = face.Token(text="hf_fine", role="fineGrained", scoped={"acme": (MANAGE, INFER)})
    start(accounts=accounts(token), deploys="hf_fine")
    app = App(options={"namespace": "acme"})
    assert bad(table(ENDPOINT, app=app)) == {"repo.write on acme": "problem"}


def test_a_space_on_paid_hardware_wants_no_plan_but_somebody_who_pays(start: Start) -> None:
    token = face.Token(text="hf_more")
    paid = {"namespace": "acme", "hardware": "t4-small"}
    start(accounts=accounts(token, plan="free"))
    assert not bad(table(app=App(options=paid)))
    hidden = table(app=App(options={**paid, "visibility": "protected"}))
    assert bad(hidden) == {"a Space of acme": "problem"}
    start(accounts=accounts(token, can_pay=False))
    assert bad(table(app=App(options=paid))) == {"account acme": "problem"}
    assert not bad(table(app=App(options={"namespace": "acme"})))


def test_a_token_of_one_repository_is_enough_for_that_one(start: Start) -> None:
    scoped = {"acme": ("collection.write",), "acme/tone": ("repo.write",)}
    token = face.Token(text="hf_one", role="fineGrained", scoped=scoped)
    start(accounts=accounts(token), deploys="hf_one")
    rows = table(publish=(TONE,))
    assert not bad(rows)
    assert rows["repo.write on model acme/tone"].verdict == "ok"
    both = (TONE, structs.replace(TONE, kind="dataset"))
    assert bad(table(publish=both)) == {"repo.write on acme": "problem"}, "a dataset is another"


def test_a_token_of_one_space_is_enough_for_that_one(start: Start) -> None:
    app = App(options={"namespace": "acme"})
    name = called(a_plan(app=app), None, site=SITE)
    token = face.Token(
        text="hf_one", role="fineGrained", scoped={f"spaces/acme/{name}": ("repo.write",)}
    )
    start(accounts=accounts(token), deploys="hf_one")
    assert not bad({k: v for k, v in table(app=app).items() if "repo.write" in k})
    other = App(options={"namespace": "acme", "template": "streamlit"})
    assert table(app=other)["repo.write on acme"].verdict == "problem"


TONE = Publication(kind="model", name="tone", namespace="acme", collection="Support models")


def test_what_is_published_wants_permissions_and_nobody_who_pays(start: Start) -> None:
    token = face.Token(text="hf_fine", role="fineGrained", scoped={"acme": ("repo.write",)})
    start(accounts=accounts(token, can_pay=False), deploys="hf_fine")
    rows = table(publish=(TONE,))
    assert bad(rows) == {"collection.write on acme": "problem"}
    assert rows["repo.write on acme"].verdict == "ok"
    assert "a token that asks" not in rows, "nothing of it is asked by the gateway"


def test_a_pull_request_wants_a_permission_of_its_own(start: Start) -> None:
    token = face.Token(text="hf_fine", role="fineGrained", scoped={"acme": ("repo.write",)})
    start(accounts=accounts(token), deploys="hf_fine")
    mine = structs.replace(TONE, collection=None, changes_by="pull-request")
    assert bad(table(publish=(mine,))) == {"discussion.write on acme": "problem"}


def test_nothing_is_published_in_an_account_of_others(start: Start) -> None:
    start()
    rows = table(publish=(structs.replace(TONE, namespace="stranger"),))
    assert rows["account stranger"].verdict == "problem"
