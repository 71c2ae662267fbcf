"""Pulumi's installer runs in a child, and what it leaves behind is a whole CLI or nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from moorage.deploy.cli import cli_install
from moorage.deploy.cli.cli_install import install
from moorage.deploy.progress import silent_tick
from tests.deploy.scripts import environ, ignore, script


def test_what_the_installer_fetched_is_put_under_its_version(tmp_path: Path) -> None:
    lines = 'mkdir -p "$3/bin"; echo "echo v3.272.0" > "$3/bin/pulumi"; echo 3.272.0'
    python = script(tmp_path / "python", lines)
    path = install(
        tmp_path,
        ignore,
        silent_tick,
        python=lambda: python,
        environ=environ(tmp_path),
        reachable=lambda: True,
    )
    assert path == tmp_path / "versions" / "3.272.0" / "bin" / "pulumi"
    assert path.exists()
    assert [one.name for one in (tmp_path / "versions").iterdir()] == ["3.272.0"]


def test_a_failed_installer_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    python = script(tmp_path / "python", 'mkdir -p "$3/bin"; echo no space >&2; exit 1')
    said: list[str] = []
    path = install(
        tmp_path,
        said.append,
        silent_tick,
        python=lambda: python,
        environ=environ(tmp_path),
        reachable=lambda: True,
    )
    assert path is None
    assert "no space" in said[-1]
    assert not list((tmp_path / "versions").iterdir())


def test_an_unreachable_installer_is_given_up_within_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when the connection opens and nothing is ever said."""
    monkeypatch.setattr(cli_install, "REACH_DEADLINE_S", 0.3)
    monkeypatch.setattr(cli_install, "_answers", lambda _url: threading.Event().wait(5))
    began_s = time.monotonic()
    assert not cli_install.reach()
    assert time.monotonic() - began_s < 2
