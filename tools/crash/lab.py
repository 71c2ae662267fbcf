"""A lab is the folder of one point: a project, its drivers, and what became of them."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final, Self

import psutil

from crash import programs
from tests import vault

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 400.0  # a driver that has not ended by then hangs
MARK: Final = "MOORAGE_TEST_CLOUD"
_GLANCE_S: Final = 0.02
_DEATH_S: Final = 5.0
_NOT_OURS: Final = ("PULUMI_", "MOORAGE_", "HF_")  # of the environment of who runs the sweep
# Every driver is a process of its own, forked where all that it imports is loaded already.
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([programs.__name__])
_MANIFEST: Final = "name: demo\nruntime: python\nstackConfigDir: stacks\n"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a driver said of an operation; `code` is None when it died or hung."""

    code: int | None
    fault: str = ""
    changed: bool = False

    @property
    def is_fine(self) -> bool:
        """Whether the operation succeeded."""
        return self.code == 0

    def __str__(self) -> str:
        return "died" if self.code is None else f"exit code {self.code}: {self.fault}"


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A driver process, to be asked for one operation after another."""

    process: BaseProcess
    line: Connection

    def tell(self, operation: str) -> None:
        """Have an operation begun."""
        with suppress(OSError):
            self.line.send(operation)

    def answer(self) -> Answer:
        """Wait for the end of the operation."""
        if not self.line.poll(PATIENCE_S):
            self.process.kill()
            return Answer(code=None, fault="hung")
        with suppress(EOFError, OSError):
            return Answer(**self.line.recv())
        return Answer(code=None)

    def ask(self, operation: str) -> Answer:
        """Run an operation to its end."""
        self.tell(operation)
        return self.answer()

    def end(self) -> None:
        """Let it go; no operation is under way."""
        self.line.close()
        self.process.join()


@dataclass(frozen=True, kw_only=True)
class Lab(ABC):
    """The folder, everything that is in it, and the cloud that its drivers work on."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict, repr=False)
    is_shared: bool = False  # the backend is a folder outside the checkout

    @property
    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What may be nowhere in plain."""

    @abstractmethod
    def things(self) -> dict[str, Any]:
        """What the cloud has, by id."""

    @abstractmethod
    def calls(self) -> list[str]:
        """What was called, in order; what changed the cloud as `POST a`, `PUT a`, `DELETE a`."""

    @abstractmethod
    def points(self) -> list[str]:
        """The points that were passed since the operation began."""

    @abstractmethod
    def doomed(self, number: int, victims: str) -> Driver:
        """A driver that is to meet these deaths at the point of that number."""

    @abstractmethod
    def was_struck(self) -> bool:
        """Whether that point was reached."""

    @abstractmethod
    def begun_anew(self) -> Self:
        """This lab, with no point passed yet."""

    @property
    def changing(self) -> tuple[str, ...]:
        """Outputs that are others in every run."""
        return ()

    @property
    def mark(self) -> Path:
        """What the environment of every process of this lab names."""
        return self.folder / "cloud"

    @property
    def project(self) -> Path:
        """The checkout."""
        return self.folder / "project"

    @property
    def home(self) -> Path:
        """The folder that moorage itself keeps in the checkout."""
        return self.project / ".moorage"

    @property
    def backend(self) -> Path:
        """The folder of Pulumi's file backend, the checkout's own or a shared one."""
        return (self.folder / "shared" if self.is_shared else self.home / "state") / ".pulumi"

    def lay_out(self, project: Path | None = None) -> None:
        """Write the project."""
        project = project or self.project
        (project / "stacks").mkdir(parents=True)
        (project / "Pulumi.yaml").write_text(_MANIFEST)
        sealed = vault.ADDRESS in self.environ
        settings = f"secretsprovider: {vault.PROVIDER}\n" if sealed else "config: {}\n"
        (project / "stacks" / "Pulumi.local.yaml").write_text(settings)

    def copied(self, folder: Path) -> Self:
        """Another lab that is as this one is now."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, symlinks=True)
        return replace(self, folder=folder)

    def driver(self, project: Path | None = None, **environ: str) -> Driver:
        """Start a driver; what it shows goes to a file."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_OURS)}
        ours = {MARK: str(self.mark), "PULUMI_HOME": str(self.folder / "pulumi home")}
        if self.is_shared:
            self.backend.parent.mkdir(exist_ok=True)
            url = f"file://{self.backend.parent}"
            ours |= {"PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": "of many"}
        log = self.folder / f"driver-{len(self.logs()) + 1}.log"
        log.touch()
        everything = {**kept, **ours, "PYTHONPATH": str(ROOT), **self.environ, **environ}
        line, theirs = _FORKS.Pipe()
        process = _FORKS.Process(
            target=programs.serve, args=(theirs, project or self.project, log, everything)
        )
        process.start()
        theirs.close()
        return Driver(process=process, line=line)

    def logs(self) -> list[Path]:
        """What the drivers showed."""
        return sorted(self.folder.glob("driver-*.log"))

    def deployment(self) -> dict[str, Any]:
        """What the state says now; nothing where there is no stack."""
        path = self.backend / "stacks" / "demo" / "local.json"
        if not path.exists():
            return {}
        latest: dict[str, Any] | None = json.loads(path.read_text())["checkpoint"]["latest"]
        return latest or {}

    def locks(self) -> list[Path]:
        """Every lock that a run has left."""
        leases = self.backend.parent.rglob("leases/**/*.json")
        flocks = [path for path in self.folder.glob("*/.moorage/*.lock") if _is_held(path)]
        return [*self.backend.glob("locks/**/*.json"), *flocks, *leases]

    def processes(self) -> Iterator[psutil.Process]:
        """What lives and works for this lab, told by its environment."""
        mark = f"{MARK}={self.mark}".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError, psutil.Error):
                if mark in path.read_bytes().split(b"\0"):
                    process = psutil.Process(int(path.parent.name))
                    if process.status() != psutil.STATUS_ZOMBIE:
                        yield process

    def engines(self) -> list[psutil.Process]:
        """The CLIs at work."""
        found = []
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                if process.name() == "pulumi":
                    found.append(process)
        return found

    def kill(self, driver: Driver, victims: str) -> None:
        """Kill -9 some of program, cli and provider, and return once they are dead."""
        engines = self.engines() if "cli" in victims or "provider" in victims else []
        plugins: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            plugins = [plugin for engine in engines for plugin in engine.children()]
        if "program" in victims:
            driver.process.kill()
        doomed = (engines if "cli" in victims else []) + (plugins if "provider" in victims else [])
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        until(lambda: all(map(_is_dead, doomed)), _DEATH_S)

    def quiet(self, timeout_s: float) -> bool:
        """Wait until nothing works for this lab any more."""
        return until(lambda: not any(self.processes()), timeout_s)

    def clear(self) -> None:
        """End whatever is left."""
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()


def until(condition: Callable[[], object], timeout_s: float) -> bool:
    """Wait for something to become true."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(_GLANCE_S)
    return True


def _is_dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _is_held(path: Path) -> bool:
    """Whether a process holds the kernel's lock on a file; the file alone holds up nobody."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
