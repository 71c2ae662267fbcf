"""RouterRoute: every way that will not do is one clear line, and nothing is paid unasked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.check import check, with_defaults
from moorage.provider.handler import Context
from moorage.provider.hugging_face.faults import PassingError
from moorage.provider.hugging_face.routing import router_route
from moorage.provider.hugging_face.routing.router_route import SHAPE
from moorage.provider.testing.stage import is_one_line
from moorage.twin import face
from tests.provider import impatient
from tests.provider.routes import EMBEDDER, MODEL, row, scenario

NewContext = Callable[..., Context]

BAD_ROWS = {
    "staged": (row(status="staging"), "the router says staging"),
    "in error": (row(status="error"), "the router says error"),
    "too short": (row(context_length=2048), "it takes 2048 tokens, and 8192 are wanted"),
    "silent on its context": (row(context_length=None), "it does not say how many tokens it takes"),
    "silent on its price": (row(pricing=None), "it does not say what it costs"),
    "half a price": (row(pricing={"input": 0.1}), "it does not say what it costs"),
    "no price but a text": (row(pricing={"input": "0", "output": 1}), "not say what it costs"),
    "too dear to ask": (
        row(pricing={"input": 3, "output": 0.1}),
        "input costs $3 per million tokens, and $1 is the most",
    ),
    "too dear to answer": (
        row(pricing={"input": 0.1, "output": 2.5}),
        "output costs $2.5 per million tokens, and $2 is the most",
    ),
}
CALLS = {
    "the Hub's mapping": ("hub", "/api/models/"),
    "the router's list": ("router", "/v1/models/"),
    "whose token it is": ("hub", "/whoami-v2"),
    "the paid request": ("router", "/v1/chat/completions"),
}
STATUSES = (400, 401, 402, 403, 404, 408, 409, 410, 422, 425, 429, 500, 502, 503, 504)
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., face.Twin]]:
    """Starts a twin whose addresses and tokens are in the environment."""
    impatient.hurry(monkeypatch)
    running: list[Any] = []

    def start(**providers: dict[str, Any]) -> face.Twin:
        serving = face.serve(scenario(**providers))
        running.append(serving)
        twin = serving.__enter__()
        for name, value in twin.environment().items():
            monkeypatch.setenv(name, value)
        return twin

    yield start
    for serving in running:
        serving.__exit__(None, None, None)


def declared(**said: Any) -> dict[str, Any]:
    given = {
        "model": MODEL,
        "provider": "together",
        "minContext": 8192,
        "maxUsdPerMtokInput": 1,
        "maxUsdPerMtokOutput": 2,
        **said,
    }
    return with_defaults(SHAPE.inputs, {k: v for k, v in given.items() if v is not None})


def refusal(context: Context, **said: Any) -> str:
    with pytest.raises(MoorageError) as refused:
        router_route.create(declared(**said), context)
    is_one_line(str(refused.value))
    assert "hf_twin" not in str(refused.value)
    return str(refused.value)


def test_a_pinned_provider_is_proven_and_nothing_is_paid(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin = world()
    made = router_route.create(declared(billTo="acme"), context())
    assert made.id == f"{MODEL}:together"
    assert made.state["servedModel"] == f"{MODEL}:together"
    assert made.state["url"] == f"{twin.urls['router']}/v1"
    assert made.state["providers"] == ["together"]
    assert (made.state["inputUsdPerMtok"], made.state["outputUsdPerMtok"]) == (0.1, 0.4)
    assert made.state["contextTokens"] == 16384
    assert {request.method for request in twin.requests} == {"GET"}


def test_under_a_policy_everybody_who_may_be_chosen_must_do(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    world(groq=row(status="staging"))
    made = router_route.create(declared(provider=None, policy="cheapest"), context())
    assert made.state["servedModel"] == f"{MODEL}:cheapest"
    assert made.state["providers"] == ["novita", "together"]  # what is not live is never chosen
    assert (made.state["inputUsdPerMtok"], made.state["outputUsdPerMtok"]) == (0.2, 0.4)


def test_under_a_policy_one_that_will_not_do_is_named(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    world(groq=row(context_length=2048))
    says = refusal(context(), provider=None, policy="cheapest")
    assert "groq will not do: it takes 2048 tokens" in says


@pytest.mark.parametrize("about", BAD_ROWS)
def test_a_provider_that_will_not_do_is_refused(
    about: str, world: Callable[..., face.Twin], context: NewContext
) -> None:
    told, says = BAD_ROWS[about]
    world(groq=told)
    assert says in refusal(context(), provider="groq")


def test_what_costs_nothing_has_a_price(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    world(groq=row(pricing=None, is_free=True))
    state = router_route.create(declared(provider="groq"), context()).state
    assert (state["inputUsdPerMtok"], state["outputUsdPerMtok"]) == (0.0, 0.0)


def test_a_provider_without_the_model_is_told_with_those_that_have_it(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    world()
    says = refusal(context(), provider="cerebras")
    assert says == (
        f"{MODEL} for text-generation through the router: cerebras does not serve it;"
        " novita, together does"
    )


def test_a_model_that_is_not_there_is_told(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    world()
    assert refusal(context(), model="acme/nothing").startswith("the Hub has no model acme/nothing")


def test_an_organisation_of_others_cannot_be_billed(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    world()
    says = refusal(context(), billTo="globex")
    assert says == "billTo globex: the token belongs to acme; name one of those that may pay"


def test_a_resource_group_may_be_billed(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    """No listing tells whose it is; the one paid request does, where it is asked for."""
    twin, group = world(), "66670e5163145ca562cb1988"
    assert router_route.create(declared(billTo=group), context()).state["billTo"] == group
    says = refusal(context(), billTo=group, prove=True)
    assert "403" in says
    assert group in says
    groups, accounts = {"acme": {group: "research"}}, twin.world.people.accounts
    twin.world.scenario = dataclasses.replace(twin.world.scenario, groups=groups)
    accounts["acme"] = dataclasses.replace(accounts["acme"], plan="enterprise")
    router_route.create(declared(billTo=group, prove=True), context())


def test_embeddings_go_by_the_providers_own_route(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin = world()
    embedding = {"model": EMBEDDER, "task": "feature-extraction", "minContext": None}
    made = router_route.create(declared(**embedding), context())
    assert made.state["url"] == f"{twin.urls['router']}/together/v1"
    assert made.state["servedModel"] == "theirs/vectors"
    assert made.state["inputUsdPerMtok"] is None
    says = refusal(context(), **embedding, provider="hf-inference")
    assert "hf-inference will not do: it answers feature-extraction in words of its own" in says


def test_the_proof_is_one_paid_request(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin = world()
    router_route.create(declared(prove=True, billTo="acme"), context())
    paid = [request for request in twin.requests if request.method == "POST"]
    assert [(one.host, one.path) for one in paid] == [("router", "/v1/chat/completions")]


def test_a_model_that_was_renamed_is_told_by_its_name_of_today(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin, (host, path) = world(), CALLS["the Hub's mapping"]
    to = {"location": "/api/models/acme/newer?expand=inferenceProviderMapping"}
    fault = face.Fault(host=host, path=path, does="answer", status=307, headers=to)
    twin.faults.append(fault)
    told = refusal(context())
    assert told.endswith(": it is called acme/newer by now; declare it by that name")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("call", CALLS)
def test_any_status_at_any_call_ends_well_or_in_one_clear_line(
    call: str, status: int, world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin, (host, path) = world(), CALLS[call]
    wish = {"billTo": "acme", "prove": True}
    twin.faults.append(face.Fault(host=host, path=path, does="answer", status=status, times=None))
    refusal(context(), **wish)
    twin.faults.clear()
    twin.faults.append(face.Fault(host=host, path=path, does="answer", status=status))
    if status in TRANSIENT and "paid" not in call:
        router_route.create(declared(**wish), context())
    else:
        refusal(context(), **wish)


@pytest.mark.parametrize("does", ["drop", "lose", "garbage"])
@pytest.mark.parametrize("call", CALLS)
def test_any_broken_answer_at_any_call_ends_well_or_in_one_clear_line(
    call: str, does: str, world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin, (host, path) = world(), CALLS[call]
    wish = {"billTo": "acme", "prove": True}
    twin.faults.append(face.Fault(host=host, path=path, does=does, times=None))
    if does == "garbage" and "paid" in call:
        router_route.create(declared(**wish), context())  # it was answered: the way is open
    else:
        refusal(context(), **wish)
    paid = [one for one in twin.requests if one.method == "POST"]
    assert len(paid) <= 1, "a paid request was sent again"


def test_a_slow_answer_is_given_up_in_time(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin = world()
    twin.faults.append(face.Fault(path="/api/models/", does="pass", delay_s=30))
    refusal(context(seconds=0.5))


def test_what_closed_behind_our_back_is_drift_and_proven_again(
    world: Callable[..., face.Twin], context: NewContext
) -> None:
    twin = world()
    wish = declared()
    state = router_route.create(wish, context()).state
    found = router_route.read("", state, wish, context())
    assert found is not None
    assert found.state == state
    twin.faults.append(face.Fault(host="router", does="answer", status=503, times=4))
    with pytest.raises(PassingError, match="503"):
        router_route.read("", state, wish, context())
    twin.faults.clear()
    twin.faults.append(face.Fault(host="router", does="answer", status=403))
    found = router_route.read("", state, wish, context())
    assert found is not None
    assert "403" in found.state["drift"]
    assert found.state["servedModel"] == state["servedModel"]
    assert router_route.update("", found.state, wish, context())["drift"] is None


@pytest.mark.parametrize(
    ("given", "name", "says"),
    [
        ({"provider": "together", "policy": "cheapest"}, "provider", "not both"),
        ({}, "provider", "name either a provider or a policy"),
        ({"policy": "cheapest", "task": "text-to-image"}, "policy", "for chats only"),
    ],
)
def test_one_of_provider_and_policy_is_wanted(given: dict[str, Any], name: str, says: str) -> None:
    [failure] = router_route.check(with_defaults(SHAPE.inputs, {"model": MODEL, **given}))
    assert failure.name == name
    assert says in failure.reason


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model": "chat"}, "must be a model of the Hub, as owner/name"),
        ({"model": MODEL, "provider": "auto"}, "must be one provider"),
        ({"model": MODEL, "provider": "To Gether"}, "must be a provider's slug"),
        ({"model": MODEL, "policy": "nearest"}, "must be one of fastest, cheapest, preferred"),
        ({"model": MODEL, "minContext": 0}, "must be at least 1"),
        ({"model": MODEL, "maxUsdPerMtokInput": -1}, "must be at least 0"),
    ],
)
def test_inputs_that_cannot_be_are_refused(given: dict[str, Any], says: str) -> None:
    [failure] = check(SHAPE.inputs, given)[1]
    assert says in failure.reason


def test_an_id_that_names_no_way_is_explained(context: NewContext) -> None:
    with pytest.raises(MoorageError, match="write owner/name:provider"):
        router_route.read("together", {}, {}, context())
