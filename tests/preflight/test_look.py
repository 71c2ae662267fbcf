"""The table as a whole: its questions, its lines, and services that do not answer."""

from __future__ import annotations

from typing import Any

import pytest

from moorage import preflight
from moorage.errors import Exit, MoorageError
from moorage.plan.types import Placement
from moorage.spec.types import App
from moorage.twin import face
from tests.preflight.tables import (
    ENDPOINT,
    MODEL,
    OFFER,
    ROUTER,
    Start,
    a_plan,
    bad,
    look,
    table,
)


def test_what_can_be_had_is_ok_in_few_questions(start: Start) -> None:
    twin = start()
    rows = table(ENDPOINT, ROUTER)
    assert not bad(rows)
    assert rows["account acme"].there == "write"
    assert rows["nvidia-l4-x1 in aws eu-west-1"].there == "available"
    assert rows["nvidia-l4-x1 at $0.800 an hour"].there == "$0.800 an hour"
    assert rows["2 aws nvidia-l4 for acme"].there == "8 of 8 left"
    assert rows[f"{MODEL} at together"].there == "live"
    assert len(twin.requests) <= 8
    assert {request.method for request in twin.requests} == {"GET"}


@pytest.mark.parametrize("does", ["answer", "drop", "garbage"])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("hub", "whoami"),
        ("hub", "auth-check"),
        ("hub", "/revision/"),
        ("endpoints", "/v2/provider/"),
        ("endpoints", "/v2/endpoint/"),
    ],
)
def test_a_service_that_does_not_answer_ends_it(
    host: str, path: str, does: str, start: Start
) -> None:
    twin = start()
    twin.faults.append(face.Fault(host=host, path=path, does=does, status=503))
    assert not bad(table(ENDPOINT))  # once is nothing
    twin.faults.append(face.Fault(host=host, path=path, does=does, status=503, times=None))
    with pytest.raises(MoorageError, match="does not answer") as silent:
        table(ENDPOINT)
    assert silent.value.exit_code == Exit.UNANSWERED
    assert "\n" not in str(silent.value)
    assert "hf_twin" not in str(silent.value)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 422, 429, 500, 504])
@pytest.mark.parametrize("path", ["/whoami", "/auth-check", "/revision/", "provider/", "endpoint/"])
def test_any_status_is_a_row_or_one_clear_line(path: str, status: int, start: Start) -> None:
    """And never a verdict that all is well."""
    twin = start()
    twin.faults.append(face.Fault(path=path, does="answer", status=status, times=None))
    told = ended()
    if isinstance(told, MoorageError):
        assert "\n" not in str(told)
        assert told.exit_code == Exit.UNANSWERED
    else:
        assert "problem" in told.values()


def test_what_was_asked_too_often_is_no_broken_network(start: Start) -> None:
    twin = start()
    twin.faults.append(face.Fault(path="/whoami", does="answer", status=429, times=None))
    line = str(ended())
    assert line.endswith("/api/whoami-v2 was asked too often (429); run it again in some minutes")


@pytest.mark.parametrize("body", [{}, [], {"vendors": [{}]}, {"vendors": 7}, "text"])
def test_an_answer_of_another_form_is_as_good_as_none(body: Any, start: Start) -> None:
    twin = start()
    twin.faults.append(face.Fault(path="/v2/provider/", does="answer", status=200, body=body))
    twin.faults.append(
        face.Fault(path="/v2/provider/", does="answer", status=200, body=body, times=None)
    )
    with pytest.raises(MoorageError, match="does not answer"):
        table(ENDPOINT)


def test_the_table_is_one_line_each_and_sums_up(start: Start) -> None:
    start()
    report = look(a_plan(ENDPOINT), prices={OFFER: "0.7"})
    lines = preflight.text(report).splitlines()
    assert lines[0].split() == ["asked", "there", "what", "to", "do"]
    assert len(lines) == len(report.rows) + 2
    assert lines[-1] == f"preflight: {len(report.rows)} asked, 0 problems, 1 warning"
    told = preflight.as_json(report)
    assert told["fine"] is True
    assert told["rows"][0]["asked"] == "a token that deploys"


def test_plans_without_hugging_face_concern_nobody() -> None:
    local = Placement(name="local-1", kind="local")
    assert not preflight.concerned([a_plan(local)])
    assert preflight.concerned([a_plan(local, app=App())])
    assert preflight.concerned([a_plan(local, ROUTER)])


def ended() -> dict[str, str] | MoorageError:
    try:
        return bad(table(ENDPOINT))
    except MoorageError as error:
        return error
