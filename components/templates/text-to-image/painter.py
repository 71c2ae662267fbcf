"""A model that paints, asked by its task: an Inference Endpoint, or a route of the router."""

from __future__ import annotations

import os

import httpx

URL = os.environ.get("MOORAGE_IMAGES_URL", "")
TOKEN = os.environ.get("MOORAGE_IMAGES_TOKEN", "")
PATIENCE = httpx.Timeout(180.0, connect=10.0)


class PainterError(Exception):
    """What went wrong, in one line for whoever uses the app."""


def paint(prompt: str) -> bytes:
    """The bytes of a picture of what the prompt says."""
    if not URL:
        raise PainterError("MOORAGE_IMAGES_URL is not set in this Space.")
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "image/png"}
    try:
        answer = httpx.post(URL, json={"inputs": prompt}, headers=headers, timeout=PATIENCE)
    except httpx.HTTPError as error:
        message = f"The model cannot be reached: {type(error).__name__}."
        raise PainterError(message) from None
    if not answer.is_success:
        message = f"The model answered {answer.status_code} {answer.reason_phrase}."
        raise PainterError(message)
    if not answer.headers.get("content-type", "").startswith("image/"):
        raise PainterError("The model answered with something that is no picture.")
    return answer.content
