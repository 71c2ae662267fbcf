"""The registry of rules, and what no story tells."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from moorage.plan.choice.address import reach
from moorage.plan.fleet import FLEET_RULES
from moorage.plan.rules import RULES
from tests.plan.test_cases import CASES

FLEETS_PUT_RIGHT = {
    "name-clash": "lets-two-services-have-two-names",
    "host-port-clash": "lets-two-services-have-two-ports",
    "published-twice": "lets-two-services-publish-two-repositories",
    "team-budget": "lets-a-team-spend-its-budget",
    "total-budget": "lets-services-spend-the-total-budget",
    "gpu-total": "lets-services-share-the-gpus",
    "device-clash": "lets-two-services-share-a-host",
}


def told(story: Path) -> dict[str, str]:
    """What is said of each file of a story."""
    path = story / "problems.txt"
    said: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        file = line.partition(":")[0]
        said[file] = said.get(file, "") + f"{line}\n"
    return said


TOLD = {story: told(story) for story in sorted(CASES.iterdir())}


def speaks(rule: str, text: str) -> bool:
    return f" {rule}: " in text or f" {rule} (warning): " in text


@pytest.mark.parametrize("rule", sorted([*RULES, *FLEET_RULES]))
def test_every_rule_has_a_story(rule: str) -> None:
    assert any(speaks(rule, text) for said in TOLD.values() for text in said.values())


@pytest.mark.parametrize("rule", sorted(RULES))
def test_beside_the_mistake_lies_the_same_put_right(rule: str) -> None:
    """There the rule is silent, nothing else refuses the spec, and it has a plan."""
    near = [story for story, said in TOLD.items() if speaks(rule, said.get("wrong.yaml", ""))]
    right = [story for story in near if not speaks(rule, TOLD[story].get("right.yaml", ""))]
    assert right
    for story in right:
        name = yaml.safe_load((story / "right.yaml").read_text(encoding="utf-8"))["name"]
        assert f"{name}: " in (story / "plans.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", sorted(FLEET_RULES))
def test_a_fleet_put_right_is_a_story_of_its_own(rule: str) -> None:
    story = CASES / FLEETS_PUT_RIGHT[rule]
    assert TOLD[story] == {}
    assert len((story / "plans.txt").read_text(encoding="utf-8").splitlines()) > 1


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
        assert {path.suffix for path in Path(story).iterdir() if path.is_file()} <= {
            ".yaml",
            ".json",
            ".txt",
            ".gguf",
        }
