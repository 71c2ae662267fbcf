"""A model that paints: behind the gateway, or asked by its task where MOORAGE_IMAGES_URL is set.

That address is of an Inference Endpoint or of the router, such as
https://router.huggingface.co/hf-inference/models/acme/painter.
"""

from __future__ import annotations

import base64
import os
from typing import Any

import httpx

GATEWAY = os.environ.get("MOORAGE_GATEWAY_URL", "").rstrip("/")  # ends in /v1
KEY = os.environ.get("MOORAGE_GATEWAY_KEY", "")
MODEL = os.environ.get("MOORAGE_MODEL", "")
URL = os.environ.get("MOORAGE_IMAGES_URL", "")
TOKEN = os.environ.get("MOORAGE_IMAGES_TOKEN", "")
PATIENCE = httpx.Timeout(180.0, connect=10.0)


class PainterError(Exception):
    """What went wrong, in one line for whoever uses the app."""


def paint(prompt: str) -> bytes:
    """The bytes of a picture of what the prompt says."""
    if URL:
        answer = _asked(URL, {"inputs": prompt}, TOKEN)
        if answer.headers.get("content-type", "").startswith("image/"):
            return answer.content
    elif GATEWAY:
        body = {"model": MODEL, "prompt": prompt, "n": 1, "response_format": "b64_json"}
        answer = _asked(f"{GATEWAY}/images/generations", body, KEY)
        if picture := _picture(answer):
            return picture
    else:
        raise PainterError("Neither MOORAGE_GATEWAY_URL nor MOORAGE_IMAGES_URL is set here.")
    raise PainterError("The model answered with something that is no picture.")


def _asked(url: str, body: Any, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Accept": "image/png, application/json"}
    try:
        answer = httpx.post(url, json=body, headers=headers, timeout=PATIENCE)
    except httpx.HTTPError as error:
        message = f"The model cannot be reached: {type(error).__name__}."
        raise PainterError(message) from None
    if not answer.is_success:
        message = f"The model answered {answer.status_code} {answer.reason_phrase}."
        raise PainterError(message)
    return answer


def _picture(answer: httpx.Response) -> bytes | None:
    try:
        return base64.b64decode(answer.json()["data"][0]["b64_json"])
    except (ValueError, LookupError, TypeError):
        return None
