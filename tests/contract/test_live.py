"""A run against the real service spends no more than it may and leaves nothing; a twin plays it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from moorage.errors import MoorageError
from moorage.twin import face
from tests.contract import live
from tests.contract.__main__ import main
from tests.contract.behaviours import behaviours
from tests.contract.live import Terms, estimate_usd, findings, terms
from tests.contract.register import REPOS
from tests.contract.run import HOLDS, SHORT, UNCHECKED, chosen

BOTH = {live.TOKEN: "hf_twin_ann", live.CAP: "1"}
TERMS = Terms(
    token="hf_twin_ann", foreign="hf_twin_zoe", cap_usd=Decimal(1), namespace="acme", look_s=0.01
)


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    with face.serve(face.Scenario(repos=REPOS)) as running:
        for key, value in running.environment().items():
            monkeypatch.setenv(key, value)
        yield running


def quiet(_text: str) -> None:
    pass


def test_everything_that_can_be_asked_live_is_asked_on_one_endpoint(twin: face.Twin) -> None:
    found = list(findings(TERMS, behaviours(), quiet))
    verdicts = {finding.behaviour.id: (finding.verdict, finding.says) for finding in found}
    for behaviour in behaviours():
        wanted = (HOLDS, "") if behaviour.is_live else (UNCHECKED, behaviour.unlive)
        assert verdicts[behaviour.id] == wanted
    born = [endpoint for endpoint in twin.endpoints.gone if "running" in endpoint.history]
    assert len(born) == 1
    assert not twin.endpoints


def test_what_should_have_been_refused_does_not_stay_either(twin: face.Twin) -> None:
    """A service that takes a name of 33 characters has an endpoint of it then."""
    answer = {"name": "n" * 33, "status": {"state": "pending"}}
    twin.faults.append(face.Fault(method="POST", path="/v2/", status=202, body=answer))
    (found,) = findings(TERMS, chosen("create.long-name-refused"), quiet)
    assert found.verdict == SHORT
    deleted = [one.path for one in twin.requests if one.method == "DELETE"]
    assert deleted == [f"/v2/endpoint/acme/{'n' * 33}"]


def test_an_interrupted_run_takes_its_endpoint_away(twin: face.Twin) -> None:
    running = findings(TERMS, chosen("put."), quiet)
    next(one for one in running if one.verdict == HOLDS)
    assert len(twin.endpoints) == 1
    running.close()  # type: ignore[attr-defined]
    assert not twin.endpoints


def test_what_would_not_go_is_named(twin: face.Twin) -> None:
    said: list[str] = []
    running = findings(TERMS, chosen("life.real"), said.append)
    assert next(running).verdict == HOLDS
    twin.faults.append(face.Fault(method="DELETE", times=None, status=500))
    list(running)
    assert any("LEFT OVER: acme/moorage-ct-" in line for line in said)


def test_a_cap_below_the_estimate_creates_nothing(twin: face.Twin) -> None:
    small = Terms(token="hf_twin_ann", cap_usd=Decimal("0.01"), namespace="acme")
    with pytest.raises(MoorageError, match="may cost"):
        list(findings(small, chosen("life.real"), quiet))
    assert not [one for one in twin.requests if one.method == "POST"]


def test_after_the_deadline_nothing_more_is_asked(twin: face.Twin) -> None:
    late = Terms(token="hf_twin_ann", cap_usd=Decimal(1), namespace="acme", deadline_s=1e-6)
    (found,) = findings(late, chosen("life.real"), quiet)
    assert (found.verdict, found.says) == (UNCHECKED, "the deadline is over")


def test_differences_are_written_down(
    twin: face.Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in BOTH.items():
        monkeypatch.setenv(key, value)
    twin.faults.append(face.Fault(host="router", status=418))
    file = tmp_path / "differences.json"
    assert main(["--only", "router.no-token", "--differences", str(file)]) == 1
    (difference,) = json.loads(file.read_text())
    assert difference["behaviour"]["id"] == "router.no-token"
    assert "418" in difference["says"]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({live.TOKEN: "hf"}, "belong together"),
        ({live.CAP: "1"}, "belong together"),
        ({**BOTH, live.CAP: "a lot"}, "must be a number"),
        ({**BOTH, live.CAP: "-1"}, "above 0"),
        ({**BOTH, live.CAP: "nan"}, "must be a number"),
        ({**BOTH, live.DEADLINE: "soon"}, live.DEADLINE),
    ],
)
def test_half_of_the_terms_are_none(environ: dict[str, str], says: str) -> None:
    with pytest.raises(MoorageError, match=says):
        terms(environ)


def test_terms_are_asked_for_by_both_or_not_at_all() -> None:
    assert terms({}) is None
    told = terms(BOTH)
    assert told is not None
    assert "hf_twin_ann" not in repr(told)


def test_the_estimate_is_for_two_endpoints_to_the_cent_above() -> None:
    assert estimate_usd(Decimal("0.033"), 2700) == Decimal("0.05")


def test_a_word_that_no_behaviour_has_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "no-such-thing"]) == 2
    assert "no behaviour has" in capsys.readouterr().err
