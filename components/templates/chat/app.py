"""A chat with the model behind the gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import gateway
import gradio as gr


def answer(message: str, history: list[gateway.Message]) -> Iterator[str]:
    """What the model says to the talk so far; Gradio streams generator functions alone."""
    said = [{"role": one["role"], "content": _text(one["content"])} for one in history]
    yield from gateway.growing(gateway.chat([*said, {"role": "user", "content": message}]))


def _text(content: Any) -> str:
    """Gradio keeps what was said in parts, which not every engine reads."""
    parts = [content] if isinstance(content, str) else content
    return "".join(one if isinstance(one, str) else one.get("text", "") for one in parts)


demo = gr.ChatInterface(answer, title=os.environ.get("MOORAGE_TITLE", "Chat"))

if __name__ == "__main__":
    demo.launch()
