"""An OpenAI-compatible engine: chat, completions, embeddings and reranking over plain words."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from moorage.twin import words
from moorage.twin.scenario import Speed

CHAT_TASKS: Final = ("text-generation", "image-text-to-text", "conversational", "custom")
EMBEDDING_TASKS: Final = ("feature-extraction", "sentence-similarity", "sentence-embeddings")
RANKING_TASKS: Final = ("text-ranking", "sentence-ranking", "text-classification")
PROMPT, MADE, STOP = "prompt_tokens", "generation_tokens", "stop"
_CREATED: Final = 1_767_225_600


class WrongError(Exception):
    """A request that an engine refuses, in OpenAI's shape."""

    def __init__(self, status: int, says: str, kind: str = "BadRequestError") -> None:
        super().__init__(says)
        self.status, self.kind = status, kind

    def reply(self) -> web.Response:
        """The refusal."""
        error = {"message": str(self), "type": self.kind, "param": None, "code": self.status}
        return web.json_response({"error": error}, status=self.status)


def _nobody(_what: str, _amount: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What an engine serves, and how fast."""

    name: str
    task: str = "text-generation"
    speed: Speed = field(default_factory=Speed)
    context_tokens: int = 8192
    aborts: bool = False  # it is on its way out: every answer ends before its first token
    counts: Callable[[str, int], None] = _nobody  # hears of PROMPT, MADE, and how answers end
    headers: Mapping[str, str] = field(default_factory=dict)  # that come with what it says


def models(model: Model) -> dict[str, Any]:
    """`GET /v1/models`."""
    row = {
        "id": model.name,
        "object": "model",
        "created": _CREATED,
        "owned_by": "twin",
        "max_model_len": model.context_tokens,
    }
    return {"object": "list", "data": [row]}


async def chat(request: web.Request, body: Mapping[str, Any], model: Model) -> web.StreamResponse:
    """`POST /v1/chat/completions`."""
    messages = body.get("messages")
    if not _are_messages(messages):
        raise WrongError(400, "messages: expected a list of messages, each with a role")
    said = _said(body, words.of_messages(messages or ()), model)
    shape = _Shape(
        id=_id("chatcmpl", body),
        whole="chat.completion",
        part="chat.completion.chunk",
        choice=lambda text: {"message": {"role": "assistant", "content": text}},
        piece=lambda text: {"delta": {"role": "assistant", "content": text} if text else {}},
    )
    return await _send(request, body, model, said, shape)


async def complete(
    request: web.Request, body: Mapping[str, Any], model: Model
) -> web.StreamResponse:
    """`POST /v1/completions`."""
    prompt = body.get("prompt")
    if not isinstance(prompt, str):
        raise WrongError(400, "prompt: expected a text")
    shape = _Shape(
        id=_id("cmpl", body),
        whole="text_completion",
        part="text_completion",
        choice=lambda text: {"text": text},
        piece=lambda text: {"text": text},
    )
    return await _send(request, body, model, _said(body, prompt, model), shape)


async def embed(_request: web.Request, body: Mapping[str, Any], model: Model) -> web.StreamResponse:
    """`POST /v1/embeddings`."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise WrongError(400, "input: expected a text or a list of texts")
    rows = [
        {"object": "embedding", "index": at, "embedding": words.vector(text)}
        for at, text in enumerate(texts)
    ]
    tokens = sum(words.count(text) for text in texts)
    model.counts(PROMPT, tokens)
    model.counts(STOP, 1)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return web.json_response({"object": "list", "data": rows, "model": model.name, "usage": usage})


async def rerank(
    _request: web.Request, body: Mapping[str, Any], model: Model
) -> web.StreamResponse:
    """`POST /v1/rerank`, and `/rerank` as text-embeddings-inference has it."""
    query, texts = body.get("query"), body.get("documents", body.get("texts"))
    if not isinstance(query, str) or not isinstance(texts, list):
        raise WrongError(400, "query: expected a text; documents: expected a list of texts")
    model.counts(STOP, 1)
    scored = [(words.closeness(query, str(text)), at) for at, text in enumerate(texts)]
    ranked = sorted(scored, key=lambda pair: (-pair[0], pair[1]))
    if "texts" in body:
        return web.json_response([{"index": at, "score": score} for score, at in ranked])
    results = [{"index": at, "relevance_score": score} for score, at in ranked]
    return web.json_response({"model": model.name, "results": results})


async def predict(
    _request: web.Request, body: Mapping[str, Any], model: Model
) -> web.StreamResponse:
    """`POST /predict`, as text-embeddings-inference tells the classes of a text."""
    if not isinstance(body.get("inputs"), str):
        raise WrongError(422, "inputs: expected a text")
    model.counts(STOP, 1)
    score = words.closeness("good", body["inputs"])
    return web.json_response([{"label": "good", "score": score}])


def check_model(body: Mapping[str, Any], model: Model) -> None:
    """vLLM and its like answer only to the names that they serve."""
    asked = body.get("model", model.name)
    if asked != model.name:
        says = f"The model `{asked}` does not exist."
        raise WrongError(404, says, "NotFoundError")


async def parsed(request: web.Request) -> dict[str, Any]:
    """The body of a request."""
    try:
        body = json.loads(await request.text())
    except (ValueError, RecursionError):
        raise WrongError(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise WrongError(400, "the body must be a JSON object")
    return body


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    id: str
    whole: str
    part: str
    choice: Callable[[str], dict[str, Any]]
    piece: Callable[[str], dict[str, Any]]


def _said(body: Mapping[str, Any], prompt: str, model: Model) -> words.Answer:
    most = body.get("max_completion_tokens", body.get("max_tokens"))
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise WrongError(400, f"max_tokens must be at least 1, got {most}.")
    asked = words.count(prompt) + (most or 0)
    if asked > model.context_tokens:
        says = f"the longest context is {model.context_tokens} tokens; {asked} were asked for"
        raise WrongError(400, says)
    model.counts(PROMPT, words.count(prompt))
    if model.aborts:
        return words.Answer(tokens=(), prompt_tokens=words.count(prompt), finish_reason="abort")
    return words.answer(
        prompt, most=most, stops=_stops(body.get("stop")), endless=bool(body.get("ignore_eos"))
    )


def _stops(given: Any) -> Sequence[str]:
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise WrongError(400, "stop: expected a text or a list of texts")
    return stops


async def _send(
    request: web.Request, body: Mapping[str, Any], model: Model, said: words.Answer, shape: _Shape
) -> web.StreamResponse:
    if not isinstance(body.get("stream_options"), dict | None):
        raise WrongError(400, "stream_options: expected an object")
    if body.get("stream"):
        return await _stream(request, body, model, said, shape)
    speed = model.speed
    await asyncio.sleep(speed.first_token_s)
    async for _token in _spoken(said, model):
        pass
    choice = {"index": 0, **shape.choice(said.text), "finish_reason": said.finish_reason}
    told = {**_head(shape.id, shape.whole, model), "choices": [choice], "usage": said.usage}
    return web.json_response(told, headers=model.headers)


async def _stream(
    request: web.Request, body: Mapping[str, Any], model: Model, said: words.Answer, shape: _Shape
) -> web.StreamResponse:
    kind = {"Content-Type": "text/event-stream; charset=utf-8"}
    response = web.StreamResponse(headers={**kind, **model.headers})
    await asyncio.sleep(model.speed.first_token_s)
    await response.prepare(request)
    head = _head(shape.id, shape.part, model)
    async for token in _spoken(said, model):
        await _event(response, head | {"choices": [_piece(shape, token, None)]})
    await _event(response, head | {"choices": [_piece(shape, "", said.finish_reason)]})
    if (body.get("stream_options") or {}).get("include_usage"):
        await _event(response, head | {"choices": [], "usage": said.usage})
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _spoken(said: words.Answer, model: Model) -> AsyncIterator[str]:
    """The tokens, each when it is made; time passes only where an engine takes any."""
    for at, token in enumerate(said.tokens):
        if at and model.speed.token_s:
            await asyncio.sleep(model.speed.token_s)
        model.counts(MADE, 1)
        yield token
    model.counts(said.finish_reason, 1)


def _piece(shape: _Shape, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, **shape.piece(text), "finish_reason": finish_reason}


async def _event(response: web.StreamResponse, data: Mapping[str, Any]) -> None:
    await response.write(f"data: {json.dumps(data)}\n\n".encode())


def _head(answer_id: str, kind: str, model: Model) -> dict[str, Any]:
    return {"id": answer_id, "object": kind, "created": _CREATED, "model": model.name}


def _id(kind: str, body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _are_messages(messages: Any) -> bool:
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(isinstance(message, dict) and "role" in message for message in messages)
        and all(_is_content(message.get("content")) for message in messages)
    )


def _is_content(content: Any) -> bool:
    return not isinstance(content, list) or all(isinstance(part, dict) for part in content)


def task_routes() -> Iterator[tuple[str, Sequence[str], Any]]:
    """Every path with the tasks whose engines have it."""
    yield "v1/chat/completions", CHAT_TASKS, chat
    yield "v1/completions", CHAT_TASKS, complete
    yield "v1/embeddings", EMBEDDING_TASKS, embed
    yield "v1/rerank", RANKING_TASKS, rerank
    yield "rerank", RANKING_TASKS, rerank
