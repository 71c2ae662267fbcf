"""The cache that is there, judged by the cache that was planned."""

from __future__ import annotations

import pytest

from moorage.provider.serving.loop import compare


@pytest.mark.parametrize(
    ("tokens", "within", "says"),
    [
        (100_000, True, "100,000 KV tokens, +0.0% of the 100,000 planned"),
        (180_000, True, "180,000 KV tokens, +80.0% of the 100,000 planned"),
        (95_000, True, "95,000 KV tokens, -5.0% of the 100,000 planned"),
        (94_000, False, "94,000 KV tokens, -6.0% of the 100,000 planned, more than 5% too few"),
    ],
)
def test_too_few_tokens_fail_and_more_are_told(tokens: int, within: bool, says: str) -> None:
    loop = compare(tokens, 100_000, 0.05)
    assert (loop.within, loop.says) == (within, says)


def test_where_nothing_was_planned_nothing_is_judged() -> None:
    loop = compare(1000, 0, 0.05)
    assert (loop.within, loop.difference) == (True, 0.0)
