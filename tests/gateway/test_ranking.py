"""`/v1/rerank` in front of text-embeddings-inference, which ranks elsewhere in other words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from moorage.twin import face
from tests.gateway import backends
from tests.gateway.backends import Script, replies
from tests.gateway.conftest import Serve, StartBackend
from tests.gateway.running import Service, backend, service

KEY = "acme/ranker"
DOCUMENTS = ["a blue car", "the red ship", "red"]


@pytest.fixture(scope="module")
def twin() -> Iterator[face.Twin]:
    image = {"tei": {"url": "ghcr.io/huggingface/text-embeddings-inference:cpu-1.9.3"}}
    model = {"repository": KEY, "framework": "custom", "image": image, "task": "text-ranking"}
    compute = {"accelerator": "cpu", "instanceType": "intel-spr", "instanceSize": "x1"}
    scaling = {"minReplica": 1, "maxReplica": 1}
    with face.serve(face.Scenario()) as twin:
        twin.plant("acme", "ranker", model=model, compute={**compute, "scaling": scaling})
        yield twin


def ranker(twin: face.Twin, **more: object) -> dict[str, object]:
    known = {"model": KEY, "api_key": twin.world.scenario.calls, "ranks": "tei"}
    return backend("ranker", f"{twin.urls['engines']}/{KEY}/v1", **{**known, **more})


def ranked(*backends: dict[str, object]) -> Service:
    return {**service("http://127.0.0.1:9/v1", task="text-ranking"), "backends": list(backends)}


def by_tei(url: str) -> Service:
    return ranked(backend("b1", url, ranks="tei"))


def rank(client: httpx.Client, **more: object) -> httpx.Response:
    body = {"model": "hello", "query": "red ship", "documents": DOCUMENTS, **more}
    return client.post("/v1/rerank", json={name: v for name, v in body.items() if v is not None})


def order(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["index"] for row in answer.json()["results"]]


def test_it_ranks_as_every_other_ranker_does(twin: face.Twin, serve: Serve) -> None:
    answer = rank(serve(ranked(ranker(twin))))
    assert order(answer) == [1, 2, 0]
    told = answer.json()
    assert told["id"] == f"rerank-{answer.headers['x-request-id']}"
    assert told["model"] == KEY
    scores = [row["relevance_score"] for row in told["results"]]
    assert scores == sorted(scores, reverse=True)
    assert told["results"][0]["document"] == {"text": "the red ship"}
    assert answer.headers["x-moorage-backend"] == "ranker"


def test_without_saying_so_nobody_would_answer(twin: face.Twin, serve: Serve) -> None:
    """As it was before the routes told whose words it wants."""
    plain = {name: value for name, value in ranker(twin).items() if name != "ranks"}
    answer = rank(serve(ranked(plain)))
    assert answer.status_code == 502
    assert "ranker answered 404" in answer.text


@pytest.mark.parametrize(
    ("top", "found"),
    [(1, [1]), (2, [1, 2]), (9, [1, 2, 0]), (0, [1, 2, 0]), (None, [1, 2, 0])],
)
def test_the_best_alone(twin: face.Twin, serve: Serve, top: int | None, found: list[int]) -> None:
    assert order(rank(serve(ranked(ranker(twin))), top_n=top)) == found


def test_documents_are_quoted_unless_they_are_not_wanted(twin: face.Twin, serve: Serve) -> None:
    client = serve(ranked(ranker(twin)))
    given = [{"text": text} for text in DOCUMENTS]
    quoted = rank(client, documents=given, return_documents=True).json()["results"]
    assert [row["document"]["text"] for row in quoted] == ["the red ship", "red", "a blue car"]
    bare = rank(client, return_documents=False).json()["results"]
    assert {name for row in bare for name in row} == {"index", "relevance_score"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"query": None}, "'query' must be text"),
        ({"query": ["red"]}, "'query' must be text"),
        ({"documents": None}, "'documents' must be a list"),
        ({"documents": ["red", 7]}, "each of 'documents' must be text, or an object with its 'te"),
        ({"documents": [{"title": "red"}]}, "each of 'documents' must be text, or an object with"),
        ({"top_n": "2"}, "'top_n' must be a whole number"),
        ({"top_n": True}, "'top_n' must be a whole number"),
        ({"return_documents": 1}, "'return_documents' must be true or false"),
    ],
)
def test_what_cannot_be_ranked_is_refused_unasked(
    start: StartBackend, serve: Serve, wrong: dict[str, Any], says: str
) -> None:
    asked = start(replies(b"[]"))
    answer = rank(serve(by_tei(asked.url)), **wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(says)
    assert not asked.seen


def test_its_own_words_are_passed_on_and_no_others(start: StartBackend, serve: Serve) -> None:
    asked = start(replies(b'[{"index": 0, "score": 0.5}]', x_compute_tokens="12"))
    told = rank(serve(by_tei(asked.url)), documents=["a"], raw_scores=True, user="x", top_n=1)
    assert asked.seen[0].path == "/rerank"
    assert asked.seen[0].body == {
        "query": "red ship",
        "texts": ["a"],
        "raw_scores": True,
    }
    assert told.json()["usage"] == {"prompt_tokens": 12, "total_tokens": 12}


@pytest.mark.parametrize("status", [400, 413, 422])
def test_its_refusals_pass_as_they_are(start: StartBackend, serve: Serve, status: int) -> None:
    says = b'{"error": "batch size 40 > maximum allowed batch size 32", "error_type": "Validation"}'
    answer = rank(serve(by_tei(start(replies(says, status=status)).url)))
    assert (answer.status_code, answer.content) == (status, says)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no",
        b"{}",
        b"[7]",
        b'[{"index": 3, "score": 1}]',
        b'[{"index": true, "score": 1}]',
        b'[{"index": 0, "score": null}]',
        b'[{"index": -1, "score": 0.5}]',
    ],
)
def test_who_answers_no_ranking_has_not_answered(
    twin: face.Twin, start: StartBackend, serve: Serve, broken: bytes
) -> None:
    failing = backend("b1", start(replies(broken)).url, ranks="tei")
    answer = rank(serve(ranked(failing, ranker(twin))))
    assert order(answer) == [1, 2, 0]
    assert answer.headers["x-moorage-backend"] == "ranker"


def test_another_takes_over_in_the_usual_words(start: StartBackend, serve: Serve) -> None:
    vllm: Script = replies(b'{"results": [{"index": 0, "relevance_score": 0.9}]}')
    first, second = start(backends.fails(503)), start(vllm)
    client = serve(ranked(backend("b1", first.url, ranks="tei"), backend("b2", second.url)))
    assert order(rank(client, top_n=1)) == [0]
    assert second.seen[0].path == "/v1/rerank"
    assert second.seen[0].body["top_n"] == 1


def test_embeddings_are_asked_where_they_always_are(start: StartBackend, serve: Serve) -> None:
    asked = start(replies(b'{"data": []}'))
    client = serve({**by_tei(asked.url), "task": "feature-extraction"})
    assert client.post("/v1/embeddings", json={"model": "hello", "input": "x"}).is_success
    assert asked.seen[0].path == "/v1/embeddings"
