"""Set-up of a checkout: the virtual environment and the Pulumi CLI, each only when it is missing.

Run by whatever `python3` a machine has, so nothing here may need more than Python 3.7 and its
standard library until the version has been looked at.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "moorage-setup.stamp"  # written last: what it names is complete
INSTALLING = VENV / "moorage-setup.installing"  # there while pip works: what it left is not trusted
LOG = VENV / "moorage-setup.log"
# What works on the environment holds the lock on it: a killed set-up's children are waited for.
LOCK_FDS = []  # type: list[int]


def main(argv=None):
    # type: (list[str] | None) -> int
    """Bring the checkout to where `make up` and `make test` can start."""
    parser = argparse.ArgumentParser(prog="tools/setup.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--need-cli", action="store_true", help="fail when no Pulumi CLI can be had"
    )
    parser.add_argument("--tests", action="store_true", help="have a Docker engine for the tests")
    args = parser.parse_args(argv)
    if sys.version_info < OLDEST_PYTHON:
        return run_with_newer_python()
    sys.path.insert(0, str(ROOT))
    return set_up(need_cli=args.need_cli, tests=args.tests)


def run_with_newer_python():
    # type: () -> int
    """Hand over to a Python that is new enough, or say that there is none."""
    have = "{}.{}".format(*sys.version_info[:2])
    for name in NEWER_PYTHONS:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            print(f"python3 is {have}; using {path}", file=sys.stderr)
            os.execv(path, [path, __file__, *sys.argv[1:]])  # noqa: S606
    print(
        f"moorage needs Python 3.11 or newer; {sys.executable} is {have}, PATH has no newer one:"
        " install python3.11 (Debian, Ubuntu: apt install python3 python3-venv) and run this again",
        file=sys.stderr,
    )
    return 2


def set_up(*, need_cli: bool, tests: bool = False) -> int:
    """All at the same time: the environment here, the rest in threads beside it."""
    from moorage.deploy.progress import Board
    from moorage.errors import MoorageError

    board = Board()
    environment = Environment(board)
    cli = CliHalf(board, environment)
    beside = [cli, *([docker_for_tests(board)] if tests else [])]
    try:
        for half in beside:
            half.start()
        environment.bring_up()
        for half in beside:
            half.join()
    except (MoorageError, OSError) as fault:
        return leave(board, f"set-up failed: {fault}", 2)
    except KeyboardInterrupt:
        return leave(board, "set-up interrupted; `make setup` goes on from where it was", 130)
    board.close()
    return cli.verdict(need_cli=need_cli)


def docker_for_tests(board) -> threading.Thread:  # type: ignore[no-untyped-def]
    """What installs a Docker engine, where the machine has none and can have one."""
    from tests.docker.install import Installing

    return Installing(board, VENV / "moorage-setup.no-docker")


def leave(board, message: str, status: int) -> int:  # type: ignore[no-untyped-def]
    """End at once, with whatever the other half has running."""
    from moorage.deploy.cli.children import end_all

    end_all()
    board.close()
    print(message, file=sys.stderr, flush=True)
    os._exit(status)  # the other half's thread is not waited for


def make_venv() -> None:
    """Make the virtual environment, in place of whatever is there."""
    from moorage.deploy.cli.children import follow

    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise missing_venv()
    said: list[str] = []
    command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", VENV]
    if follow(command, said.append, pass_fds=LOCK_FDS) != 0:
        told = "\n".join(said)
        raise missing_venv() if "ensurepip" in told else failed("venv", told)


def run_pip(board, *what) -> None:  # type: ignore[no-untyped-def]
    """Run the environment's pip, telling how far it is; all that it prints is kept in the log."""
    from moorage.deploy.cli.children import follow

    command = [PYTHON, "-m", "pip", "install", "--progress-bar", "off", *what]
    with LOG.open("a", encoding="utf-8") as log:
        progress = PipProgress(board, log)
        env = {**os.environ, "PIP_NO_INPUT": "1"}
        if follow(command, progress.line, env=env, pass_fds=LOCK_FDS) != 0:
            raise failed("pip", progress.error)


