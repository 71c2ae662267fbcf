"""Reranking by text-embeddings-inference, which has no `/v1/rerank`, in words of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NoReturn

from moorage.gateway.faults import BackendError
from moorage.gateway.replies import RequestError

_ITS_OWN: Final = ("raw_scores", "truncate", "truncation_direction")  # passed on where given


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """What a client asks to be ranked, and how it wants to hear of it."""

    query: str
    documents: tuple[str, ...]
    most: int
    quotes: bool  # each document beside its score, as vLLM always does
    more: dict[str, object] = field(default_factory=dict)

    def asked(self) -> dict[str, object]:
        """The same in the engine's words."""
        return {"query": self.query, "texts": self.documents, **self.more}

    def told(self, answer: bytes, *, name: str, model: str, tokens: str | None) -> bytes:
        """The engine's answer in the client's words; its tokens stand in a header of its own."""
        rows = sorted(_rows(answer, len(self.documents)), key=lambda row: -row[1])
        return json.dumps({
            "id": name,
            "model": model,
            **_usage(tokens),
            "results": [self._result(index, score) for index, score in rows[: self.most]],
        }).encode()  # fmt: skip

    def _result(self, index: int, score: float) -> dict[str, object]:
        quoted = {"document": {"text": self.documents[index]}} if self.quotes else {}
        return {"index": index, **quoted, "relevance_score": score}


def read(body: dict[str, Any]) -> Ranking:
    """What a body asks for, in the words of Jina, Cohere and vLLM."""
    query, documents, most = body.get("query"), body.get("documents"), body.get("top_n")
    quotes = body.get("return_documents")
    if not isinstance(query, str):
        _refuse("'query' must be text")
    if not isinstance(documents, list):
        _refuse("'documents' must be a list")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool)):
        _refuse("'top_n' must be a whole number")
    if quotes is not None and not isinstance(quotes, bool):
        _refuse("'return_documents' must be true or false")
    return Ranking(
        query=query,
        documents=tuple(map(_text, documents)),
        most=most if most is not None and most > 0 else len(documents),
        quotes=quotes is not False,
        more={name: body[name] for name in _ITS_OWN if name in body},
    )


def _text(document: object) -> str:
    text = document.get("text") if isinstance(document, dict) else document
    if not isinstance(text, str):
        _refuse("each of 'documents' must be text, or an object with its 'text'")
    return text


def _refuse(says: str) -> NoReturn:
    raise RequestError(HTTPStatus.BAD_REQUEST, says)


def _rows(answer: bytes, many: int) -> Iterator[tuple[int, float]]:
    try:
        rows = json.loads(answer)
    except (ValueError, RecursionError):
        raise BackendError("answer is not JSON") from None
    if not isinstance(rows, list):
        raise BackendError("answer is not a ranking")
    for row in rows:
        told = row if isinstance(row, dict) else {}
        index, score = told.get("index"), told.get("score")
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < many:
            raise BackendError("answer is not a ranking")
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise BackendError("answer is not a ranking")
        yield index, score


def _usage(tokens: str | None) -> dict[str, object]:
    if tokens is None or not (tokens.isascii() and tokens.isdigit()):
        return {}  # nobody has counted
    return {"usage": {"prompt_tokens": int(tokens), "total_tokens": int(tokens)}}
