"""What is asked: the path and body of the request of one arrival."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from moorage.spec.tasks import TASKS

_TEXT = (
    "the city by the river has a market where people buy bread and fish "
    "every morning before the boats leave for the sea and the bells begin"
)


CHAT: Final = "chat"

# What is asked beside the model where it is no chat, by the path, as a text has it.
_ASKED: Final[dict[str, Callable[[str, int], dict[str, object]]]] = {
    "completions": lambda text, tokens: {"prompt": text, "max_tokens": tokens, "temperature": 0},
    "rerank": lambda text, _: {"query": text, "documents": [text, _TEXT]},
    "images/generations": lambda text, _: {"prompt": text, "n": 1},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    path: str
    body: bytes
    streamed: bool
    kind: str  # of answer: a chat, or what its path is called

    @property
    def scenario(self) -> str:
        return f"{self.kind}-stream" if self.streamed else self.kind


def ask(
    index: int, *, model: str, task: str, input_tokens: int, output_tokens: int, seed: int = 0
) -> Ask:
    """The request of arrival `index`; chat alternates between streamed and not."""
    text = prompt(index, words=input_tokens, seed=seed)
    kind = TASKS[task].path
    if not TASKS[task].chats:
        more = _ASKED.get(kind, _input)(text, output_tokens)
        return Ask(path=f"/{kind}", body=_json({"model": model, **more}), streamed=False, kind=kind)
    streamed = index % 2 == 0
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": output_tokens,
        "temperature": 0,
        "stream": streamed,
    }
    if streamed:
        body["stream_options"] = {"include_usage": True}
    return Ask(path=f"/{kind}", body=_json(body), streamed=streamed, kind=CHAT)


def _input(text: str, _: int) -> dict[str, object]:
    return {"input": text}


def prompt(index: int, *, words: int, seed: int = 0) -> str:
    """About `words` tokens of text; each begins differently, so that no prompt cache helps."""
    begin = [str(seed), str(index)]
    text = _TEXT.split()
    rest = (text[(index + at) % len(text)] for at in range(max(1, words - len(begin))))
    return " ".join([*begin, *rest])


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode()
