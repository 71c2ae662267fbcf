"""A verdict on paper: complete for machines, short for people, without secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from loadtests.profiles import Target
from loadtests.report import SCHEMA_VERSION, to_markdown, to_text, write
from tests.loadtests.test_verdict import judged, lost, steady


def test_the_json_report_has_every_measure_with_formula_unit_and_count(tmp_path: Path) -> None:
    verdict = replace(judged([*steady(), lost(9.0)]), service="hello")
    write(verdict, tmp_path, {"model": "hello"})
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["schema_version"] == SCHEMA_VERSION
    assert (report["ruling"], report["exit_code"], report["service"]) == ("FAIL", 1, "hello")
    assert report["outcomes"] == {"ok": 40, "http_5xx": 1}
    assert report["backends"] == {"local-1": {"answers": 40, "share": 1.0}}
    assert len(report["measures"]) == len(verdict.measures)
    for measure in report["measures"]:
        assert measure["formula"]
        assert {"name", "value", "unit", "n", "limit", "ok"} <= set(measure)


def test_the_markdown_report_says_why_and_fits_a_comment() -> None:
    text = to_markdown(replace(judged([*steady(), lost(9.0)]), service="hello"))
    assert text.startswith("### FAIL: smoke of hello\n")
    assert "- error_rate 2.44 %, at most 0.5 % allowed" in text
    assert "| error_rate | 2.44 % | <= 0.5 % | 41 | missed |" in text
    assert len(text.splitlines()) <= 40


def test_the_terminal_report_is_a_table_with_what_was_judged() -> None:
    lines = to_text(judged(steady())).splitlines()
    assert lines[0] == "PASS: smoke"
    words = [" ".join(line.split()) for line in lines]
    assert "ttft_p95 50.0 ms <= 800 ms 40 ok" in words
    assert lines[-1].strip() == "backends: local-1 100%"


def test_a_key_is_not_shown_by_the_repr_of_a_target() -> None:
    target = Target(service="a", url="http://x/v1", api_key="sk-secret", model="a")
    assert "sk-secret" not in repr(target)
