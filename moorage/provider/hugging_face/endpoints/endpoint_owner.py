"""Whose an endpoint is, as its tags say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from moorage.provider.hugging_face.client import Record

OURS: Final = "moorage"
GUARD: Final = "moorage-budget-paused"  # the budget guard has paused it
_OWNER: Final = "moorage-owner-"
_FOR: Final = "moorage-for-"
_DIGITS: Final = 24
_LONGEST_SLUG: Final = 60


def marks(owner: str) -> list[str]:
    """The tags that say so: for machines by a digest, for people in words."""
    slug = re.sub(r"[^A-Za-z0-9_-]", ".", owner)[:_LONGEST_SLUG]
    return [OURS, f"{_OWNER}{_digest(owner)}", f"{_FOR}{slug}"]


def tags(record: Record) -> list[str]:
    """Every tag of an endpoint."""
    told = record.get("tags")
    return [tag for tag in told if isinstance(tag, str)] if isinstance(told, list) else []


def others(record: Record) -> list[str]:
    """The tags that are not ours."""
    return [tag for tag in tags(record) if not _is_ours(tag)]


def is_marked(record: Record) -> bool:
    """Whether anybody has declared it by us."""
    return any(tag.startswith(_OWNER) for tag in tags(record))


def is_of(record: Record, owners: Iterable[str | None]) -> bool:
    """Whether it is marked as one of these owners', and as nobody else's."""
    found = {tag for tag in tags(record) if tag.startswith(_OWNER)}
    return bool(found) and found <= {f"{_OWNER}{_digest(owner)}" for owner in owners if owner}


def is_guarded(record: Record) -> bool:
    """Whether the budget guard has paused it."""
    return GUARD in tags(record)


def owner(record: Record) -> str | None:
    """Whom it is marked as declared by, where the words and the digest agree."""
    for tag in tags(record):
        if tag.startswith(_FOR):
            words = tag.removeprefix(_FOR).replace(".", "/")
            if is_of(record, [words]):
                return words
    return None


def described(record: Record) -> str:
    """Whose it is, for people."""
    words = [tag.removeprefix(_FOR) for tag in tags(record) if tag.startswith(_FOR)]
    if words:
        return f"belongs to {words[0].replace('.', '/')}"
    return "belongs to another stack" if is_marked(record) else "was made by hand"


def _is_ours(tag: str) -> bool:
    return tag in (OURS, GUARD) or tag.startswith((_OWNER, _FOR))


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:_DIGITS]
