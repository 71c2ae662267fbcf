"""A job of CI is asked after where CI itself answers, with a token that goes nowhere else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from moorage.deploy.locking import jobs
from moorage.deploy.locking.jobs import Answer, Job


@dataclass
class Ci:
    """A CI that answers what it is told to, and keeps what it was asked."""

    url: str = ""
    status: int = 200
    body: Any = None
    location: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def ci() -> Iterator[Ci]:
    ci = Ci()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ci.asked.append((self.path, dict(self.headers)))
            body = json.dumps(ci.body).encode()
            self.send_response(ci.status)
            self.send_header("Content-Length", str(len(body)))
            if ci.location:
                self.send_header("Location", ci.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        ci.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield ci
        server.shutdown()
        thread.join()


def github(ci: Ci, **others: str) -> dict[str, str]:
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": ci.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "team/models",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_JOB": "deploy",
        "GITHUB_TOKEN": "ghs-secret",
    }
    return {**environ, **others}


def gitlab(ci: Ci, **others: str) -> dict[str, str]:
    environ = {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": ci.url,
        "CI_PROJECT_ID": "12",
        "CI_JOB_ID": "34",
        "CI_JOB_NAME": "deploy",
        "CI_JOB_URL": "https://gitlab.example/team/models/-/jobs/34",
        "CI_JOB_TOKEN": "glcbt-secret",
    }
    return {**environ, **others}


def job(environ: dict[str, str]) -> Job:
    found = jobs.current(environ)
    assert found is not None
    return found


def ended(theirs: dict[str, str], ours: dict[str, str]) -> bool | None:
    return asked_of(theirs, ours).ended


def asked_of(theirs: dict[str, str], ours: dict[str, str]) -> Answer:
    return jobs.ask(job(theirs), jobs.current(ours), ours)


def test_no_ci_is_no_job() -> None:
    assert jobs.current({"GITHUB_TOKEN": "t", "CI": "true"}) is None


def test_a_later_attempt_of_the_same_run_proves_the_earlier_one_dead(ci: Ci) -> None:
    assert ended(github(ci), github(ci, GITHUB_RUN_ATTEMPT="2")) is True
    assert not ci.asked


@pytest.mark.parametrize(
    ("status", "expected"), [("completed", True), ("in_progress", False), ("queued", False)]
)
def test_github_tells_of_the_attempt(ci: Ci, status: str, expected: bool) -> None:
    ci.body = {"status": status}
    assert ended(github(ci), github(ci, GITHUB_RUN_ID="78")) is expected
    path, headers = ci.asked[0]
    assert path == "/repos/team/models/actions/runs/77/attempts/1"
    assert headers["Authorization"] == "Bearer ghs-secret"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("success", True), ("failed", True), ("canceled", True), ("running", False)],
)
def test_gitlab_tells_of_the_job(ci: Ci, status: str, expected: bool) -> None:
    ci.body = {"status": status}
    assert ended(gitlab(ci), gitlab(ci, CI_JOB_ID="35")) is expected
    path, headers = ci.asked[0]
    assert path == "/projects/12/jobs/34"
    assert headers["Job-Token"] == "glcbt-secret"


@pytest.mark.parametrize(
    ("status", "body"), [(404, {}), (500, {}), (200, []), (200, {"status": None}), (200, "x")]
)
def test_a_ci_that_does_not_tell_leaves_it_open(ci: Ci, status: int, body: Any) -> None:
    ci.status, ci.body = status, body
    assert ended(github(ci), github(ci, GITHUB_RUN_ID="78")) is None


def test_a_ci_that_cannot_be_reached_leaves_it_open(ci: Ci) -> None:
    closed = replace(ci, url="http://127.0.0.1:1")
    assert ended(github(closed), github(closed, GITHUB_RUN_ID="78")) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"nothing of the kind\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_a_ci_that_breaks_off_leaves_it_open(ci: Ci, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as asked:
                asked.recv(4096)
                asked.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        cut = replace(ci, url=f"http://127.0.0.1:{server.getsockname()[1]}")
        found = asked_of(github(cut), github(cut, GITHUB_RUN_ID="78"))
    assert found.ended is None
    assert found.why == "GitHub does not tell how its job goes (no answer that can be read)"


@pytest.mark.parametrize("token", ["ghs-secret\n", "ghs-secret\nand more", "ghs-secret\N{BULLET}"])
def test_a_token_that_cannot_be_sent_is_not_shown(ci: Ci, token: str) -> None:
    ci.body = {"status": "completed"}
    found = asked_of(github(ci), github(ci, GITHUB_RUN_ID="78", GITHUB_TOKEN=token))
    assert found.ended is (True if token.strip() == "ghs-secret" else None)
    assert "ghs" not in found.why


def test_a_lease_does_not_decide_where_the_token_goes(ci: Ci) -> None:
    """Whoever can write a lease must not get to see what this job may do."""
    elsewhere = replace(ci, url="http://ci.invalid")
    assert ended(github(ci), github(elsewhere, GITHUB_RUN_ID="78")) is None
    assert ended(github(ci, GITHUB_REPOSITORY="../../x?y"), github(ci)) is None
    assert ended(github(ci, GITHUB_RUN_ID="1/../2"), github(ci)) is None
    assert ended(gitlab(ci), github(ci)) is None
    assert not ci.asked


def test_the_token_does_not_follow_where_an_answer_points(ci: Ci) -> None:
    ci.status, ci.location = 302, f"{ci.url}/elsewhere"
    assert ended(github(ci), github(ci, GITHUB_RUN_ID="78")) is None
    assert len(ci.asked) == 1


def test_a_job_elsewhere_is_named_and_cannot_be_asked(ci: Ci) -> None:
    environ = {"BUILD_URL": "https://jenkins.example/job/7/", "BUILD_ID": "7"}
    assert str(job(environ)) == "CI job 7 (https://jenkins.example/job/7/)"
    assert ended(environ, environ) is None
    assert "attempts/1" in str(job(github(ci)))
    assert "secret" not in repr(job(github(ci))) + repr(job(gitlab(ci)))
