"""A sample of the scenarios in every test run; `make scenarios` plays them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.run import played
from tests.scenarios.story import Scenario
from tests.scenarios.table import SCENARIOS, THEMES

SAMPLE = [one for one in SCENARIOS.values() if one.sample]


def test_every_scenario_has_a_name_of_its_own() -> None:
    assert len(SCENARIOS) == sum(map(len, THEMES))


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("story", SAMPLE, ids=lambda one: one.name)
def test_as_expected(story: Scenario, tmp_path: Path) -> None:
    verdict = played(story, tmp_path)
    assert not verdict.problems, "\n".join(verdict.problems)
