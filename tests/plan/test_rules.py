"""The registry of rules, and what no story tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.plan.address import reach
from moorage.plan.fleet import FLEET_RULES
from moorage.plan.rules import RULES
from tests.plan.test_cases import CASES

TOLD = "".join(path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*/problems.txt")))


@pytest.mark.parametrize("rule", sorted([*RULES, *FLEET_RULES]))
def test_every_rule_has_a_story(rule: str) -> None:
    assert f" {rule}: " in TOLD or f" {rule} (warning): " in TOLD


def test_every_rule_is_said_in_one_line() -> None:
    said = [(rule.says, rule.severity) for rule in RULES.values()]
    said += [(rule.says, rule.severity) for rule in FLEET_RULES.values()]
    for says, severity in said:
        assert says
        assert "\n" not in says
        assert severity in ("error", "warning")


@pytest.mark.parametrize(
    ("url", "distance"),
    [
        ("http://127.0.0.1:11434/v1", "loopback"),
        ("http://localhost/v1", "loopback"),
        ("http://[::1]:8000/v1", "loopback"),
        ("http://10.1.2.3/v1", "private"),
        ("http://192.168.0.9/v1", "private"),
        ("http://gpu-box:8000/v1", "private"),
        ("https://llm.lan/v1", "private"),
        ("https://api.example.com/v1", "public"),
        ("https://8.8.8.8/v1", "public"),
        ("https://localhost.example.com/v1", "public"),
        ("http://[fe80::1/v1", "public"),
        ("http://0.0.0.0/v1", "public"),
    ],
)
def test_the_distance_of_an_address_is_known(url: str, distance: str) -> None:
    assert reach(url) == distance


def test_stories_leave_no_stray_files() -> None:
    for story in CASES.iterdir():
        assert {path.suffix for path in Path(story).iterdir()} <= {
            ".yaml",
            ".json",
            ".txt",
            ".gguf",
        }
