"""The Hub's write side: repositories, Spaces and collections."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from moorage.twin.face import Account, Fault, Scenario, Token
from tests.contract.place import WITHOUT, Answer, Place, holds, same, says
from tests.contract.register import check

_BUSY = {"error": "Cannot create repo: another conflicting operation is in progress"}


def _hub(place: Place, method: str, path: str, body: Any = None, **how: Any) -> Answer:
    return place.call(method, f"{place.urls['hub']}{path}", body, **how)


def _create(place: Place, name: str = "it", **more: Any) -> Answer:
    account = more.pop("account", place.account)
    how = {"token": more.pop("token")} if "token" in more else {}
    body = {"name": name, "organization": account, **more}
    return _hub(place, "POST", "/api/repos/create", body, **how)


def _commit(
    place: Place, kind: str, files: Mapping[str, str], parent: str = "", query: str = ""
) -> Answer:
    header = {"summary": "Change it", **({"parentCommit": parent} if parent else {})}
    lines: list[Any] = [{"key": "header", "value": header}]
    for path, text in files.items():
        content = base64.b64encode(text.encode()).decode()
        value = {"path": path, "content": content, "encoding": "base64"}
        lines.append({"key": "file", "value": value})
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return _hub(place, "POST", f"/api/{kind}/{place.account}/it/commit/main{query}", body)


def _paths(place: Place, kind: str = "models") -> set[str]:
    told = _hub(place, "GET", f"/api/{kind}/{place.account}/it").json
    return {row["rfilename"] for row in told["siblings"]}


def _stage(place: Place) -> str:
    return str(_hub(place, "GET", f"/api/spaces/{place.account}/it/runtime").json["stage"])


def _app(place: Place, token: str | None = None) -> int:
    host = _hub(place, "GET", f"/api/spaces/{place.account}/it").json["host"]
    return place.call("GET", host, token=token).status


def _running(place: Place, visibility: str) -> None:
    _create(place, type="space", sdk="gradio", visibility=visibility)
    _commit(place, "spaces", {"app.py": "import gradio\n"})
    place.wait(lambda: _stage(place), lambda stage: stage == "RUNNING", "it runs")


@check("write.create-once")
def _(place: Place) -> None:
    same(_create(place).status, 200, "status of the first")
    second = _create(place)
    says(second, 409, "already created")
    holds(second.json["url"].endswith(f"{place.account}/it"), "no address")


@check("write.create-busy", Scenario(faults=(Fault(path="/repos/create", status=409, body=_BUSY),)))
def _(place: Place) -> None:
    says(_create(place), 409, "another conflicting operation")
    same(_create(place).status, 200, "status of the next")


@check("write.create-takes-files")
def _(place: Place) -> None:
    content = base64.b64encode(b"---\nlicense: mit\n---\n").decode()
    _create(place, files=[{"path": "README.md", "content": content, "encoding": "base64"}])
    told = _hub(place, "GET", f"/api/models/{place.account}/it").json
    same(told["cardData"]["license"], "mit", "licence")


@check("write.parent-commit")
def _(place: Place) -> None:
    _create(place)
    first = _hub(place, "GET", f"/api/models/{place.account}/it").json["sha"]
    same(_commit(place, "models", {"a": "1"}, parent=first).status, 200, "status")
    says(_commit(place, "models", {"b": "1"}, parent=first), 412, "A commit has happened since")
    holds("b" not in _paths(place), "the refused commit was made")


@check("write.needs-rights")
def _(place: Place) -> None:
    says(_create(place, account="zoe"), 403)
    says(_create(place, token=WITHOUT), 401)


@check("write.pull-request-waits")
def _(place: Place) -> None:
    _create(place)
    told = _commit(place, "models", {"a": "1"}, query="?create_pr=1").json
    holds(told["pullRequestUrl"].endswith("/discussions/1"), "no pull request")
    holds("a" not in _paths(place), "main has it already")
    talks = _hub(place, "GET", f"/api/models/{place.account}/it/discussions").json
    same(talks["discussions"][0]["status"], "open", "status")


_FREE = Account(name="eve", tokens=(Token(text="hf_eve"),), plan="free")


@check("space.unpaid", Scenario(accounts=(_FREE,), deploys="hf_eve"))
def _(place: Place) -> None:
    for sdk in ("gradio", "docker"):
        says(_create(place, account="eve", type="space", sdk=sdk), 402)
    same(_create(place, account="eve", type="space", sdk="static").status, 200, "static")


@check("space.no-app-file")
def _(place: Place) -> None:
    _create(place, type="space", sdk="gradio")
    same(_stage(place), "NO_APP_FILE", "stage")


@check("space.builds-then-runs")
def _(place: Place) -> None:
    _create(place, type="space", sdk="gradio")
    _commit(place, "spaces", {"app.py": "import gradio\n"})
    seen = [_stage(place)]
    while seen[-1] != "RUNNING" and len(seen) < 1000:
        seen.append(_stage(place))
    order = [stage for stage in ("BUILDING", "APP_STARTING", "RUNNING") if stage in seen]
    same([*dict.fromkeys(seen)], order, "stages")
    same(order[-1], "RUNNING", "the last stage")


@check("space.secrets-write-only")
def _(place: Place) -> None:
    _create(place, type="space", sdk="gradio", secrets=[{"key": "KEY", "value": "my secret"}])
    told = _hub(place, "GET", f"/api/spaces/{place.account}/it/secrets")
    holds("updatedAt" in told.json["KEY"], "no date")
    holds("my secret" not in told.text, "the value is told")


@check("space.protected-is-open")
def _(place: Place) -> None:
    _running(place, "protected")
    says(_hub(place, "GET", f"/api/spaces/{place.account}/it", token=place.foreign), 404)
    same(_app(place, WITHOUT), 200, "the app's status")


@check("space.private-looks-absent")
def _(place: Place) -> None:
    _running(place, "private")
    same(_app(place), 200, "status for its owner")
    for token in (WITHOUT, place.foreign):
        same(_app(place, token), 404, "status for strangers")


@check("space.hardware-unknown")
def _(place: Place) -> None:
    says(_create(place, type="space", sdk="gradio", hardware="h100x9"), 400, "hardware")


@check("space.hardware-catalogue")
def _(place: Place) -> None:
    rows = _hub(place, "GET", "/api/spaces/hardware", token=WITHOUT).json
    row = next(row for row in rows if row["name"] == "cpu-basic")
    holds({"prettyName", "unitCostUSD", "unitLabel"} <= {*row}, f"keys: {sorted(row)}")


@check("collection.title-once")
def _(place: Place) -> None:
    body = {"title": "Ours", "namespace": place.account}
    first = _hub(place, "POST", "/api/collections", body).json["slug"]
    second = _hub(place, "POST", "/api/collections", body)
    says(second, 409)
    same(second.json["slug"], first, "slug")
