"""The Hub: who somebody is, what a model is, and who may have its files."""

from __future__ import annotations

from moorage.twin.face import Account, Limit, Scenario, Token
from tests.contract.place import WITHOUT, Place, holds, same, says
from tests.contract.register import LLM, check

_GATED = "/api/models/zoe/closed"


@check("hub.whoami")
def _(place: Place) -> None:
    told = place.hub("/api/whoami-v2").json
    holds(told["name"], "nobody has the token")
    holds(isinstance(told["orgs"], list), "orgs is no list")


@check("hub.whoami-unknown-token")
def _(place: Place) -> None:
    says(place.hub("/api/whoami-v2", token="hf_nobody"), 401)


@check("hub.whoami-tells-scopes")
def _(place: Place) -> None:
    fine = place.hub("/api/whoami-v2", token=place.narrow).json["auth"]["accessToken"]
    same(fine["role"], "fineGrained", "role")
    row = fine["fineGrained"]["scoped"][0]
    holds({"name", "type"} <= {*row["entity"]}, "an entity has no name and type")
    holds("inference.endpoints.infer.write" in row["permissions"], "another permission")


_SERVICE = Account(name="acme", kind="org", tokens=(Token(text="hf_service"),))


@check("hub.whoami-of-organisation", Scenario(accounts=(_SERVICE,), deploys="hf_service"))
def _(place: Place) -> None:
    told = place.hub("/api/whoami-v2").json
    same((told["type"], told["name"]), ("org", "acme"), "who it is")


@check("hub.model-has-commit")
def _(place: Place) -> None:
    told = place.hub("/api/models/zoe/open").json
    same(len(told["sha"]), 40, "the length of the commit")


@check("hub.revision-resolves")
def _(place: Place) -> None:
    same(place.hub("/api/models/zoe/open/revision/v1").json["sha"], "a" * 40, "the tag's commit")
    says(place.hub("/api/models/zoe/open/revision/nope"), 404)


@check("hub.absent-hidden-from-strangers")
def _(place: Place) -> None:
    says(place.hub("/api/models/nobody/nothing-of-that-name", token=WITHOUT), 401)
    says(place.hub("/api/models/nobody/nothing-of-that-name"), 404)


@check("hub.private-looks-absent")
def _(place: Place) -> None:
    says(place.hub("/api/models/zoe/hidden"), 404)
    same(place.hub("/api/models/zoe/hidden", token=place.foreign).status, 200, "its owner")


@check("hub.lists-hide-the-same")
def _(place: Place) -> None:
    for path in ("tree/main", "discussions"):
        url = f"/api/models/zoe/hidden/{path}"
        says(place.hub(url, token=WITHOUT), 401)
        says(place.hub(url), 404)
        same(place.hub(url, token=place.foreign).status, 200, "its owner")


@check("hub.gated-facts-open")
def _(place: Place) -> None:
    same(place.hub(_GATED, token=WITHOUT).json["gated"], "manual", "gated")


@check("hub.gated-files-closed")
def _(place: Place) -> None:
    file = "/zoe/closed/resolve/main/w.gguf"
    says(place.hub(file, token=WITHOUT), 401, "restricted")
    says(place.hub(file), 403, "restricted")
    same(place.hub(file, token=place.foreign).status, 302, "its owner")


@check("hub.gated-access-told")
def _(place: Place) -> None:
    says(place.hub(f"{_GATED}/auth-check"), 403)
    same(place.hub(f"{_GATED}/auth-check", token=place.foreign).status, 200, "its owner")


@check("hub.weights-elsewhere")
def _(place: Place) -> None:
    answer = place.hub("/zoe/open/resolve/main/w.gguf")
    same(answer.status, 302, "status")
    holds(answer.headers["x-linked-etag"] and answer.headers["x-linked-size"], "no size")
    part = place.call(
        "GET", answer.headers["location"], token=WITHOUT, headers={"Range": "bytes=0-3"}
    )
    same((part.status, part.content), (206, b"GGUF"), "a range of it")


@check("hub.mapping-without-prices")
def _(place: Place) -> None:
    told = place.hub(f"/api/models/{LLM}?expand=inferenceProviderMapping").json
    row = told["inferenceProviderMapping"]["together"]
    same(row["providerId"], "acme/tiny-chat-turbo", "providerId")
    holds("pricing" not in row and "revision" not in row, f"keys: {sorted(row)}")


@check("hub.can-be-down", Scenario())
def _(place: Place) -> None:
    fault = {"host": "hub", "status": 429, "headers": {"Retry-After": "1"}}
    place.control("POST", "faults", fault)
    answer = place.hub("/api/models/zoe/open")
    same((answer.status, answer.headers["retry-after"]), (429, "1"), "status and Retry-After")
    same(place.hub("/api/models/zoe/open").status, 200, "the next one")


_LIMITED = Scenario(limits=(Limit(host="hub", most=2, window_s=60.0),), clock="driven")


@check("hub.counts-in-windows", _LIMITED)
def _(place: Place) -> None:
    answers = [place.hub("/api/models/zoe/open") for _ in range(3)]
    same([answer.status for answer in answers], [200, 200, 429], "the statuses")
    same(answers[-1].headers["ratelimit"], '"api";r=0;t=60', "RateLimit")
    same(place.hub("/api/models/zoe/open", token="hf_twin_zoe").status, 200, "another token's")
    place.advance(60)
    same(place.hub("/api/models/zoe/open").status, 200, "in the next window")
