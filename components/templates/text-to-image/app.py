"""Pictures by a model that paints."""

from __future__ import annotations

import io
import os
from typing import Any

import gradio as gr
import painter
from PIL import Image


def draw(prompt: str) -> Any:
    """A picture of what the prompt says; a fault is shown as a line."""
    try:
        return Image.open(io.BytesIO(painter.paint(prompt)))
    except painter.PainterError as error:
        raise gr.Error(str(error)) from None


demo = gr.Interface(
    draw,
    gr.Textbox(label="What to draw"),
    gr.Image(label="Picture"),
    title=os.environ.get("MOORAGE_TITLE", "Pictures"),
)

if __name__ == "__main__":
    demo.launch()
