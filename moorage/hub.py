"""The one door to the Hugging Face Hub: a model id and a revision become `ModelFacts`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moorage.errors import Exit, MoorageError
from moorage.plan.facts import ModelFacts, RepoFile

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

DEADLINE_SECONDS = 15.0


def facts(
    model_id: str,
    revision: str | None = None,
    *,
    token: str | None = None,
    endpoint: str | None = None,
    deadline_s: float = DEADLINE_SECONDS,
) -> ModelFacts:
    """Ask once what the Hub says of a model at a revision (None: its main branch).

    Without `token` the usual one is used: HF_TOKEN, or the one that `hf auth login` saved.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    with _translated(model_id, revision, api.endpoint):
        info = api.model_info(model_id, revision=revision, files_metadata=True, timeout=deadline_s)
        return _facts(model_id, info, api.endpoint)


def _facts(model_id: str, info: ModelInfo, endpoint: str) -> ModelFacts:
    if not info.sha:
        message = f"{model_id}: the answer of {endpoint} names no commit; it is not the Hub's"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return ModelFacts(
        id=model_id,
        revision=info.sha,
        files=_files(info),
        license=_license(info),
        gated=info.gated or False,
        library=info.library_name,
        architecture=_architecture(info),
        asked_of=endpoint,
        asked_on=datetime.now(UTC).date().isoformat(),
    )


def _files(info: ModelInfo) -> tuple[RepoFile, ...]:
    return tuple(
        RepoFile(name=file.rfilename, size_bytes=file.lfs.size, sha256=file.lfs.sha256)
        for file in info.siblings or ()
        if file.lfs is not None
    )


def _license(info: ModelInfo) -> str | None:
    named = info.card_data.license if info.card_data else None
    if isinstance(named, str):
        return named
    prefix = "license:"
    return next(
        (tag.removeprefix(prefix) for tag in info.tags or () if tag.startswith(prefix)), None
    )


def _architecture(info: ModelInfo) -> str | None:
    named = (info.gguf or {}).get("architecture")
    if isinstance(named, str):
        return named
    listed = (info.config or {}).get("architectures") or ()
    return next((name for name in listed if isinstance(name, str)), None)


@contextmanager
def _translated(model_id: str, revision: str | None, endpoint: str) -> Iterator[None]:
    """The Hub's errors, and its transport's, as one line each."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # the client's own

    try:
        yield
    except (errors.HFValidationError, errors.HfHubHTTPError) as error:
        raise _refused(error, model_id, revision, endpoint) from error
    except (errors.OfflineModeIsEnabled, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        reason = _unreachable_because(error)
        message = f"{model_id}: the Hub ({endpoint}) cannot be reached: {reason}"
        raise MoorageError(message, exit_code=Exit.UNANSWERED) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"{model_id}: what answers at {endpoint} is not the Hub"
        raise MoorageError(message, exit_code=Exit.UNANSWERED) from error


def _refused(error: Exception, model_id: str, revision: str | None, endpoint: str) -> MoorageError:
    from huggingface_hub import errors

    if isinstance(error, errors.HFValidationError):
        return _problem(f"{model_id!r} cannot be the name of a repository (owner/name)")
    if isinstance(error, errors.GatedRepoError):
        return _problem(f"{model_id}: gated; ask for access at {endpoint}/{model_id}, set HF_TOKEN")
    if isinstance(error, errors.RevisionNotFoundError):
        return _problem(f"{model_id}: the Hub has no revision {revision!r} of it")
    if isinstance(error, errors.RepositoryNotFoundError):
        hint = "or it is private and HF_TOKEN may not read it"
        return _problem(f"{model_id}: the Hub has no such repository, {hint}")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return _problem(f"{model_id}: the Hub refuses the token; check HF_TOKEN ({status})")
    message = f"{model_id}: the Hub ({endpoint}) answered {status}; try again later"
    return MoorageError(message, exit_code=Exit.UNANSWERED)


def _problem(message: str) -> MoorageError:
    return MoorageError(message, exit_code=Exit.PROBLEMS)


def _unreachable_because(error: Exception) -> str:
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return "HF_HUB_OFFLINE is set"
    lines = str(error).splitlines() or [""]
    return lines[0] or type(error).__name__
