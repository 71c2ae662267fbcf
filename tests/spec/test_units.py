"""Units: what is written is what is meant, and nothing is guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.spec import units


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("800ms", 800), ("2s", 2000), ("1.5s", 1500), ("30m", 1_800_000), ("1h", 3_600_000)],
)
def test_a_duration_has_its_unit(text: str, milliseconds: float) -> None:
    assert units.duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["800", "2 s", "-1s", "1w", "1s ", "1s\n", "", "٣s", "1_0s", "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        units.duration_ms(text)


@pytest.mark.parametrize(
    ("text", "share"), [("0.5%", 0.005), ("0%", 0), ("100%", 1), ("99.9%", 0.999)]
)
def test_a_percentage_is_a_share(text: str, share: float) -> None:
    assert units.share(text) == share


@pytest.mark.parametrize("text", ["0.5", "101%", "100.1%", "-1%", "% ", "1 %", "1%\n"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a percentage"):
        units.share(text)


@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        ("duration", "800", "write the unit: 800ms or 800s"),
        ("duration", "40 ms", "write 40ms"),
        ("duration", "5 seconds", "write 5s"),
        ("duration", "soon", ""),
        ("percent", "0.5", "write 0.5%, or 50% where it is a share"),
        ("percent", "30", "write 30%"),
        ("money", "2.5k", "write 2500"),
        ("money", "$1,000.50", "write 1000.50"),
        ("money", "20 USD", "write 20"),
        ("money", "plenty", ""),
    ],
)
def test_a_near_miss_is_put_right(kind: str, text: str, hint: str) -> None:
    assert units.hint(kind, text) == hint


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_money_keeps_every_cent(amount: Decimal) -> None:
    assert units.money(str(amount)) == amount


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h"]))
def test_every_whole_duration_is_exact(number: int, unit: str) -> None:
    factor = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[unit]
    assert units.duration_ms(f"{number}{unit}") == number * factor


@settings(max_examples=100)
@given(st.sampled_from(["duration", "percent", "money", "other"]), st.text(max_size=40))
def test_a_hint_never_fails(kind: str, text: str) -> None:
    assert isinstance(units.hint(kind, text), str)
