"""Progress is drawn in place on a terminal and told seldom elsewhere."""

from __future__ import annotations

import io

from moorage.deploy.progress import Board


def test_lines_stay_and_ticks_go_on_a_terminal() -> None:
    out = io.StringIO()
    board = Board(out, live=True)
    board.tick("build", "1 of 2")
    board.say("half way")
    board.tick("build", "2 of 2")
    board.close()
    text = out.getvalue()
    assert "half way\n" in text
    assert "1 of 2\n" not in text
    assert text.endswith("\x1b[2K")


def test_ticks_are_rare_lines_elsewhere() -> None:
    out = io.StringIO()
    board = Board(out, live=False)
    for number in range(1000):
        board.tick("build", str(number))
    board.tick("build", "")
    board.close()
    assert out.getvalue() == ""
