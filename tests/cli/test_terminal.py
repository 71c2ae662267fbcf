"""Nothing that strangers have written reaches a terminal as a command to it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import pytest

from moorage import cli
from moorage.cli import history
from moorage.deploy.history import Entry
from moorage.errors import MoorageError

HOSTILE = "\x1b]0;owned\x07\x1b[2J \N{RIGHT-TO-LEFT OVERRIDE}"


class Refused:
    """A command whose server had a word in the refusal."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Nothing to configure."""

    def run(self, _args: argparse.Namespace) -> int:
        message = f"up of stack local failed:\n  Thing a: the server says {HOSTILE}größer"
        raise MoorageError(message)


def test_a_fault_is_shown_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_module", lambda _name: Refused())
    assert cli.main(["up"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "moorage: up of stack local failed:"
    assert second == "  Thing a: the server says \\x1b]0;owned\\x07\\x1b[2J \\u202egrößer"


def test_a_commit_is_shown_as_text() -> None:
    entry = Entry(
        version=None,
        operation="up",
        result="succeeded",
        began=datetime(2026, 8, 20, tzinfo=UTC),
        duration_s=1.0,
        changes={},
        message=f"Fix {HOSTILE}",
        who="ci",
        commit="abc",
        author=HOSTILE,
        cli="v3",
    )
    assert history.as_text(entry).isprintable()


def test_an_interrupt_while_a_command_is_loaded_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_module", interrupted)
    assert cli.main(["up"]) == 130
    assert capsys.readouterr().err == "moorage: interrupted\n"
