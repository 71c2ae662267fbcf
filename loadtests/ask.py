"""What is asked: the path and body of the request of one arrival."""

from __future__ import annotations

import json
from dataclasses import dataclass

from moorage.spec.tasks import TASKS

_TEXT = (
    "the city by the river has a market where people buy bread and fish "
    "every morning before the boats leave for the sea and the bells begin"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    path: str
    body: bytes
    streamed: bool
    embedding: bool

    @property
    def scenario(self) -> str:
        if self.embedding:
            return "embeddings"
        return "chat-stream" if self.streamed else "chat"


def ask(
    index: int, *, model: str, task: str, input_tokens: int, output_tokens: int, seed: int = 0
) -> Ask:
    """The request of arrival `index`; chat alternates between streamed and not."""
    text = prompt(index, words=input_tokens, seed=seed)
    path = f"/{TASKS[task].path}"
    if not TASKS[task].chats:
        body: dict[str, object] = {"model": model, "input": text}
        return Ask(path=path, body=_json(body), streamed=False, embedding=True)
    streamed = index % 2 == 0
    body = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": output_tokens,
        "temperature": 0,
        "stream": streamed,
    }
    if streamed:
        body["stream_options"] = {"include_usage": True}
    return Ask(path=path, body=_json(body), streamed=streamed, embedding=False)


def prompt(index: int, *, words: int, seed: int = 0) -> str:
    """About `words` tokens of text; each begins differently, so that no prompt cache helps."""
    begin = [str(seed), str(index)]
    text = _TEXT.split()
    rest = (text[(index + at) % len(text)] for at in range(max(1, words - len(begin))))
    return " ".join([*begin, *rest])


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode()
