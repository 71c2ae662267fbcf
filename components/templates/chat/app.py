"""A chat with the model behind the gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator

import gateway
import gradio as gr


def answer(message: str, history: list[gateway.Message]) -> Iterator[str]:
    """What the model says to the talk so far."""
    said = [{"role": one["role"], "content": one["content"]} for one in history]
    return gateway.growing(gateway.chat([*said, {"role": "user", "content": message}]))


demo = gr.ChatInterface(answer, title=os.environ.get("MOORAGE_TITLE", "Chat"))

if __name__ == "__main__":
    demo.launch()
