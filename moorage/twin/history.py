"""Commits of a repository of the twin, one upon the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from moorage.twin.repos import Blob, Stored


def grown(stored: Stored, oid: str, blobs: Mapping[str, Blob], *, ref: str) -> Stored:
    """The repository with one commit more, on `main` or on another reference."""
    if ref:
        repo = replace(stored.repo, refs={**stored.repo.refs, ref: oid})
        return replace(stored, repo=repo, earlier={**stored.earlier, oid: blobs})
    earlier = {**stored.earlier, stored.commit: stored.blobs}
    return replace(stored, commit=oid, blobs=blobs, earlier=earlier)


def merged(stored: Stored, ref: str) -> Stored:
    """The repository with a reference's commit on `main`."""
    commit = stored.repo.refs[ref]
    return grown(stored, commit, stored.at(commit), ref="")
