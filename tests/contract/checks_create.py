"""Creating an endpoint, and what a body may say."""

from __future__ import annotations

from dataclasses import replace

import httpx

from moorage.twin.face import Account, Fault, Scenario, Token
from moorage.twin.hardware import catalogue
from tests.contract.place import WITHOUT, FallsShortError, Place, holds, same, says
from tests.contract.register import check

_TGI = {"tgi": {"url": "a/tgi:1"}}
_LLAMA = {"url": "a/llama:1", "modelPath": "m.gguf", "ctxSize": 1, "nParallel": 1, "threadsHttp": 1}
_MANAGES = "inference.endpoints.write"
_L4 = {
    "compute__accelerator": "gpu",
    "compute__instanceType": "nvidia-l4",
    "compute__instanceSize": "x4",
}


@check("api.needs-token")
def _(place: Place) -> None:
    says(place.api("GET", token=WITHOUT), 401)


@check("api.unknown-token")
def _(place: Place) -> None:
    says(place.api("GET", token="hf_nobody"), 401)


@check("api.scope-missing")
def _(place: Place) -> None:
    says(place.create(place.body(), token=place.narrow), 403, _MANAGES)


@check("api.foreign-namespace")
def _(place: Place) -> None:
    says(place.api("GET", token=place.foreign), 403)


_READER = Account(name="ann", tokens=(Token(text="hf_all"), Token(text="hf_read", role="read")))


@check("api.read-token-reads-only", Scenario(accounts=(_READER,), deploys="hf_all"))
def _(place: Place) -> None:
    same(place.api("GET", account="ann", token="hf_read").status, 200, "a list")
    says(place.api("POST", "", place.body(), account="ann", token="hf_read"), 403)


@check("create.begins-pending")
def _(place: Place) -> None:
    told = place.expect_made(place.create(place.body())).json
    same(told["status"]["state"], "pending", "state")


@check("create.is-told-whole")
def _(place: Place) -> None:
    told = place.api("GET", place.serving()).json
    for key in ("name", "type", "provider", "compute", "model", "status", "healthRoute"):
        holds(key in told, f"{key} is missing")
    for key in ("state", "createdAt", "updatedAt", "message"):
        holds(key in told["status"], f"status.{key} is missing")
    for key in ("repository", "framework", "revision", "task", "image"):
        holds(key in told["model"], f"model.{key} is missing")


@check("create.null-task-refused")
def _(place: Place) -> None:
    says(place.create(place.body(model__task=None)), 400, "task")


@check("create.unknown-type-coerced")
def _(place: Place) -> None:
    told = place.expect_made(place.create(place.body(type="protected"))).json
    same(told["type"], "private", "the type that is told")


@check("create.type-echoed")
def _(place: Place) -> None:
    same(place.api("GET", place.serving()).json["type"], "authenticated", "type")


@check("create.long-name-refused")
def _(place: Place) -> None:
    says(place.create(place.body("n" * 33)), 400)


@check("create.name-of-32-fine")
def _(place: Place) -> None:
    told = place.expect_made(place.create(place.body("n" * 32))).json
    same(told["name"], "n" * 32, "name")


@check("create.capitals-refused")
def _(place: Place) -> None:
    says(place.create(place.body("Moorage-Contract")), 400)


@check("create.taken-name")
def _(place: Place) -> None:
    name = place.serving()
    says(place.create(place.body(name)), 409)


@check("create.body-no-json")
def _(place: Place) -> None:
    says(place.api("POST", "", b"{"), 400)


@check("create.odd-types-refused")
def _(place: Place) -> None:
    says(place.create(place.body(model__env="A=1")), 400)
    says(place.create(place.body(compute="x1")), 400)


@check("create.variant-case-matters")
def _(place: Place) -> None:
    says(place.create(place.body(model__image={"vllm": {"url": "a/b:1"}})), 400)


@check("create.variant-needs-url")
def _(place: Place) -> None:
    says(place.create(place.body(model__image={"vLLM": {}})), 400, "url")


@check("create.one-variant-only")
def _(place: Place) -> None:
    says(place.create(place.body(model__image={**_TGI, "huggingface": {}})), 400)


@check("create.llamacpp-needs-fields")
def _(place: Place) -> None:
    incomplete = {key: value for key, value in _LLAMA.items() if key != "ctxSize"}
    says(place.create(place.body(model__image={"llamacpp": incomplete})), 400, "ctxSize")


@check("create.unknown-image-fields-ignored")
def _(place: Place) -> None:
    image = {"vLLM": {"url": "a/b:1", "health_route": "/up", "tensorParallelSize": 2}}
    told = place.expect_made(place.create(place.body(model__image=image))).json
    same(told["model"]["image"]["vLLM"], {"url": "a/b:1", "tensorParallelSize": 2}, "image")
    same(told["healthRoute"], "/health", "healthRoute")


