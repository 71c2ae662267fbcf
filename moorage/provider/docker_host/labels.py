"""The labels by which our containers are known on a host; a name alone says nothing."""

from __future__ import annotations

from typing import Final

OWNER: Final = "moorage.owner"  # project/stack/name
SERVICE: Final = "moorage.service"
CLAIM: Final = "moorage.claim"  # of the slot; no other state's has the same
DIGEST: Final = "moorage.digest"  # of the container's whole configuration
PROOF: Final = "moorage.proof"  # on containers that prove something and are thrown away
_STACK_PARTS: Final = 2


def stack_of(owner: str) -> str:
    """The project and stack that an owner belongs to."""
    return "/".join(owner.split("/")[:_STACK_PARTS])
