"""Docker is installed for the tests where it is missing and can be had, quickly or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.docker import install
from tests.docker.install import Installing

# An apt-get that fetches once its lists are up to date, and installs what it has fetched.
APT = """#!/bin/sh
echo "$*" >> {folder}/asked
case "$*" in
  *update*) : > {folder}/lists ;;
  *--download-only*) [ -e {folder}/lists ] || {{ echo "E: no such package" >&2; exit 100; }} ;;
  *) printf '#!/bin/sh' > {folder}/dockerd; /bin/chmod +x {folder}/dockerd ;;
esac
"""


class Said:
    """A board that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def tick(self, what: str, text: str) -> None:
        pass


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all the programs of a Debian without Docker, whose root we are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    _script(folder / "apt-get", APT.format(folder=folder))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _install(machine: Path) -> list[str]:
    said = Said()
    Installing(said, machine.parent / "gave-up").run()
    return said.lines


def _asked(machine: Path) -> list[str]:
    return (machine / "asked").read_text(encoding="utf-8").splitlines()


def test_it_is_installed_after_the_lists_were_brought_up_to_date(machine: Path) -> None:
    assert _install(machine) == ["Debian's docker.io is installed for the tests"]
    words = [word for line in _asked(machine) for word in line.split()]
    assert [word for word in words if word in ("update", "install", "--download-only")] == [
        *("--download-only", "install"),
        "update",
        *("--download-only", "install"),
        "install",
    ]
    assert not install.is_wanted()


def test_what_cannot_be_had_is_told_in_one_line_and_not_tried_again_at_once(machine: Path) -> None:
    fault = "E: Unable to locate package docker.io"
    _script(machine / "apt-get", f"#!/bin/sh\necho '{fault}' >&2\nexit 100")
    [line] = _install(machine)
    assert line == f"no Docker engine, so its tests are skipped: {fault}"
    assert _install(machine) == []


def test_a_slow_mirror_is_not_waited_for(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(machine / "apt-get", "#!/bin/sh\nexec /bin/sleep 60")
    monkeypatch.setattr(install, "_FETCH_S", 0.2)
    [line] = _install(machine)
    assert line.endswith("fetching docker.io takes too long")


@pytest.mark.parametrize("user", [0, 1000])
def test_nothing_is_done_where_it_is_there_already_or_we_may_not(
    machine: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if user == 0:
        _script(machine / "dockerd", "#!/bin/sh")
    assert _install(machine) == []
    assert not (machine / "asked").exists()
