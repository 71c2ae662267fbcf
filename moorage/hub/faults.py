"""The faults of the Hub, and of the way to it, as one line each with the right exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from moorage.errors import Exit, MoorageError


def refuse(message: str) -> NoReturn:
    """The Hub answered, and the answer is something to mend in the spec."""
    raise MoorageError(message, exit_code=Exit.PROBLEMS)


def give_up(message: str) -> NoReturn:
    """The Hub did not answer, or something else did."""
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


@contextmanager
def translated(repo: str, revision: str | None, endpoint: str) -> Iterator[None]:
    """The Hub's errors, and its transport's, as one line each."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # the client's own

    try:
        yield
    except (errors.HFValidationError, errors.HfHubHTTPError) as error:
        _tell(error, repo, revision, endpoint)
    except (errors.OfflineModeIsEnabled, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        give_up(f"{repo}: the Hub ({endpoint}) cannot be reached: {_because(error)}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        give_up(f"{repo}: what answers at {endpoint} is not the Hub")


def _tell(error: Exception, repo: str, revision: str | None, endpoint: str) -> NoReturn:
    from huggingface_hub import errors

    if isinstance(error, errors.HFValidationError):
        refuse(f"{repo!r} cannot be the name of a repository (owner/name)")
    if isinstance(error, errors.GatedRepoError):
        refuse(f"{repo}: gated; ask for access at {endpoint}/{repo}, set HF_TOKEN")
    if isinstance(error, errors.RevisionNotFoundError):
        refuse(f"{repo}: the Hub has no revision {revision!r} of it")
    if isinstance(error, errors.RepositoryNotFoundError):
        hint = "or it is private and HF_TOKEN may not read it"
        refuse(f"{repo}: the Hub has no such repository, {hint}")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        refuse(f"{repo}: the Hub refuses the token; check HF_TOKEN ({status})")
    give_up(f"{repo}: the Hub ({endpoint}) answered {status}; try again later")


def _because(error: Exception) -> str:
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return "HF_HUB_OFFLINE is set"
    lines = str(error).splitlines() or [""]
    return lines[0] or type(error).__name__
