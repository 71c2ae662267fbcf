"""The facts about a repository that its card and its listing hold, without looking into files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from moorage.hub.door import Door, Repository
from moorage.hub.faults import give_up
from moorage.plan.facts import RepoFile
from moorage.plan.locks.licenses import own

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo, ModelInfo

    Info = ModelInfo | DatasetInfo

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LICENSE_TAG = "license:"
_MOST_LETTERS = 200
_LARGEST = 1 << 63


def model(door: Door, repo: Repository) -> ModelInfo:
    """What the Hub lists of a model, its files' sizes and digests included."""
    from huggingface_hub import ModelInfo

    return ModelInfo(**_asked(door, repo))  # type: ignore[no-untyped-call]


def dataset(door: Door, repo: Repository) -> DatasetInfo:
    """What the Hub lists of a dataset."""
    from huggingface_hub import DatasetInfo

    return DatasetInfo(**_asked(door, repo))  # type: ignore[no-untyped-call]


def _asked(door: Door, repo: Repository) -> dict[str, Any]:
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # made known lazily

    validate_repo_id(repo.id)
    answer: dict[str, Any] = door.json(repo.api, blobs="true")
    return answer


def commit(door: Door, repo_id: str, info: Info) -> str:
    """The commit that the asked revision stands for."""
    if not isinstance(info.sha, str) or _COMMIT.fullmatch(info.sha) is None:
        says = f"{repo_id}: the answer of {door.endpoint} names no commit; it is not the Hub's"
        give_up(says)
    return info.sha


def may_read(door: Door, repo: Repository) -> bool:
    """Whether the token may read the files of a gated repository."""
    from huggingface_hub.errors import GatedRepoError

    try:
        door.content(f"api/{repo.kind}/{repo.id}/auth-check", limit=1 << 16)
    except GatedRepoError:
        return False
    return True


def files(info: Info) -> tuple[RepoFile, ...]:
    """The files with a digest."""
    return tuple(
        RepoFile(name=file.rfilename, size_bytes=_size(file.lfs.size), sha256=_digest(file.lfs))
        for file in info.siblings or ()
        if file.lfs is not None and file.rfilename.isprintable()
    )


def sizes(info: Info) -> dict[str, int]:
    """Every file and how long it is."""
    files = (file for file in info.siblings or () if file.rfilename.isprintable())
    return {file.rfilename: _size(file.size or 0) for file in files}


def license_word(info: Info) -> str | None:
    """The licence as the Hub calls it; the author's own name for one that is on no list."""
    card = info.card_data
    named = card.get("license") if card else None
    if isinstance(named, list):
        return own("-and-".join(map(str, named))) if len(named) > 1 else text(next(iter(named), ""))
    word = text(named) or next(
        (tag.removeprefix(_LICENSE_TAG) for tag in info.tags or () if tag.startswith(_LICENSE_TAG)),
        None,
    )
    if word != "other":
        return word
    return own(text(card.get("license_name") if card else None) or "other")


def gated(info: Info) -> bool | str:
    """How access is given, where one must ask for it."""
    if not info.gated:
        return False
    return "auto" if info.gated == "auto" else "manual"


def architecture(info: ModelInfo) -> str | None:
    """The architecture as the listing says it."""
    named = text((info.gguf or {}).get("architecture"))
    return named or next(filter(text, listed((info.config or {}).get("architectures"))), None)


def listed(value: object) -> list[Any]:
    """The value where it is a list."""
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """The value where it is a text that people can read, of reasonable length."""
    good = isinstance(value, str) and 0 < len(value) <= _MOST_LETTERS and value.isprintable()
    return str(value) if good else None


def without_password(endpoint: str) -> str:
    """An address as anybody may read it."""
    parts = urlsplit(endpoint)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _size(value: object) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        message = f"{value!r} is not the size of a file"
        raise ValueError(message)
    return value


def _digest(lfs: Any) -> str:
    if _SHA256.fullmatch(lfs.sha256) is None:
        message = "not a digest"
        raise ValueError(message)
    return str(lfs.sha256)
