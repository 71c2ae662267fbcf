"""The Pulumi CLI is found in a fixed order, and what will not do is passed over with one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moorage.deploy.cli import cli_cache, pulumi_cli
from moorage.deploy.cli.pulumi_cli import Unfit, find, parse_version, probe
from moorage.errors import MoorageError
from tests.deploy.scripts import environ, pulumi, script


def test_the_first_one_on_path_wins(tmp_path: Path) -> None:
    first = pulumi(tmp_path / "a" / "pulumi", "v3.250.0")
    pulumi(tmp_path / "b" / "pulumi", "v3.260.0")
    found = find(pytest.fail, environ(tmp_path, tmp_path / "a", tmp_path / "b"))
    assert found is not None
    assert (found.path, found.version, found.origin) == (first, "3.250.0", "on PATH")


def test_an_old_one_on_path_is_passed_over_with_one_line(tmp_path: Path) -> None:
    old = pulumi(tmp_path / "a" / "pulumi", "v3.99.0")
    good = pulumi(tmp_path / "b" / "pulumi", "v3.260.0")
    said: list[str] = []
    found = find(said.append, environ(tmp_path, tmp_path / "a", tmp_path / "b"))
    assert found is not None
    assert found.path == good
    (line,) = said
    for part in (str(old), "3.99.0", "3.200.0", str(good)):
        assert part in line


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["echo pulumi, the dog"], "no version"),
        (["echo broken >&2", "exit 3"], "broken"),
        (["exit 0"], "no version"),
    ],
)
def test_a_broken_one_is_passed_over(tmp_path: Path, lines: list[str], why: str) -> None:
    answer = probe(script(tmp_path / "pulumi", *lines), "here", environ(tmp_path))
    assert isinstance(answer, Unfit)
    assert why in answer.why


def test_one_that_is_no_program_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "pulumi"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)
    answer = probe(path, "here", environ(tmp_path))
    assert isinstance(answer, Unfit)
    assert "does not start" in answer.why


def test_one_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its children too: a grandchild that keeps the pipe open would hold us for ever."""
    monkeypatch.setattr(pulumi_cli, "ASK_DEADLINE_S", 0.5)
    answer = probe(script(tmp_path / "pulumi", "sleep 60 & sleep 60"), "here", environ(tmp_path))
    assert isinstance(answer, Unfit)
    assert "did not tell its version" in answer.why


def test_the_newest_in_the_versions_folder_is_used(tmp_path: Path) -> None:
    versions = tmp_path / ".pulumi" / "versions"
    pulumi(versions / "3.9.0" / "bin" / "pulumi", "v3.9.0")
    newest = pulumi(versions / "3.260.0" / "bin" / "pulumi", "v3.260.0")
    pulumi(versions / "3.259.0" / "bin" / "pulumi", "v3.259.0")
    found = find(pytest.fail, environ(tmp_path))
    assert found is not None
    assert found.path == newest


def test_pulumi_home_moves_the_versions_folder(tmp_path: Path) -> None:
    there = pulumi(tmp_path / "home" / "versions" / "3.260.0" / "bin" / "pulumi", "3.260.0")
    found = find(pytest.fail, {**environ(tmp_path), "PULUMI_HOME": str(tmp_path / "home")})
    assert found is not None
    assert found.path == there


def test_a_named_one_comes_first(tmp_path: Path) -> None:
    pulumi(tmp_path / "a" / "pulumi", "v3.260.0")
    named = pulumi(tmp_path / "mine", "v3.201.0")
    found = find(pytest.fail, {**environ(tmp_path, tmp_path / "a"), "MOORAGE_PULUMI": str(named)})
    assert found is not None
    assert found.path == named


def test_without_any_way_the_three_ways_are_told(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(MoorageError) as fault:
        pulumi_cli.obtain(
            said.append, python=lambda: None, recipe=tmp_path, environ=environ(tmp_path)
        )
    assert fault.value.exit_code == 2
    for way in ("1. install Pulumi", "2. put a `pulumi` binary", "3. install Go 1.25.11"):
        assert way in str(fault.value)
    assert any("installer is out of reach" in line for line in said)
    assert any("no Go toolchain" in line for line in said)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("3.259.0\n", (3, 259, 0)),
        ("v3.260.0-alpha.1+abc", (3, 260, 0)),
        ("", None),
        ("v3", None),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


def test_a_script_is_asked_every_time(tmp_path: Path) -> None:
    """What a wrapper script runs may be another CLI tomorrow."""
    path = pulumi(tmp_path / "pulumi", "v3.259.0")
    cli_cache.keep(path, "v3.259.0", environ(tmp_path))
    assert cli_cache.recall(path, environ(tmp_path)) is None


def test_a_binary_is_asked_once(tmp_path: Path) -> None:
    path = tmp_path / "pulumi"
    with path.open("wb") as file:
        file.truncate(cli_cache.SMALLEST_BINARY_BYTES)
    cli_cache.keep(path, "v3.259.0", environ(tmp_path))
    assert cli_cache.recall(path, environ(tmp_path)) == "v3.259.0"
    os.utime(path, (1, 1))
    assert cli_cache.recall(path, environ(tmp_path)) is None