class Environment:
    """The virtual environment of the checkout with everything that pyproject.toml names."""

    def __init__(self, board, pip=run_pip, make=make_venv) -> None:  # type: ignore[no-untyped-def]
        self.board, self.pip, self.make = board, pip, make
        self.ready = threading.Event()
        self.fine = False

    def bring_up(self) -> None:
        """Make the environment, or find that it is complete; whoever waits for it is told."""
        try:
            if not self.complete():
                with alone(self.board):
                    self._repair()
            self.fine = True
        finally:
            self.ready.set()

    def wait(self) -> Path | None:
        """The environment's Python once it is complete; None when it could not be made."""
        self.ready.wait()
        return PYTHON if self.fine else None

    def complete(self) -> bool:
        """Whether the last set-up finished and nothing that it depends on has changed."""
        return read(STAMP) == fingerprint() and PYTHON.exists()

    def _repair(self) -> None:
        if self.complete():
            return  # by another set-up, while we waited for it
        if INSTALLING.exists() or not is_usable():
            self.board.say("making the virtual environment .venv")
            self.make()
        self._install()

    def _install(self) -> None:
        STAMP.unlink(missing_ok=True)
        INSTALLING.touch()
        LOG.unlink(missing_ok=True)
        self.board.say("installing the dependencies into .venv")
        self.pip(self.board, "--upgrade", "pip>=25.1")  # the first that knows dependency groups
        self.pip(self.board, "--editable", ROOT, "--group", f"{ROOT / 'pyproject.toml'}:dev")
        INSTALLING.unlink()
        STAMP.write_text(fingerprint(), encoding="utf-8")
        self.board.tick("dependencies", "")
        self.board.say("dependencies are installed")


class PipProgress:
    """Counts what pip tells line by line, and keeps all of it in the log."""

    def __init__(self, board, log) -> None:  # type: ignore[no-untyped-def]
        self.board, self.log = board, log
        self.found = 0
        self.error = ""

    def line(self, line: str) -> None:
        """One line of pip's output."""
        self.log.write(line + "\n")
        words = line.split()
        if line.startswith("Collecting "):
            self.found += 1
            self.board.tick("dependencies", f"{self.found} packages found, now {words[1]}")
        elif line.lstrip().startswith("Downloading "):
            self.board.tick("dependencies", f"fetching {words[1].rsplit('/', 1)[-1]}")
        elif line.startswith("Installing collected"):
            self.board.tick("dependencies", f"unpacking {line.count(',') + 1} packages")
        elif line.startswith("ERROR:"):
            self.error = self.error or line[len("ERROR:") :].strip()


class CliHalf(threading.Thread):
    """Gets the Pulumi CLI while the environment is being made."""

    def __init__(self, board, environment: Environment) -> None:  # type: ignore[no-untyped-def]
        super().__init__(daemon=True)
        self.board, self.environment = board, environment
        self.fault: Exception | None = None

    def run(self) -> None:
        """Find, fetch or build the CLI; a fault is kept for the end."""
        from moorage.deploy.cli.pulumi_cli import obtain
        from moorage.errors import MoorageError

        try:
            obtain(
                self.board.say,
                self.board.tick,
                python=self.environment.wait,
                recipe=ROOT / "tools" / "pulumi-cli",
            )
        except (MoorageError, OSError) as fault:
            self.fault = fault

    def verdict(self, *, need_cli: bool) -> int:
        """The exit status: without a CLI the checks, plans and most tests still work."""
        if self.fault is None:
            return 0
        print(self.fault, file=sys.stderr)
        if not need_cli:
            print("everything that needs no engine works without it", file=sys.stderr)
        return 2 if need_cli else 0


def fingerprint() -> str:
    """What a complete environment depends on: the declared packages, its Python, its place."""
    declared = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return f"1 {declared} {PYTHON.resolve()} {ROOT}\n"


def is_usable() -> bool:
    """Whether an environment is there that was made for this place and whose pip starts."""
    from moorage.deploy.cli.children import ask

    if not PYTHON.exists() or str(VENV) not in read(VENV / "bin" / "pip"):
        return False
    return ask([PYTHON, "-m", "pip", "--version"], deadline_s=60).code == 0


@contextmanager
def alone(board) -> Iterator[None]:  # type: ignore[no-untyped-def]
    """Let one set-up of a checkout work at a time; the lock is on this very file."""
    with Path(__file__).open(encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            board.say("another set-up of this checkout is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        LOCK_FDS.append(lock.fileno())
        yield
        LOCK_FDS.clear()


def read(path: Path) -> str:
    """The text of a file, or nothing."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def missing_venv() -> Exception:
    """The fault of a Debian or Ubuntu that splits Python's own venv off."""
    from moorage.errors import MoorageError

    package = "python{}.{}-venv".format(*sys.version_info[:2])
    return MoorageError(
        f"{sys.executable} cannot make virtual environments: "
        f"install {package} (Debian, Ubuntu: apt install {package}) and run this again"
    )


def failed(tool: str, why: str) -> Exception:
    """The fault of a tool that ended badly."""
    from moorage.errors import MoorageError

    lines = [line.strip() for line in why.splitlines() if line.strip()] or ["no reason given"]
    return MoorageError(f"{tool} failed: {lines[-1]} (all of its output: {LOG})")


if __name__ == "__main__":
    sys.exit(main())
