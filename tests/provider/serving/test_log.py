"""What an engine has written, as it is quoted in a line for people."""

from __future__ import annotations

from moorage.provider.serving import log


def test_lines_are_told_without_colours_and_what_no_terminal_shows() -> None:
    assert log.lines("\x1b[31mred\x1b[0m  and\tmore\r\n\n\x00\nend") == ["red and more", "end"]


def test_of_many_lines_the_last_five_are_told() -> None:
    assert log.end([str(number) for number in range(9)]) == "4 | 5 | 6 | 7 | 8"
    assert log.end([]) == ""


def test_of_a_long_line_its_end_is_told_and_that_it_is_cut() -> None:
    told = log.end([f"{'x' * 1000} why"])
    assert told.startswith("…x")
    assert told.endswith("x why")
    assert len(told) == log._MOST_TOLD + 1
