"""Inference Providers behind the router: who is asked, who pays, and what is refused."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from moorage.twin.face import Account, Repo, Scenario, Speed, Token
from moorage.twin.people import INFER, ROUTE
from tests.contract.place import WITHOUT, Answer, Place, holds, same, says
from tests.contract.register import LLM, PROVIDERS, check

_HELLO = [{"role": "user", "content": "say hello"}]
_PNG = b"\x89PNG\r\n\x1a\n"
_BY = "x-inference-provider"
_GROUP = "66670e5163145ca562cb1988"


def _people(**more: Any) -> Scenario:
    """Ann in an organisation `more` tells about, and one she does not belong to."""
    no_router = Token(text="hf_no_router", role="fineGrained", scoped={"ann": (INFER,)})
    routing = Token(text="hf_routing", role="fineGrained", scoped={"ann": (ROUTE,)})
    ann = Account(name="ann", tokens=(Token(text="hf_ann"), no_router, routing))
    org = Account(**{"name": "acme", "kind": "org", "members": ("ann",), "plan": "team", **more})
    return Scenario(accounts=(ann, org, Account(name="zoe", kind="org")), deploys="hf_ann")


@check("router.models-open")
def _(place: Place) -> None:
    answer = place.router("GET", "/v1/models", token=WITHOUT)
    same(answer.status, 200, "status")
    row = answer.json["data"][0]
    holds({"id", "providers"} <= {*row}, f"keys: {sorted(row)}")
    holds({"provider", "status"} <= {*row["providers"][0]}, "keys of a provider")


@check("router.price-may-be-absent")
def _(place: Place) -> None:
    rows = place.router("GET", f"/v1/models/{LLM}").json["providers"]
    silent = [row["provider"] for row in rows if "pricing" not in row]
    same(silent, ["featherless-ai"], "providers without a price")


@check("router.chat")
def _(place: Place) -> None:
    told = _chat(place, LLM).json
    holds(told["choices"][0]["message"]["content"], "it says nothing")
    holds(told["usage"]["completion_tokens"], "it counts nothing")


@check("router.no-token")
def _(place: Place) -> None:
    answer = _chat(place, LLM, token=WITHOUT)
    says(answer, 401)
    holds(isinstance(answer.json["error"], str), "error is no text")


@check("router.unknown-token")
def _(place: Place) -> None:
    says(_chat(place, LLM, token="hf_nobody"), 401)


@check("router.scope-missing", _people())
def _(place: Place) -> None:
    answer = _chat(place, LLM, token="hf_no_router")
    says(answer, 403, "sufficient permissions", "ann")


@check("router.scope-is-enough", _people())
def _(place: Place) -> None:
    same(_chat(place, LLM, token="hf_routing").status, 200, "status")


@check("router.unknown-model")
def _(place: Place) -> None:
    answer = _chat(place, "nobody/nothing-of-that-name")
    says(answer, 400)
    same(answer.json["error"]["code"], "model_not_supported", "error.code")


@check("router.default-is-fastest")
def _(place: Place) -> None:
    same(_chat(place, LLM).headers[_BY], "together", "the provider")


@check("router.cheapest")
def _(place: Place) -> None:
    same(_chat(place, f"{LLM}:cheapest").headers[_BY], "novita", "the provider")


_TURNED = Scenario(repos={LLM: Repo(providers=dict(reversed(PROVIDERS.items())))})


@check("router.preferred", _TURNED)
def _(place: Place) -> None:
    same(_chat(place, f"{LLM}:preferred").headers[_BY], "novita", "the first that is live")
    same(_chat(place, f"{LLM}:fastest").headers[_BY], "together", "the fastest")


@check("router.pinned")
def _(place: Place) -> None:
    same(_chat(place, f"{LLM}:novita").headers[_BY], "novita", "the provider")


@check("router.stream-tells-provider")
def _(place: Place) -> None:
    same(_chat(place, f"{LLM}:novita", stream=True).headers[_BY], "novita", "the provider")


@check("router.pinned-unknown-refused")
def _(place: Place) -> None:
    says(_chat(place, f"{LLM}:no-such-provider"), 400)


@check("router.flagged-one-not-asked")
def _(place: Place) -> None:
    says(_chat(place, f"{LLM}:featherless-ai"), 400)


_FAILING = Scenario(providers_failing={"together": 429})


@check("router.failing-one-not-gone-around", _FAILING)
def _(place: Place) -> None:
    says(_chat(place, LLM), 429)


@check("router.pinned-never-fails-over", _FAILING)
def _(place: Place) -> None:
    says(_chat(place, f"{LLM}:together"), 429)
    same(_chat(place, f"{LLM}:novita").status, 200, "a sibling's status")


@check("router.too-many-without-retry-after", _FAILING)
def _(place: Place) -> None:
    answer = _chat(place, LLM)
    says(answer, 429)
    holds("retry-after" not in answer.headers, "it tells when to come again")


_EMPTY = Account(name="ann", tokens=(Token(text="hf_empty"),), credits_left=False)


@check("router.no-credits", Scenario(accounts=(_EMPTY,), deploys="hf_empty"))
def _(place: Place) -> None:
    answer = _chat(place, LLM)
    says(answer, 402, "credits")


@check("router.bill-to-own-organisation", _people())
def _(place: Place) -> None:
    same(_billed(place, "acme").status, 200, "status")


@check("router.bill-to-foreign-refused", _people())
def _(place: Place) -> None:
    says(_billed(place, "zoe"), 403)


@check("router.bill-to-needs-plan", _people(plan="free"))
def _(place: Place) -> None:
    says(_billed(place, "acme"), 403, "plan")


@check("router.bill-to-spends-its-credits", _people(credits_left=False))
def _(place: Place) -> None:
    same(_chat(place, LLM).status, 200, "who pays for herself")
    says(_billed(place, "acme"), 402)


def _grouped(**more: Any) -> Scenario:
    return replace(_people(**more), groups={"acme": {_GROUP: "research"}, "zoe": {"6" * 24: "z"}})


@check("router.bill-to-resource-group", _grouped(plan="enterprise", credits_left=False))
def _(place: Place) -> None:
    says(_billed(place, _GROUP), 402, "credits")


@check("router.bill-to-foreign-resource-group-refused", _grouped(plan="enterprise"))
def _(place: Place) -> None:
    same(_billed(place, _GROUP).status, 200, "status")
    says(_billed(place, "6" * 24), 403)


@check("router.bill-to-resource-group-needs-enterprise", _grouped())
def _(place: Place) -> None:
    says(_billed(place, _GROUP), 403, "plan")


@check("router.organisation-bans-provider", _people(bans_providers=("together",)))
def _(place: Place) -> None:
    same(_billed(place, "acme").headers[_BY], "novita", "the provider")
    says(_billed(place, "acme", f"{LLM}:together"), 400)


_SLOW = Scenario(router_longest_s=0.1, speed=Speed(token_s=0.05))


@check("router.too-long-unless-streamed", _SLOW)
def _(place: Place) -> None:
    says(_chat(place, LLM), 504)
    same(_chat(place, LLM, stream=True).status, 200, "the status of a stream")


@check("router.chat-only")
def _(place: Place) -> None:
    says(_chat(place, "acme/painter"), 400)


@check("router.has-no-embeddings")
def _(place: Place) -> None:
    says(place.router("POST", "/v1/embeddings", {"model": "acme/embedder", "input": "a"}), 404)


@check("router.context-is-the-providers")
def _(place: Place) -> None:
    says(_chat(place, LLM, max_tokens=5000), 400, "4096")


@check("router.providers-own-name")
def _(place: Place) -> None:
    path = "/together/v1/chat/completions"
    body = {"model": "acme/tiny-chat-turbo", "messages": _HELLO}
    same(place.router("POST", path, body).status, 200, "status")


@check("router.embeddings-by-task-route")
def _(place: Place) -> None:
    path = "/hf-inference/models/acme/embedder/pipeline/feature-extraction"
    rows = place.router("POST", path, {"inputs": ["a", "b"]}).json
    same(len(rows), 2, "vectors")


@check("router.image-by-task-route")
def _(place: Place) -> None:
    path = "/hf-inference/models/acme/painter"
    same(place.router("POST", path, {"inputs": "a"}).content[:8], _PNG, "the first bytes")


@check("router.image-in-base64")
def _(place: Place) -> None:
    body = {"prompt": "a", "model": "together/painter", "response_format": "base64"}
    rows = place.router("POST", "/together/v1/images/generations", body).json["data"]
    same(base64.b64decode(rows[0]["b64_json"])[:8], _PNG, "the first bytes")


@check("router.image-by-address")
def _(place: Place) -> None:
    told = place.router("POST", "/fal-ai/fal-ai/painter", {"prompt": "a b/c"}).json
    same(place.call("GET", told["images"][0]["url"]).content[:8], _PNG, "the first bytes")


@check("router.task-route-refuses-strangers")
def _(place: Place) -> None:
    path = "/hf-inference/models/acme/embedder"
    says(place.router("POST", path, {"inputs": "a"}, token=WITHOUT), 401)


@check("router.task-route-unknown-model")
def _(place: Place) -> None:
    path = "/hf-inference/models/nobody/nothing-of-that-name"
    says(place.router("POST", path, {"inputs": "a"}), 400, "not supported")


def _chat(place: Place, model: str, **more: Any) -> Answer:
    how = {key: more.pop(key) for key in ("token", "headers") if key in more}
    body = {"model": model, "messages": _HELLO, **more}
    return place.router("POST", "/v1/chat/completions", body, **how)


def _billed(place: Place, account: str, model: str = LLM) -> Answer:
    return _chat(place, model, headers={"X-HF-Bill-To": account})
