"""The twin does what it claims; every claim has its check, its source and its confidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moorage.twin.face import Fault
from tests.contract.behaviours import CONFIDENCES, Behaviour, behaviours
from tests.contract.register import CHECKS, twin
from tests.contract.run import HOLDS, SHORT, judged, on_the_twin

# Each claim of a process starts one, which takes a second; these are tried in every run.
SAMPLE = {"process.v1-needs-the-key", "process.counters-tell-a-hang", "process.sigterm-drains"}
CLAIMS = [
    pytest.param(
        one,
        id=one.id,
        marks=pytest.mark.thorough
        if one.id.startswith("process.") and one.id not in SAMPLE
        else (),
    )
    for one in behaviours()
]


@pytest.mark.parametrize("behaviour", CLAIMS)
def test_the_twin_behaves_as_claimed(behaviour: Behaviour) -> None:
    (finding,) = on_the_twin([behaviour])
    assert finding.verdict == HOLDS, finding.says


@pytest.mark.parametrize("behaviour", behaviours(), ids=lambda one: one.id)
def test_no_check_holds_of_a_service_that_answers_nonsense(behaviour: Behaviour) -> None:
    check = CHECKS[behaviour.id]
    nonsense = Fault(times=None, status=299, body={"status": {"state": "?"}})
    with twin(replace(check.scenario, faults=(nonsense,))) as place:
        place.wait_s = 0.05
        place.engines.instead = place.urls["endpoints"]
        assert judged(behaviour, check, place).verdict == SHORT


def test_behaviours_and_checks_name_the_same() -> None:
    assert {one.id for one in behaviours()} == set(CHECKS)
    assert len({one.id for one in behaviours()}) == len(behaviours())


def test_every_claim_says_where_it_is_known_from() -> None:
    for one in behaviours():
        assert one.what, one.id
        assert one.evidence, one.id
        assert one.confidence in CONFIDENCES, one.id
