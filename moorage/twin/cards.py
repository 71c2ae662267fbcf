"""The metadata at the top of a repository's README."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from moorage.twin.repos import Blob

README: Final = "README.md"
_FENCE: Final = "---"


def of(blobs: Mapping[str, Blob]) -> dict[str, Any] | None:
    """The metadata of a repository; None where its README has none that can be read."""
    readme = blobs.get(README)
    if readme is None:
        return None
    return parse(b"".join(readme.chunks(0, readme.size)).decode("utf-8", "replace"))


def parse(text: str) -> dict[str, Any] | None:
    """The metadata of a README's text."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE or _FENCE not in lines[1:]:
        return None
    try:
        read = yaml.safe_load("\n".join(lines[1 : lines.index(_FENCE, 1)]))
    except yaml.YAMLError:
        return None
    return read if isinstance(read, dict) else None


def license_tags(card: Mapping[str, Any]) -> list[str]:
    """The tags that follow from a card."""
    tags = [str(tag) for tag in card.get("tags") or ()]
    return [*tags, f"license:{card['license']}"] if card.get("license") else tags
