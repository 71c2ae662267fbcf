"""Who is logged in to Hugging Face here, by HF_TOKEN or by `hf auth login`."""

from __future__ import annotations

import os
from typing import Final

DEPLOYING: Final = "HF_TOKEN"
ASKING: Final = "MOORAGE_HF_INFERENCE_TOKEN"  # narrower: it may only ask


def deploying_token() -> str | None:
    """The token that makes things; None where nobody is logged in."""
    return _of(DEPLOYING) or _kept()


def asking_token() -> str | None:
    """The token with which models are asked: the narrower one, where there is one."""
    return _of(ASKING) or deploying_token()


def asking_variable() -> str:
    """Where that token comes from, for a message about it."""
    return ASKING if _of(ASKING) else DEPLOYING


def _of(variable: str) -> str | None:
    return (os.environ.get(variable) or "").strip() or None


def _kept() -> str | None:
    from huggingface_hub import get_token

    return get_token()
