"""Repositories that are written to: made, committed to, talked about, collected."""

from __future__ import annotations

import base64
import json
from typing import Any

from moorage.twin.face import Account, Fault, Scenario, Token
from tests.contract.place import WITHOUT, Answer, Place, holds, same, says
from tests.contract.register import LLM, check

_NAME = "moorage-contract"
_BUSY = {"error": "Cannot create repo: another conflicting operation is in progress"}
_API = f"/api/models/acme/{_NAME}"


@check("repo.is-made")
def _(place: Place) -> None:
    _made(place)
    same(place.hub(_API).json["id"], f"acme/{_NAME}", "id")


@check("repo.taken-name")
def _(place: Place) -> None:
    _made(place)
    second = _create(place)
    says(second, 409, "already created")
    holds(second.json["url"].endswith(f"acme/{_NAME}"), "the address of the first is not told")


@check("repo.busy", Scenario(faults=(Fault(path="/repos/create", status=409, body=_BUSY),)))
def _(place: Place) -> None:
    says(_create(place), 409, "another conflicting operation")
    same(_create(place).status, 200, "status of the next")


@check("repo.made-with-files")
def _(place: Place) -> None:
    content = base64.b64encode(b"---\nlicense: mit\n---\n").decode()
    _made(place, files=[{"path": "README.md", "content": content, "encoding": "base64"}])
    same(place.hub(_API).json["cardData"]["license"], "mit", "licence")


@check("repo.bad-name-refused")
def _(place: Place) -> None:
    says(_create(place, name="two--dashes"), 400)


@check("repo.foreign-namespace-refused")
def _(place: Place) -> None:
    says(_create(place, organization="zoe"), 403)
    body = {"type": "model", "name": _NAME, "organization": "acme"}
    url = f"{place.urls['hub']}/api/repos/create"
    says(place.call("POST", url, body, token=WITHOUT), 401)


_ONE = Token(text="hf_one", role="fineGrained", scoped={f"acme/{_NAME}": ("repo.write",)})
_ANN = Account(name="ann", tokens=(Token(text="hf_ann"), _ONE))
_ACME = Account(name="acme", kind="org", members=("ann",))


@check("repo.token-of-one-repository", Scenario(accounts=(_ANN, _ACME), deploys="hf_ann"))
def _(place: Place) -> None:
    _made(place)
    place.token = _ONE.text
    same(_commit(place, place.hub(_API).json["sha"]).status, 200, "status")
    says(_create(place, name="another"), 403)
    [row] = place.hub("/api/whoami-v2").json["auth"]["accessToken"]["fineGrained"]["scoped"]
    told = row["entity"]["type"], row["entity"]["name"]
    same(told, ("model", f"acme/{_NAME}"), "what it is scoped to")


@check("repo.private-hidden-from-strangers")
def _(place: Place) -> None:
    _made(place, visibility="private")
    same(place.hub(_API).json["private"], True, "private")
    says(place.hub(_API, token=place.foreign), 404)


@check("commit.moves-main")
def _(place: Place) -> None:
    _made(place)
    before = place.hub(_API).json["sha"]
    oid = _commit(place, before).json["commitOid"]
    same(place.hub(_API).json["sha"], oid, "main")
    holds(oid != before, "main did not move")


@check("commit.parent-is-a-lock")
def _(place: Place) -> None:
    _made(place)
    before = place.hub(_API).json["sha"]
    _commit(place, before)
    says(_commit(place, before), 412, "a commit has happened since")


@check("commit.pull-request-leaves-main")
def _(place: Place) -> None:
    _made(place)
    before = place.hub(_API).json["sha"]
    told = _commit(place, before, query="?create_pr=1").json
    holds("/discussions/" in told["pullRequestUrl"], "no pull request")
    same(place.hub(_API).json["sha"], before, "main")


@check("commit.merge-moves-main")
def _(place: Place) -> None:
    _made(place)
    told = _commit(place, place.hub(_API).json["sha"], query="?create_pr=1").json
    url = f"{_API}/discussions/{told['pullRequestUrl'].rpartition('/')[2]}/merge"
    same(_post(place, url, {}).status, 200, "status")
    same(place.hub(_API).json["sha"], told["commitOid"], "main")
    says(_post(place, url, {}), 400)


@check("collection.title-taken")
def _(place: Place) -> None:
    body = {"namespace": "acme", "title": "Ours", "private": True}
    first = _post(place, "/api/collections", body)
    same(first.status, 200, "status")
    again = _post(place, "/api/collections", body)
    says(again, 409)
    same(again.json["slug"], first.json["slug"], "the slug of the one that is there")


@check("collection.private-hidden-from-strangers")
def _(place: Place) -> None:
    body = {"namespace": "acme", "title": "Ours", "private": True}
    slug = _post(place, "/api/collections", body).json["slug"]
    same(place.hub(f"/api/collections/{slug}").status, 200, "its owner")
    says(place.hub(f"/api/collections/{slug}", token=place.foreign), 404)


@check("collection.owner-has-a-kind")
def _(place: Place) -> None:
    for account, kind in (("acme", "org"), ("ann", "user")):
        told = _post(place, "/api/collections", {"namespace": account, "title": "Ours"}).json
        same(told["owner"], {"name": account, "type": kind}, "the owner")


@check("collection.has-items")
def _(place: Place) -> None:
    body = {"namespace": "acme", "title": "Ours"}
    slug = _post(place, "/api/collections", body).json["slug"]
    item = {"item": {"type": "model", "id": LLM}}
    same(_post(place, f"/api/collections/{slug}/items", item).status, 200, "status")
    says(_post(place, f"/api/collections/{slug}/items", item), 409)
    same(len(place.hub(f"/api/collections/{slug}").json["items"]), 1, "items")


def _post(place: Place, path: str, body: Any) -> Answer:
    return place.call("POST", f"{place.urls['hub']}{path}", body)


def _create(place: Place, **more: Any) -> Answer:
    body = {"type": "model", "name": _NAME, "organization": "acme", **more}
    return _post(place, "/api/repos/create", body)


def _made(place: Place, **more: Any) -> None:
    place.expect_made(_create(place, **more))


def _commit(place: Place, parent: str, query: str = "") -> Answer:
    content = base64.b64encode(b"# tiny").decode()
    file = {"path": "README.md", "encoding": "base64", "content": content}
    lines = (
        {"key": "header", "value": {"summary": "say more", "parentCommit": parent}},
        {"key": "file", "value": file},
    )
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    return _post(place, f"{_API}/commit/main{query}", sent)
