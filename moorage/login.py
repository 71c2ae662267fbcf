"""Who is logged in to Hugging Face here, by HF_TOKEN or by `hf auth login`."""

from __future__ import annotations

import os
from typing import Final

from moorage.errors import Exit, MoorageError

DEPLOYING: Final = "HF_TOKEN"
ASKING: Final = "MOORAGE_HF_INFERENCE_TOKEN"  # narrower: it may only ask
FOREIGN: Final = "MOORAGE_HF_FOREIGN_TOKEN"  # somebody else's, who must be refused


def deploying_token() -> str | None:
    """The token that makes things; None where nobody is logged in."""
    return _of(DEPLOYING) or _kept()


def asking_token() -> str | None:
    """The token with which models are asked: the narrower one, where there is one."""
    return _of(ASKING) or deploying_token()


def asking_variable() -> str:
    """Where that token comes from, for a message about it."""
    return ASKING if _of(ASKING) else DEPLOYING


def foreign_token() -> str | None:
    """A stranger's, to prove that strangers are refused; None where there is none."""
    return _of(FOREIGN)


def _of(variable: str) -> str | None:
    return _sound((os.environ.get(variable) or "").strip(), variable)


def _kept() -> str | None:
    from huggingface_hub import get_token

    return _sound(get_token() or "", "the login of hf auth login")


def _sound(token: str, where: str) -> str | None:
    """One that no header can carry is never sent: clients quote it in their errors."""
    if not (token.isascii() and token.isprintable()):
        message = f"{where} holds characters that no token has; copy it again"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return token or None
