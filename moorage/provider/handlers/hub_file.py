"""One file of the Hugging Face Hub: from the usual cache, or downloaded with progress."""

from __future__ import annotations

import io
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Cancelled, Context

_PATIENCE_S: Final = 3.0  # to find out whether the Hub is there at all
_BELIEVED_S: Final = 30.0  # before it is found out again
_REPORT_EVERY_S: Final = 0.5
_SERVER_FAULT: Final = 500
_TRUE: Final = frozenset({"1", "on", "yes", "true"})

Report = Callable[[float, float | None], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class HubFile:
    """A file at a revision of a repository."""

    repo: str
    revision: str
    file: str

    def __str__(self) -> str:
        return f"{self.repo}/{self.file}"


def cached(wanted: HubFile) -> Path | None:
    """The file, when it is in the cache already."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(wanted.repo, wanted.file, revision=wanted.revision)
    return Path(found) if isinstance(found, str) else None


def absence() -> str | None:
    """Why the Hub cannot be asked now; None when it answers."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE:
        return "HF_HUB_OFFLINE is set"
    return _absence_of(_endpoint(), int(time.monotonic() / _BELIEVED_S))


def download(wanted: HubFile, context: Context) -> Path:
    """Fetch the file into the cache; what a former try has fetched is not fetched again."""
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import logging

    set_quiet: Any = logging.set_verbosity_error
    set_quiet()  # its warnings would stand among the engine's lines
    try:
        path = hf_hub_download(
            wanted.repo,
            wanted.file,
            revision=wanted.revision,
            endpoint=_endpoint(),
            tqdm_class=_bar(_reporter(wanted, context)),
        )
    except (OSError, ValueError, httpx2.HTTPError) as error:
        raise MoorageError(_explained(error, wanted), exit_code=Exit.UNANSWERED) from error
    return Path(path)


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


@cache
def _absence_of(endpoint: str, _period: int) -> str | None:
    """Asked once for all files of a run; in a thread, since a name may take long to resolve."""
    answers: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=lambda: answers.put(_knock(endpoint)), daemon=True).start()
    try:
        return answers.get(timeout=_PATIENCE_S)
    except queue.Empty:
        return f"{endpoint} does not answer within {_PATIENCE_S:.0f} s"


def _knock(endpoint: str) -> str | None:
    request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310  the user's own setting
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S):  # noqa: S310
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{endpoint} answers {error.code}" if error.code >= _SERVER_FAULT else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"{endpoint} cannot be reached: {getattr(reason, 'strerror', None) or reason}"


def _reporter(wanted: HubFile, context: Context) -> Report:
    reported_s = 0.0

    def report(done: float, total: float | None) -> None:
        nonlocal reported_s
        if context.cancelled.is_set():
            raise Cancelled
        if context.remaining_s() == 0:
            message = f"{wanted}: not downloaded in time; run up again, it goes on where it stopped"
            raise MoorageError(message, exit_code=Exit.UNANSWERED)
        if time.monotonic() - reported_s >= _REPORT_EVERY_S:
            reported_s = time.monotonic()
            context.progress(f"downloading {wanted}: {_share(done, total)}")

    return report


def _share(done: float, total: float | None) -> str:
    megabytes = 1e6
    if not total:
        return f"{done / megabytes:.1f} MB"
    return f"{done / megabytes:.1f} of {total / megabytes:.1f} MB ({done / total:.0%})"


def _bar(report: Report) -> type[Any]:
    """A progress bar class as huggingface_hub wants it, which draws nothing and reports."""
    from tqdm.std import tqdm  # type: ignore[import-untyped]

    class Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
        monitor_interval = 0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "file": io.StringIO()})

        def display(self, *_args: Any, **_kwargs: Any) -> bool:
            return True

        def update(self, n: float | None = 1) -> bool | None:
            drawn: bool | None = super().update(n)
            report(self.n, self.total)
            return drawn

    return Bar


def _explained(error: Exception, wanted: HubFile) -> str:
    from huggingface_hub import errors

    page = f"{_endpoint()}/{wanted.repo}"
    if isinstance(error, errors.GatedRepoError):
        return f"{wanted.repo}: gated; accept its terms at {page} and set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{wanted.repo}: no such repository, or a private one; check it, or set HF_TOKEN"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{wanted.repo}: has no revision {wanted.revision}; take a commit from {page}"
    if isinstance(error, errors.EntryNotFoundError):
        return f"{wanted}: no such file at {wanted.revision}; see {page}/tree/{wanted.revision}"
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return f"{wanted}: the Hub answers {error.response.status_code}; run up again later"
    lines = str(error).splitlines() or [""]
    cause = getattr(error, "strerror", None) or lines[0] or "the connection broke off"
    return f"{wanted}: not downloaded: {cause}; run up again, it goes on where it stopped"