@check("create.foreign-image-fields-ignored")
def _(place: Place) -> None:
    image = {"tei": {"url": "a/b:1", "tensorParallelSize": 2, "pooling": "cls"}}
    told = place.expect_made(place.create(place.body(model__image=image))).json
    same(told["model"]["image"]["tei"], {"url": "a/b:1", "pooling": "cls"}, "image")


@check("create.credentials-redacted")
def _(place: Place) -> None:
    secret = {"username": "u", "password": "p-o-r-t"}
    image = {"custom": {"url": "a/b:1", "credentials": secret}}
    told = place.expect_made(place.create(place.body(model__image=image)))
    holds("p-o-r-t" not in told.text, "the password is told")
    holds("credentials" in told.json["model"]["image"]["custom"], "credentials are not named")


@check("create.secrets-unreadable")
def _(place: Place) -> None:
    name = place.serving()
    place.api("PUT", name, {"model": {"secrets": {"KEY": "p-o-r-t"}}})
    holds("p-o-r-t" not in place.api("GET", name).text, "the secret is told")


@check("create.task-filled-in")
def _(place: Place) -> None:
    image = {"tei": {"url": "a/b:1"}}
    body = place.body(model__repository="acme/embedder", model__image=image)
    told = place.expect_made(place.create(body)).json
    same(told["model"]["task"], "feature-extraction", "model.task")


@check("create.revision-filled-in")
def _(place: Place) -> None:
    told = place.expect_made(place.create(place.body(model__revision=None))).json
    same(len(told["model"]["revision"]), 40, "the length of model.revision")


@check("create.revision-may-be-missing")
def _(place: Place) -> None:
    body = place.body(model__repository="nobody/knows-it", model__revision=None)
    told = place.expect_made(place.create(body)).json
    holds("revision" not in told["model"], "model.revision is there")


@check("create.sleeps-after-15-minutes")
def _(place: Place) -> None:
    scaling = {"minReplica": 0, "maxReplica": 1}
    told = place.expect_made(place.create(place.body(compute__scaling=scaling))).json
    same(told["compute"]["scaling"]["scaleToZeroTimeout"], 15, "scaleToZeroTimeout")


@check("create.sleep-needs-no-replicas")
def _(place: Place) -> None:
    scaling = {"minReplica": 1, "maxReplica": 1, "scaleToZeroTimeout": 15}
    says(place.create(place.body(compute__scaling=scaling)), 400, "minReplica")


@check("create.most-below-least-refused")
def _(place: Place) -> None:
    scaling = {"minReplica": 2, "maxReplica": 1}
    says(place.create(place.body(compute__scaling=scaling)), 400)


@check("create.path-begins-with-slash")
def _(place: Place) -> None:
    says(place.create(place.body(route={"domain": "a.example", "path": "v1"})), 400)


@check("create.unknown-instance-refused")
def _(place: Place) -> None:
    says(place.create(place.body(compute__instanceType="nvidia-abacus")), 400)


@check("create.region-without-it-refused")
def _(place: Place) -> None:
    says(place.create(place.body(provider__region="mars-north-1")), 400)


_SOLD_OUT = tuple(
    replace(one, status="not_available" if one.instance_size == "x1" else one.status)
    for one in catalogue()
)


@check("create.sold-out-refused", Scenario(computes=_SOLD_OUT))
def _(place: Place) -> None:
    says(place.create(place.body()), 400, "not_available")


@check("create.quota-exceeded")
def _(place: Place) -> None:
    scaling = {"minReplica": 0, "maxReplica": 3}
    says(place.create(place.body(compute__scaling=scaling, **_L4)), 403, "quota")


_BROKE = (Account(name="acme", tokens=(Token(text="hf_broke"),), can_pay=False),)


@check("create.needs-payment", Scenario(accounts=_BROKE, deploys="hf_broke"))
def _(place: Place) -> None:
    says(place.create(place.body()), 402)


@check("create.answer-lost", Scenario(faults=(Fault(method="POST", does="lose"),)))
def _(place: Place) -> None:
    body = place.body()
    _lost(place, body)
    same(place.api("GET", body["name"]).status, 200, "the endpoint, all the same")


@check("create.connection-dropped", Scenario(faults=(Fault(method="POST", does="drop"),)))
def _(place: Place) -> None:
    body = place.body()
    _lost(place, body)
    same(place.api("GET", body["name"]).status, 404, "no endpoint")


@check("create.gateway-error-after-effect")
def _(place: Place) -> None:
    fault = {"method": "POST", "path": "/v2/", "does": "garbage"}
    place.control("POST", "faults", fault)
    body = place.body()
    holds(place.create(body).json is None, "the answer is JSON")
    same(place.api("GET", body["name"]).status, 200, "the endpoint, all the same")


def _lost(place: Place, body: dict[str, object]) -> None:
    try:
        answer = place.create(body)
    except httpx.TransportError:
        return
    message = f"an answer came: {answer.status}"
    raise FallsShortError(message)
