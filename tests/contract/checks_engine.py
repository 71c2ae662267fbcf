"""Calling an endpoint: who may, what its engine answers, and how it counts."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.place import WITHOUT, Answer, Place, holds, same, says
from tests.contract.register import LLM, check

_HELLO = [{"role": "user", "content": "say hello"}]
_INFER = "inference.endpoints.infer.write"
_TEI = {"tei": {"url": "a/tei:1"}}


@check("access.public-open")
def _(place: Place) -> None:
    name = place.serving(type="public")
    same(_models(place, name, WITHOUT).status, 200, "status")


@check("access.no-token")
def _(place: Place) -> None:
    says(_models(place, place.serving(), WITHOUT), 401)


@check("access.unknown-token")
def _(place: Place) -> None:
    says(_models(place, place.serving(), "hf_nobody"), 401)


@check("access.own-token")
def _(place: Place) -> None:
    name = place.serving()
    place.until_serving(name)
    same(_models(place, name, place.token).status, 200, "status")


@check("access.narrow-token")
def _(place: Place) -> None:
    same(_models(place, place.serving(type="private"), place.narrow).status, 200, "status")


@check("access.authenticated-lets-in-foreigners")
def _(place: Place) -> None:
    same(_models(place, place.serving(), place.foreign).status, 200, "status")


@check("access.private-refuses-foreigners")
def _(place: Place) -> None:
    says(_models(place, place.serving(type="private"), place.foreign), 403, _INFER)


@check("access.private-link-unreachable")
def _(place: Place) -> None:
    link = {"accountId": "1", "region": "us-east-1"}
    body = place.body(type="private", privateService=link)
    name = str(place.expect_made(place.create(body)).json["name"])
    place.until(name, "running")
    says(_models(place, name, place.token), 404)


@check("access.unknown-address")
def _(place: Place) -> None:
    url = place.url(place.serving())
    says(place.call("GET", f"{url}-of-nobody/v1/models"), 404)


@check("engine.health-route")
def _(place: Place) -> None:
    name = place.serving()
    route = place.api("GET", name).json["healthRoute"]
    same(place.call("GET", f"{place.url(name)}{route}").status, 200, "status")


@check("engine.own-health-route")
def _(place: Place) -> None:
    image = {"custom": {"url": "a/b:1", "healthRoute": "/up"}}
    name = str(place.expect_made(place.create(place.body(model__image=image))).json["name"])
    place.until(name, "running")
    url = place.url(name)
    place.wait(lambda: place.call("GET", f"{url}/up").status, lambda got: got == 200, "/up is 200")


@check("engine.tells-its-model")
def _(place: Place) -> None:
    told = _models(place, place.serving(), place.token).json
    same((told["object"], len(told["data"])), ("list", 1), "object and models")
    holds(told["data"][0]["id"], "the model has no name")


@check("engine.vllm-serves-repository")
def _(place: Place) -> None:
    same(_served(place, place.serving()), LLM, "the served name")


@check("engine.vllm-name-by-argument")
def _(place: Place) -> None:
    name = place.serving(model__args=["--served-model-name", "mine"])
    same(_served(place, name), "mine", "the served name")


@check("engine.llamacpp-serves-file")
def _(place: Place) -> None:
    image = {"url": "a:1", "modelPath": "tiny.gguf", "ctxSize": 1, "nParallel": 1, "threadsHttp": 1}
    name = place.serving(model__image={"llamacpp": image})
    same(_served(place, name), "/repository/tiny.gguf", "the served name")


@check("engine.vllm-wrong-name")
def _(place: Place) -> None:
    says(_chat(place, place.serving(), model="another"), 404, "does not exist")


@check("engine.vllm-root-is-no-health")
def _(place: Place) -> None:
    says(place.call("GET", f"{place.url(place.serving())}/"), 404)


@check("engine.chat")
def _(place: Place) -> None:
    told = _chat(place, place.serving()).json
    same(told["object"], "chat.completion", "object")
    holds(told["choices"][0]["message"]["content"], "it says nothing")
    same(told["choices"][0]["message"]["role"], "assistant", "role")


@check("engine.chat-counts")
def _(place: Place) -> None:
    told = _chat(place, place.serving(), max_tokens=3).json
    usage = told["usage"]
    same(usage["completion_tokens"], 3, "completion_tokens")
    same(told["choices"][0]["finish_reason"], "length", "finish_reason")
    total = usage["prompt_tokens"] + usage["completion_tokens"]
    same(usage["total_tokens"], total, "total_tokens")


@check("engine.chat-stops")
def _(place: Place) -> None:
    name = place.serving()
    same(_chat(place, name).json["choices"][0]["finish_reason"], "stop", "finish_reason")


@check("engine.same-words-for-same-request")
def _(place: Place) -> None:
    name = place.serving()
    one, two = (_chat(place, name, temperature=0, max_tokens=8).json for _ in range(2))
    same(one["choices"], two["choices"], "the second answer")


@check("engine.stream")
def _(place: Place) -> None:
    name = place.serving()
    answer = _chat(place, name, stream=True, max_tokens=4, stream_options={"include_usage": True})
    holds(answer.headers["content-type"].startswith("text/event-stream"), "no event stream")
    events, last = _events(answer)
    same(last, "[DONE]", "the last event")
    pieces = [one["choices"][0]["delta"].get("content") for one in events if one["choices"]]
    same(len([piece for piece in pieces if piece]), 4, "pieces with text")
    same(events[-1]["usage"]["completion_tokens"], 4, "completion_tokens of the last")


@check("engine.stream-without-usage")
def _(place: Place) -> None:
    events, _last = _events(_chat(place, place.serving(), stream=True, max_tokens=4))
    holds(all(not one.get("usage") for one in events), "usage came unasked")


@check("engine.completions")
def _(place: Place) -> None:
    name = place.serving()
    body = {"model": _served(place, name), "prompt": "one two", "max_tokens": 2}
    told = _post(place, name, "/v1/completions", body).json
    same(told["object"], "text_completion", "object")
    same(told["usage"]["completion_tokens"], 2, "completion_tokens")


@check("engine.empty-chat-refused")
def _(place: Place) -> None:
    says(_chat(place, place.serving(), messages=[]), 400)


@check("engine.context-too-long")
def _(place: Place) -> None:
    name = place.serving(model__args=["--max-model-len", "16"])
    says(_chat(place, name, max_tokens=20), 400, "16")


@check("engine.embeddings")
def _(place: Place) -> None:
    name = place.serving(model__repository="acme/embedder", model__image=_TEI)
    told = _post(place, name, "/v1/embeddings", {"input": ["a b", "c"], "model": "x"}).json
    same([row["index"] for row in told["data"]], [0, 1], "the rows")
    same(len(told["data"][0]["embedding"]), len(told["data"][1]["embedding"]), "dimensions")
    same(told["usage"]["prompt_tokens"], told["usage"]["total_tokens"], "usage")


@check("engine.embedder-has-no-chat")
def _(place: Place) -> None:
    name = place.serving(model__repository="acme/embedder", model__image=_TEI)
    says(_post(place, name, "/v1/chat/completions", {"messages": _HELLO}), 404)


@check("engine.rerank")
def _(place: Place) -> None:
    name = place.serving(model__repository="acme/ranker", model__image=_TEI)
    body = {"query": "red ship", "texts": ["a blue car", "the red ship"]}
    told = _post(place, name, "/rerank", body).json
    same([row["index"] for row in told], [1, 0], "the order")


@check("engine.ranker-has-no-v1")
def _(place: Place) -> None:
    name = place.serving(model__repository="acme/ranker", model__image=_TEI)
    says(_post(place, name, "/v1/rerank", {"query": "a", "documents": ["a"]}), 404)
    says(place.call("GET", f"{place.url(name)}/v1/models"), 404)


@check("engine.toolkit-takes-inputs")
def _(place: Place) -> None:
    name = place.serving(model__image={"huggingface": {}})
    answer = _post(place, name, "/", {"inputs": "hello"})
    holds(answer.json[0]["generated_text"], "it says nothing")


@check("engine.toolkit-has-no-v1")
def _(place: Place) -> None:
    name = place.serving(model__image={"huggingface": {}})
    says(_post(place, name, "/v1/chat/completions", {"messages": _HELLO}), 404)


@check("engine.toolkit-paints")
def _(place: Place) -> None:
    name = place.serving(model__repository="acme/painter", model__image={"huggingface": {}})
    answer = _post(place, name, "/", {"inputs": "a harbour"})
    same(answer.content[:8], b"\x89PNG\r\n\x1a\n", "the first bytes")


def _post(place: Place, name: str, path: str, body: Any) -> Answer:
    return place.call("POST", f"{place.url(name)}{path}", body)


def _models(place: Place, name: str, token: str) -> Answer:
    return place.call("GET", f"{place.url(name)}/v1/models", token=token)


def _served(place: Place, name: str) -> str:
    return str(_models(place, name, place.token).json["data"][0]["id"])


def _chat(place: Place, name: str, **more: Any) -> Answer:
    body = {"model": _served(place, name), "messages": _HELLO, **more}
    return _post(place, name, "/v1/chat/completions", body)


def _events(answer: Answer) -> tuple[list[Any], str]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    return [json.loads(line) for line in lines[:-1]], lines[-1]
