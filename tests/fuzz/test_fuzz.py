"""A bounded share of `make fuzz`: spoilt specs, locks and policies end in problems or plans."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.mutate import spoil
from tests.fuzz.run import policies, run


@pytest.mark.parametrize("seed", [1, 2])
def test_no_spoilt_spec_lock_or_policy_crashes_the_judge(seed: int) -> None:
    found = run(600, seed)
    assert found.mutants == 600
    assert found.crashes == []


def test_the_same_seed_spoils_in_the_same_way() -> None:
    text = policies()[0]
    once, again = (spoil(text, random.Random("7")) for _ in range(2))
    assert once == again != text
