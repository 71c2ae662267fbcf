"""The CLI is built by Go once, whole or not at all, and a Go that will not do is named."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

import pytest

from moorage.deploy.cli.cli_build import VERSION, WORK, build, go_will_do, parse_go_version
from moorage.deploy.progress import silent_tick
from tests.deploy.scripts import environ, ignore, script

NO_TICKS = silent_tick
# Answers as Go does: `version`, `list -deps`, and a `build -v … -o FILE PACKAGE` of two packages.
GO = (
    'case "$1" in',
    "  version) echo go version go1.26.8 linux/amd64 ;;",
    "  list) echo 'go: downloading example.com/a v1.0.0' >&2; echo a; echo b ;;",
    "  build) echo a >&2; echo b >&2",
    '    while [ "$1" != -o ]; do shift; done',
    '    printf \'#!/bin/sh\\necho v3.259.0\\n\' > "$2"; chmod +x "$2"; echo x >> "$COUNT" ;;',
    "esac",
)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    script(tmp_path / "bin" / "go", *GO)
    return {**environ(tmp_path, tmp_path / "bin"), "COUNT": str(tmp_path / "count")}


def test_the_binary_lands_in_the_versions_folder(tmp_path: Path, env: dict[str, str]) -> None:
    said: list[str] = []
    path = build(tmp_path / "home", tmp_path, said.append, NO_TICKS, environ=env)
    assert path == tmp_path / "home" / "versions" / VERSION / "bin" / "pulumi"
    assert path.stat().st_mode & 0o111
    assert "1 Go modules fetched, 2 packages to compile" in said
    assert not (tmp_path / "home" / "versions" / WORK).exists()


def test_progress_counts_modules_and_packages(tmp_path: Path, env: dict[str, str]) -> None:
    ticks: list[str] = []
    build(tmp_path / "home", tmp_path, ignore, lambda _, text: ticks.append(text), environ=env)
    assert ticks[0] == "1 Go modules fetched"
    assert ticks[-2].startswith("compiling 2 of 2 packages")
    assert ticks[-1] == ""


def test_what_a_killed_build_left_is_cleared(tmp_path: Path, env: dict[str, str]) -> None:
    work = tmp_path / "home" / "versions" / WORK
    work.mkdir(parents=True)
    (work / "pulumi").write_text("half")
    path = build(tmp_path / "home", tmp_path, ignore, NO_TICKS, environ=env)
    assert path is not None
    assert "half" not in path.read_text()


def test_a_failed_build_leaves_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    script(tmp_path / "bin" / "go", *GO[:3], "  build) echo '# a' >&2; exit 1 ;;", "esac")
    said: list[str] = []
    assert build(tmp_path / "home", tmp_path, said.append, NO_TICKS, environ=env) is None
    assert "failed: # a" in said[-1]
    assert not list((tmp_path / "home").rglob("pulumi"))


def test_two_builds_do_not_run_at_once(tmp_path: Path, env: dict[str, str]) -> None:
    """The second waits, and finds what the first has built."""
    home = tmp_path / "home"
    said: list[str] = []

    def one() -> None:
        assert build(home, tmp_path, said.append, NO_TICKS, environ=env) is not None

    (home / "versions").mkdir(parents=True)
    with (home / "versions" / ".moorage-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        while sum("another build" in line for line in said) < 2:
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert (tmp_path / "count").read_text() == "x\n"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["echo go version go1.22.1 linux/amd64"], "Go 1.22.1 is older than 1.25.11"),
        (["echo 'go: invalid GOTOOLCHAIN \"nonsense\"' >&2", "exit 1"], "invalid GOTOOLCHAIN"),
    ],
)
def test_a_go_that_will_not_do_is_named(tmp_path: Path, lines: list[str], why: str) -> None:
    script(tmp_path / "bin" / "go", *lines)
    said: list[str] = []
    assert not go_will_do(tmp_path, said.append, environ(tmp_path, tmp_path / "bin"))
    assert why in said[0]


def test_go_versions_are_read() -> None:
    assert parse_go_version("go version go1.26 linux/amd64") == (1, 26, 0)
    assert parse_go_version("go version go1.25.11 linux/arm64") == (1, 25, 11)
    assert parse_go_version("gopher") is None
