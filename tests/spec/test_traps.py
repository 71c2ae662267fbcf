"""The traps of YAML: each gives the value that was meant, or a problem that tells the way out."""

from __future__ import annotations

import pytest

from moorage.spec.document import Scalar, resolve
from tests.spec.support import HELLO, parsed, said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *[("yes", True), ("Yes", True), ("ON", True), ("true", True)],
        *[("no", False), ("Off", False), ("FALSE", False), ("n", "n"), ("y", "y")],
        *[("null", None), ("~", None), ("Null", None), ("nUll", "nUll"), ("none", "none")],
        *[("010", 10), ("0o10", "0o10"), ("0x1f", "0x1f"), ("0b11", "0b11"), ("+7", 7)],
        *[("1_000", "1_000"), ("1,000", "1,000"), ("1 000", "1 000"), ("1k", "1k")],
        *[("1:30", "1:30"), ("190:20:30", "190:20:30"), ("2026-11-23", "2026-11-23")],
        *[("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"), ("1.5", 1.5), (".5", 0.5)],
        *[("1.", 1.0), ("1e3", 1000.0), ("-1E-2", -0.01), ("1.2.3", "1.2.3"), ("-", "-")],
        *[(".inf", ".inf"), ("-.INF", "-.INF"), (".nan", ".nan"), ("1e99999", "1e99999")],
        *[("٣", "٣"), ("1" * 31, "1" * 31), ("=", "="), ("0.33.0", "0.33.0")],
    ],
)
def test_a_plain_word_means_what_most_readers_of_yaml_make_of_it(
    written: str, meant: Scalar
) -> None:
    value = resolve(written)
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("team: examples", "team: no", 'YAML reads no as false; write "no" in quotes'),
        ("team: examples", "team: 2026", 'write "2026" in quotes'),
        ("team: examples", "team: ~", "'team' must be at most 24 lower-case letters"),
        ("team: examples", "team:", "not nothing"),
        ("rps: 4", "rps: 1:30", "'rps' must be a number above 0"),
        ("max_model_len: 2048", "max_model_len: 2,048", "write 2048"),
        ("rps: 4", "rps: 1e400", "'rps' must be a number above 0 and at most 100000, not 1e400"),
        ("rps: 4", "rps: .inf", "'rps' must be a number"),
        ("rps: 4", "rps: -1", "'rps' must be a number above 0"),
        ("input_tokens: 32", "input_tokens: 1_024", "write 1024"),
        ("input_tokens: 32", "input_tokens: 0o40", "write 32"),
        ("input_tokens: 32", "input_tokens: 0x20", "write 32"),
        ("input_tokens: 32", "input_tokens: 4k", "write 4000"),
        ("input_tokens: 32", "input_tokens: 32.5", "must be a whole number"),
        ("input_tokens: 32", "input_tokens: '32'", "must be a whole number"),
        ("max_model_len: 2048", "max_model_len: 2048tok", "must be a whole number"),
        ("ttft_p95: 2s", "ttft_p95: 1:30", "write 90s where these are minutes"),
        ("ttft_p95: 2s", "ttft_p95: 0.8", "write the unit: 0.8ms or 0.8s"),
        ("ttft_p95: 2s", "ttft_p95: 2 seconds", "write 2s"),
        ("error_rate: 1%", "error_rate: 0.01", "write 0.01%"),
        ("error_rate: 1%", "error_rate: 1 %", "'error_rate' must be a percentage"),
        ("monthly_usd: 0", "monthly_usd: 2.5k", "write 2500"),
        ("monthly_usd: 0", "monthly_usd: $25", "write 25"),
        ("monthly_usd: 0", "monthly_usd: 1_000", "write 1000"),
        ("monthly_usd: 0", 'monthly_usd: "25"', "write 25"),
        ("offline: tiny", "offline: yes", "'offline' must be refuse or tiny, not yes"),
        ("offline: tiny", "offline: Tiny", "did you mean 'tiny'?"),
        ("\nprivacy:", "\n  privacy:", " unknown-key: "),
        ("\nprivacy:", "\n\tprivacy:", "a tab is used for indentation"),
        ("\nload:", "\nno: 1\nload:", 'a key must be text, not no; write "no"'),
        ("\nload:", "\n1: 1\nload:", 'a key must be text, not 1; write "1"'),
        ("\nload:", "\nname: again\nload:", "'name' is given twice, first in line 4"),
        ("\nload:", "\n'name': again\nload:", "'name' is given twice, first in line 4"),
        ("\nload: {", "\nload: {<<: {rps: 1}, ", "merge keys ('<<') are not part of the language"),
        ("\nload: {", "\nload: {'<<': {rps: 1}, ", "'load' has no key '<<'"),
        ("rps: 4", "rps: *four", "'*four' has no '&' before"),
        ("rps: 4", "rps: &four [*four]", "'*four' lies inside itself"),
        ("rps: 4", "rps: !!float 4", "tags (words that begin with '!')"),
        ("rps: 4", "rps: !env RPS", "tags (words that begin with '!')"),
        ("max_model_len: 2048", "max_model_len: ${LEN}", "must be a whole number"),
        ("\nload:", "\n---\nload:", "a second document begins here"),
        ("name: hello", "name:hello", " yaml-syntax: "),
        ("name: hello", "name: hello: world", "a second ': ' in one line"),
        ("name: hello", "name: @hello", "put the text in quotes"),
        ("name: hello", "name: |\n  hello", "must be at most 24 lower-case letters"),
    ],
)
def test_a_trap_gives_a_problem_that_tells_the_way_out(old: str, new: str, problem: str) -> None:
    assert old in HELLO
    lines = said(HELLO.replace(old, new, 1))
    assert any(problem in line for line in lines), lines


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rps: 4", "rps: 4.0"),
        ("rps: 4", "rps: 4e0"),
        ("rps: 4", "rps: +4"),
        ("input_tokens: 32", "input_tokens: 32.0"),
        ("input_tokens: 32", "input_tokens: 032"),
        ("ttft_p95: 2s", "ttft_p95: '2s'"),
        ("ttft_p95: 2s", "ttft_p95: 2000ms"),
        ("error_rate: 1%", 'error_rate: "1.0%"'),
        ("team: examples", "team: &team examples"),
        ("team: examples", "team: >-\n  examples\n"),
        ("offline: tiny", '"offline": "tiny"'),
        ("\n", "\r\n"),
        ("# yaml", "\n\n# yaml"),
    ],
)
def test_many_spellings_mean_the_same(old: str, new: str) -> None:
    assert old in HELLO
    assert parsed(HELLO.replace(old, new)).spec == parsed(HELLO).spec


def test_a_version_that_looks_like_a_number_is_asked_for_in_quotes() -> None:
    """0.10 would become 0.1, which is another version."""
    lines = said(HELLO + "serving: {engine: llama.cpp, version: 0.10}\n")
    assert any('write "0.10" in quotes' in line for line in lines)
