"""Set-up does what is missing, nothing twice, and repairs what was killed half-way."""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from moorage.deploy.progress import Board
from moorage.errors import MoorageError
from tests.deploy.scripts import environ, pulumi

PROJECT = Path(__file__).parent.parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with what set-up needs of the project, and no more."""
    folder = tmp_path / "a checkout"
    (folder / "moorage").mkdir(parents=True)
    for name in ("moorage/__init__.py", "moorage/errors.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder / name)
    shutil.copytree(PROJECT / "moorage" / "deploy", folder / "moorage" / "deploy")
    shutil.copytree(PROJECT / "tools", folder / "tools")
    return folder


@pytest.fixture
def setup(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_of_a_checkout", root / "tools/setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def board() -> Iterator[Board]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        yield Board(nowhere)


class Pip:
    """A pip that only remembers what it was asked for."""

    def __init__(self, *, dies: bool = False) -> None:
        self.asked: list[str] = []
        self.dies = dies

    def __call__(self, _board: Board, *what: object) -> None:
        self.asked.append(str(what[0]))
        if self.dies:
            raise KeyboardInterrupt


def made(setup: Any, board: Board, pip: Pip | None = None) -> None:
    """An environment that looks complete to set-up; making a real one takes seconds."""

    def make() -> None:
        setup.PYTHON.parent.mkdir(parents=True)
        setup.PYTHON.symlink_to(sys.executable)

    setup.Environment(board, pip or Pip(), make).bring_up()


def run(root: Path, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, root / "tools" / "setup.py", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_second_set_up_does_nothing(setup: Any, board: Board) -> None:
    made(setup, board)
    pip = Pip()
    setup.Environment(board, pip, pytest.fail).bring_up()
    assert pip.asked == []


@pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_what_was_killed_half_way_is_made_anew_and_what_has_changed_is_installed_in_it(
    setup: Any, board: Board, root: Path, real: bool
) -> None:
    """To install pip into a real environment takes seconds; this one sees that of the machine."""

    def make() -> None:
        venv.create(setup.VENV, clear=True, symlinks=True, system_site_packages=True)
        (setup.VENV / "bin" / "pip").write_text(f"#!{setup.PYTHON}\n", encoding="utf-8")

    with pytest.raises(KeyboardInterrupt):
        made(setup, board, Pip(dies=True))
    half = root / ".venv" / "half"
    half.touch()
    environment = setup.Environment(board, Pip(), setup.make_venv if real else make)
    assert not environment.complete()
    environment.bring_up()
    assert environment.complete()
    assert not half.exists()
    kept = root / ".venv" / "kept"
    kept.touch()
    with (root / "pyproject.toml").open("a") as file:
        file.write("# more\n")
    pip = Pip()
    setup.Environment(board, pip).bring_up()
    assert pip.asked == ["--upgrade", "--editable"]
    assert kept.exists()


def test_a_missing_venv_module_is_named(setup: Any) -> None:
    fault = setup.missing_venv()
    assert isinstance(fault, MoorageError)
    package = f"python3.{sys.version_info[1]}-venv"
    assert f"apt install {package}" in str(fault)


def test_a_set_up_with_nothing_to_do_is_quick_and_silent(
    setup: Any, board: Board, root: Path, tmp_path: Path
) -> None:
    made(setup, board)
    pulumi(tmp_path / "bin" / "pulumi", "v3.259.0")
    env = environ(tmp_path, tmp_path / "bin")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ended = run(root, env)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    took_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert took_s < 2  # of work, which a busy machine does not make more: 0.2 s


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--need-cli",), 2)])
def test_without_any_cli_everything_else_is_set_up(
    setup: Any, board: Board, root: Path, tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    made(setup, board)
    ended = run(root, environ(tmp_path), *words)
    assert ended.returncode == status
    assert "three ways to get one" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_old_python_says_what_it_needs(setup: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert setup.run_with_newer_python() == 2


def test_make_tells_its_words() -> None:
    told = subprocess.run(
        ["make", "-C", PROJECT, "help"], capture_output=True, text=True, check=True
    )
    for word in ("setup", "up", "down", "test", "check"):
        assert f"make {word}" in told.stdout
