"""The flags of an operation: what contradicts itself is refused before anything is looked at."""

from __future__ import annotations

import argparse

import pytest

from moorage.cli import main
from moorage.cli.operation import flags, options
from moorage.errors import MoorageError


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--target-dependents"], "says nothing without --target"),
        (["--target", "a", "--exclude", "b"], "--target and --exclude: give one of them"),
    ],
)
def test_flags_that_contradict_each_other_are_one_line(words: list[str], says: str) -> None:
    parser = argparse.ArgumentParser()
    flags(parser, "up")
    with pytest.raises(MoorageError, match=says):
        options(parser.parse_args(words))


@pytest.mark.parametrize("number", ["0", "-1", "2147483648", "9" * 400, "1e3", "\u0663", ""])
@pytest.mark.parametrize("flag", [("up", "--parallel"), ("history", "--limit")])
def test_what_pulumi_cannot_count_is_wrong_usage(
    flag: tuple[str, str], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([flag[0], f"{flag[1]}={number}"])
    assert f"{number!r} is not a whole number from 1 to 2147483647" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--json"], ["--display", "json"]])
def test_what_is_told_to_people_is_not_mixed_with_what_machines_read(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", "--test", *words]) == 2
    assert "leave JSON out" in capsys.readouterr().err
