"""Jobs of CI that hold a stack: which one this is, and whether another one has ended.

Only the CI that this process itself runs in is asked, at the address that it gave to us:
what stands in a lease decides neither where a token goes nor what is asked there.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

DEADLINE_S = 5.0
GITLAB_ENDED = frozenset({"success", "failed", "canceled", "skipped"})
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One job of a CI."""

    kind: str  # github, gitlab or other
    api: str  # where its CI answers
    project: str
    run: str
    attempt: str = ""
    name: str = ""
    page: str = ""  # where a person sees it

    def __str__(self) -> str:
        return f"CI job {self.name or self.run}{f' ({self.page})' if self.page else ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Whether a job has ended (None where nobody can tell), and who says so."""

    ended: bool | None
    why: str


def current(environ: Mapping[str, str]) -> Job | None:
    """The job of CI that this process belongs to."""
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        return _github(environ)
    if environ.get("GITLAB_CI") == "true" and environ.get("CI_JOB_ID"):
        return _gitlab(environ)
    page = environ.get("BUILD_URL") or environ.get("CIRCLE_BUILD_URL")
    if page:
        return Job(kind="other", api="", project="", run=environ.get("BUILD_ID", ""), page=page)
    return None


def _github(environ: Mapping[str, str]) -> Job:
    repository, run = environ.get("GITHUB_REPOSITORY", ""), environ["GITHUB_RUN_ID"]
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "1")
    return Job(
        kind="github",
        api=environ.get("GITHUB_API_URL", "https://api.github.com"),
        project=repository,
        run=run,
        attempt=attempt,
        name=environ.get("GITHUB_JOB", ""),
        page=f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}",
    )


def _gitlab(environ: Mapping[str, str]) -> Job:
    return Job(
        kind="gitlab",
        api=environ.get("CI_API_V4_URL", ""),
        project=environ.get("CI_PROJECT_ID", ""),
        run=environ["CI_JOB_ID"],
        name=environ.get("CI_JOB_NAME", ""),
        page=environ.get("CI_JOB_URL", ""),
    )


def ask(job: Job, ours: Job | None, environ: Mapping[str, str] = os.environ) -> Answer:
    """Whether a job has ended: by what we know of our own, else by what its CI says."""
    if ours is None or (ours.kind, ours.api) != (job.kind, job.api):
        return Answer(ended=None, why="its CI does not answer to us")
    asker = ASKERS.get(job.kind)
    if asker is None:
        return Answer(ended=None, why="its CI cannot be asked")
    return asker(job, ours, environ)


def _ask_github(job: Job, ours: Job, environ: Mapping[str, str]) -> Answer:
    same_run = (job.project, job.run) == (ours.project, ours.run)
    if same_run and _number(ours.attempt) > _number(job.attempt):
        # GitHub starts an attempt only once the one before has ended.
        return Answer(ended=True, why=f"attempt {ours.attempt} of its run goes on in its place")
    numbers = (job.run, job.attempt)
    if not REPOSITORY.fullmatch(job.project) or not all(map(NUMBER.fullmatch, numbers)):
        return Answer(ended=None, why="its CI job is named in no way that GitHub knows")
    token = _token(environ, "GITHUB_TOKEN")
    url = f"{ours.api}/repos/{job.project}/actions/runs/{job.run}/attempts/{job.attempt}"
    headers = {"Accept": "application/vnd.github+json"}
    told = _get(url, {**headers, "Authorization": f"Bearer {token}"} if token else headers)
    return _answer("GitHub", told, lambda status: status == "completed")


def _ask_gitlab(job: Job, ours: Job, environ: Mapping[str, str]) -> Answer:
    if not all(map(NUMBER.fullmatch, (job.project, job.run))):
        return Answer(ended=None, why="its CI job is named in no way that GitLab knows")
    token, own = _token(environ, "CI_JOB_TOKEN"), _token(environ, "GITLAB_TOKEN")
    headers = {"PRIVATE-TOKEN": own} if own else {"JOB-TOKEN": token} if token else {}
    told = _get(f"{ours.api}/projects/{job.project}/jobs/{job.run}", headers)
    return _answer("GitLab", told, GITLAB_ENDED.__contains__)


ASKERS: dict[str, Callable[[Job, Job, Mapping[str, str]], Answer]] = {
    "github": _ask_github,
    "gitlab": _ask_gitlab,
}


def _answer(ci: str, told: Any, has_ended: Callable[[str], bool]) -> Answer:
    status = told.get("status") if isinstance(told, dict) else None
    if not isinstance(status, str):
        reason = told if isinstance(told, str) else "it names no status"
        return Answer(ended=None, why=f"{ci} does not tell how its job goes ({reason})")
    return Answer(ended=has_ended(status), why=f"{ci} says its job is {status}")


def _token(environ: Mapping[str, str], name: str) -> str:
    """A token without the line end that it may have from a file."""
    return environ.get(name, "").strip()


def _get(url: str, headers: Mapping[str, str]) -> Any:
    """The JSON at an address, or in words why there is none."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return "no address"
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 (checked above)
    try:
        with _OPENER.open(request, timeout=DEADLINE_S) as response:
            return json.loads(response.read(1_000_000))
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except OSError as error:
        return " ".join(str(getattr(error, "reason", error)).split()) or "no answer"
    except (HTTPException, ValueError):  # which repeats a header that it cannot send: the token
        return "no answer that can be read"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token goes where it belongs and nowhere else."""

    def redirect_request(self, *_args: Any, **_words: Any) -> None:
        """Follow nothing."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def _number(text: str) -> int:
    return int(text) if NUMBER.fullmatch(text) else 0
