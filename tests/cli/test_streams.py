"""Where what is printed goes is the caller's: closed, full, left by its reader, in any encoding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from moorage import cli
class Printing:
    def configure(self, parser): pass
    def run(self, args):
        print(PRINTED)
        THEN
        return 7
cli._module = lambda name: Printing()
sys.exit(cli.main(["history"]))
"""


def shell(redirection: str, *, printed: str = "one", then: str = "", **environ: str) -> list[str]:
    """The lines that come of a command that prints so, and then its exit code."""
    program = PROGRAM.replace("PRINTED", ascii(printed)).replace("THEN", then)
    script = f'"$0" -c "$1" {redirection}; echo "${{PIPESTATUS[0]}}"'
    ended = subprocess.run(
        ["bash", "-c", script, sys.executable, program],
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=60,
    )
    return ended.stdout.splitlines()


@pytest.mark.parametrize(
    ("redirection", "lines"),
    [
        ("", ["one", "7"]),
        ("| true", ["7"]),
        (">&-", ["7"]),
        ("2>&- >&- <&-", ["7"]),
        (
            "> /dev/full",
            ["moorage: what it prints cannot be written: No space left on device", "7"],
        ),
    ],
)
def test_a_command_ends_as_it_would_whoever_reads(redirection: str, lines: list[str]) -> None:
    assert shell(redirection) == lines


@pytest.mark.parametrize(
    ("redirection", "lines"),
    [("| true", ["0"]), ("> /dev/full", ["moorage: No space left on device", "2"])],
)
def test_a_command_that_cannot_print_on_ends_there(redirection: str, lines: list[str]) -> None:
    assert shell(redirection, PYTHONUNBUFFERED="1") == lines


def test_a_pipe_to_somebody_else_that_breaks_is_a_fault() -> None:
    assert shell("2>&1 | cat", then="raise BrokenPipeError(32, 'Broken pipe')") == [
        "one",
        "moorage: Broken pipe",
        "2",
    ]


def test_what_the_system_refuses_is_one_line_with_the_file() -> None:
    assert shell("", then="open('/nowhere/a', 'w')") == [
        "one",
        "moorage: /nowhere/a: No such file or directory",
        "2",
    ]


def test_a_sign_that_the_caller_s_encoding_has_not_is_no_fault() -> None:
    assert shell("", printed="a … b", PYTHONIOENCODING="latin-1") == ["a ? b", "7"]


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["up", "--help"]])
def test_help_may_be_left_by_its_reader(words: list[str]) -> None:
    script = '"$0" -m moorage "$@" | true; echo "${PIPESTATUS[0]}"'
    env = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    asked = ["bash", "-c", script, sys.executable, *words]
    ended = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("0\n", "")
