"""What the Hub's twin says of a repository, in the shapes of the Hub and of its router."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from moorage.twin import cards
from moorage.twin.desk import PREFIXES
from moorage.twin.repos import Blob, Stored

_MAPPED: Final = ("status", "task", "providerId", "adapter", "adapterWeightsPath", "type")
_MAPPING: Final = "inferenceProviderMapping"


def described(stored: Stored, commit: str, *, blobs: bool) -> dict[str, Any]:
    """Everything that is told without `expand`."""
    repo = stored.repo
    card = _card(stored, commit)
    name = _name(stored.id)
    told: dict[str, Any] = {
        "_id": commit[:24],
        "id": name,
        "modelId": name,
        "author": name.partition("/")[0],
        "sha": commit,
        "lastModified": "2025-01-01T00:00:00.000Z",
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "pipeline_tag": repo.pipeline_tag,
        "library_name": repo.library_name,
        "tags": cards.license_tags(card),
        "cardData": card,
        "siblings": [_sibling(blob, full=blobs) for blob in stored.at(commit).values()],
    }
    optional = {"gguf": repo.gguf, "config": repo.config}
    if repo.group:
        optional["resourceGroup"] = {"id": repo.group, "name": repo.group}
    return told | {key: value for key, value in optional.items() if value is not None}


def expanded(stored: Stored, commit: str, wanted: Iterable[str]) -> dict[str, Any]:
    """Only what was asked for."""
    told = described(stored, commit, blobs=False)
    told[_MAPPING] = {
        provider: {key: row[key] for key in _MAPPED if key in row}
        for provider, row in stored.repo.providers.items()
    }
    return {key: told[key] for key in ("_id", "id", *wanted) if key in told}


def routed(stored: Stored) -> dict[str, Any]:
    """A model as the router lists it."""
    return {
        "id": stored.id,
        "object": "model",
        "created": 1_735_689_600,
        "owned_by": stored.id.partition("/")[0],
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        "providers": [
            {
                "provider": provider,
                **{key: own for key, own in row.items() if key == "status" or key not in _MAPPED},
            }
            for provider, row in stored.repo.providers.items()
        ],
    }


def _card(stored: Stored, commit: str) -> dict[str, Any]:
    told = {"license": stored.repo.license, "license_name": stored.repo.license_name}
    written = cards.of(stored.at(commit)) or {}
    return written | {key: value for key, value in told.items() if value is not None}


def _name(key: str) -> str:
    prefix = next((one for one in PREFIXES.values() if one and key.startswith(one)), "")
    return key.removeprefix(prefix)


def _sibling(blob: Blob, *, full: bool) -> dict[str, Any]:
    if not full:
        return {"rfilename": blob.path}
    sibling: dict[str, Any] = {"rfilename": blob.path, "size": blob.size, "blobId": blob.blob_id}
    if blob.lfs:
        sibling["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": 134}
    return sibling
