"""What an answer was: its outcome, and the time of its first real content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.answer import (
    Outcome,
    StreamAnswer,
    outcome_of_status,
    read_chat,
    read_embedding,
    read_image,
    read_ranking,
    read_whole,
)
from loadtests.ask import ask
from moorage.spec.tasks import TASKS


def event(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def delta(**fields: Any) -> bytes:
    return event({"choices": [{"delta": fields}]})


ROLE = delta(role="assistant", content="")
FINISH = event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
USAGE = event({"choices": [], "usage": {"completion_tokens": 7}})
DONE = b"data: [DONE]\n\n"


def answer_of(*chunks: bytes) -> StreamAnswer:
    """The chunks arrive at 1, 2, 3 … seconds."""
    answer = StreamAnswer()
    for at_s, chunk in enumerate(chunks, start=1):
        answer.feed(chunk, float(at_s))
    return answer


def test_the_first_token_is_neither_a_ping_nor_a_role() -> None:
    answer = answer_of(b": ping\n\n", ROLE, delta(content="a"), delta(content="b"), FINISH, DONE)
    assert (answer.first_content_s, answer.last_content_s) == (3.0, 4.0)
    assert answer.content_events == 2
    assert answer.end() is Outcome.OK


@pytest.mark.parametrize(
    "fields",
    [{"reasoning_content": "hm"}, {"reasoning": "hm"}, {"tool_calls": [{"index": 0}]}],
)
def test_reasoning_and_tool_calls_are_content(fields: dict[str, Any]) -> None:
    assert answer_of(ROLE, delta(**fields)).first_content_s == 2.0


def test_events_of_one_read_have_the_time_of_that_read() -> None:
    answer = answer_of(delta(content="a") + delta(content="b") + FINISH + DONE)
    assert answer.first_content_s == answer.last_content_s == 1.0


def test_tokens_are_what_the_server_counted() -> None:
    answer = answer_of(delta(content="a b c"), FINISH, USAGE, DONE)
    assert answer.completion_tokens == 7
    assert answer_of(delta(content="a"), FINISH, DONE).completion_tokens is None


@pytest.mark.parametrize(
    ("chunks", "outcome"),
    [
        ((delta(content="a"), FINISH), Outcome.OK),
        ((delta(content="a"), DONE), Outcome.OK),
        ((delta(content="a"), b"data: [DONE]"), Outcome.OK),
        ((delta(content="a"),), Outcome.TRUNCATED),
        ((), Outcome.TRUNCATED),
        ((ROLE, FINISH, DONE), Outcome.EMPTY),
        ((delta(content="a"), event({"error": {"message": "x"}})), Outcome.SSE_ERROR),
        ((b"event: error\ndata: {}\n\n",), Outcome.SSE_ERROR),
        ((delta(content="a"), b"data: {broken\n\n"), Outcome.INVALID_JSON),
        ((b"data: 3\n\n",), Outcome.INVALID_JSON),
    ],
)
def test_the_end_of_a_stream_has_one_outcome(chunks: tuple[bytes, ...], outcome: Outcome) -> None:
    assert answer_of(*chunks).end() is outcome


def test_what_comes_after_done_changes_nothing() -> None:
    answer = answer_of(delta(content="a"), DONE, event({"error": "late"}))
    assert answer.end() is Outcome.OK


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(ROLE), st.just(DONE)), max_size=8))
def test_no_bytes_make_an_answer_fail(chunks: list[bytes]) -> None:
    assert answer_of(*chunks).end() in Outcome


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "usage", "error", "data", "embedding"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(json_values)
def test_no_json_makes_a_reader_fail(value: object) -> None:
    text = json.dumps(value).encode()
    assert answer_of(b"data: " + text + b"\n\n").end() in Outcome
    assert read_chat(text)[0] in Outcome
    for read in (read_embedding, read_ranking, read_image):
        assert read(text) in Outcome


def test_a_whole_chat_answer_has_content_and_counted_tokens() -> None:
    body = {"choices": [{"message": {"content": "yes"}}], "usage": {"completion_tokens": 2}}
    assert read_chat(json.dumps(body).encode()) == (Outcome.OK, 2)
    assert read_chat(b'{"choices": [{"message": {"content": ""}}]}')[0] is Outcome.EMPTY
    assert read_chat(b"<html>")[0] is Outcome.INVALID_JSON


def test_an_embedding_is_a_vector_of_finite_numbers() -> None:
    assert read_embedding(b'{"data": [{"embedding": [0.5, 1]}]}') is Outcome.OK
    assert read_embedding(b'{"data": [{"embedding": [NaN]}]}') is Outcome.CONTENT_CHECK
    large = b"9" * 400
    assert read_embedding(b'{"data": [{"embedding": [%b]}]}' % large) is Outcome.OK
    assert read_embedding(b'{"data": []}') is Outcome.EMPTY


def test_a_ranking_has_finite_scores() -> None:
    assert read_ranking(b'{"results": [{"relevance_score": 0.0}]}') is Outcome.OK
    assert read_ranking(b'{"results": [{"relevance_score": "1"}]}') is Outcome.CONTENT_CHECK
    assert read_ranking(b'{"results": [{"index": 0}]}') is Outcome.EMPTY


def test_an_image_is_in_base64_or_somewhere() -> None:
    assert read_image(b'{"data": [{"b64_json": "iVBO"}, {"url": "https://x"}]}') is Outcome.OK
    assert read_image(b'{"data": [{"revised_prompt": "x"}]}') is Outcome.EMPTY
    assert read_image(b'{"data": [{"url": 7}]}') is Outcome.CONTENT_CHECK


GOOD = {
    "chat/completions": {"choices": [{"message": {"content": "a"}}]},
    "completions": {"choices": [{"text": "a"}]},
    "embeddings": {"data": [{"embedding": [1]}]},
    "rerank": {"results": [{"relevance_score": 1}]},
    "images/generations": {"data": [{"url": "https://x"}]},
}
ASKED = {
    "chat/completions": "messages",
    "completions": "prompt",
    "embeddings": "input",
    "rerank": "documents",
    "images/generations": "prompt",
}


@pytest.mark.parametrize("task", [name for name, task in TASKS.items() if task.relayed])
def test_every_task_that_is_relayed_is_asked_and_read_in_its_own_words(task: str) -> None:
    asked = ask(-1, model="m", task=task, input_tokens=8, output_tokens=4)
    path = TASKS[task].path
    assert asked.path == f"/{path}"
    assert ASKED[path] in json.loads(asked.body)
    for other, body in GOOD.items():
        outcome, _ = read_whole(asked.kind, json.dumps(body).encode())
        if path == other:
            assert outcome is Outcome.OK
        elif {path, other} != {"chat/completions", "completions"}:
            assert outcome is Outcome.EMPTY


def test_a_status_has_its_outcome() -> None:
    statuses = (200, 307, 404, 429, 503)
    assert [outcome_of_status(status).value for status in statuses] == [
        "ok",
        "http_3xx",
        "http_4xx",
        "rate_limited",
        "http_5xx",
    ]
