"""Problems as SARIF, as a code host reads them: the parts of version 2.1.0 that are used."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from moorage.plan.slugs import SAID
from moorage.spec import report
from moorage.spec.problems import Problem

PROBLEMS = [
    Problem(file="specs/a chat#1.yaml", line=3, column=7, rule="budget", says="too dear", hint="x"),
    Problem(file="specs/b.yaml", rule="price-stale", says="old", severity="warning"),
    Problem(file="specs/b.yaml", rule="budget", says="too dear"),
]


def run() -> dict[str, Any]:
    log = json.loads(report.FORMATS["sarif"](PROBLEMS, SAID))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    found: dict[str, Any] = only
    return found


def test_every_rule_is_described_once_and_only_if_it_spoke() -> None:
    rules = run()["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["budget", "price-stale"]
    for rule in rules:
        assert rule["shortDescription"] == {"text": SAID[rule["id"]]}
        assert f"docs/rules/{rule['id']}.md" in rule["help"]["text"]


def test_a_rule_that_nobody_describes_has_its_name_all_the_same() -> None:
    log = json.loads(report.FORMATS["sarif"]([Problem(file="a", rule="other", says="?")], SAID))
    assert log["runs"][0]["tool"]["driver"]["rules"] == [{"id": "other"}]


def test_every_problem_has_its_level_message_and_place() -> None:
    results = run()["results"]
    assert [row["level"] for row in results] == ["error", "warning", "error"]
    assert results[0]["message"] == {"text": "too dear; x"}
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 3, "startColumn": 7}


def test_a_file_is_named_by_a_uri_whatever_its_letters() -> None:
    uri = run()["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    parts = urlsplit(uri)
    assert (parts.scheme, parts.fragment) == ("", "")
    assert " " not in uri
    assert unquote(parts.path) == "specs/a chat#1.yaml"


def test_nothing_wrong_is_a_run_without_results() -> None:
    log = json.loads(report.FORMATS["sarif"]([], SAID))
    assert log["runs"][0]["results"] == []
