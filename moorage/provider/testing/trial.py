"""Single calls of a provider, each in a process that may be killed at any effect it has outside.

For tests. A process loads a package once and then forks for every call, so that a call costs
milliseconds. An effect is one of Python's audit events: a connection opened,
a message sent, a file written, a process started or signalled.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import IO, Any, Final

import pytest

from moorage.provider.package import Package
from moorage.provider.protocol import provider_pb2
from moorage.provider.servicer import Provider
from moorage.provider.testing.client import Refused, init_failed
from moorage.provider.values import encode

_START: Final = "from moorage.provider.testing import trial; trial.main()"
SENT: Final = "moorage.sent"  # raised for every message that leaves by a socket
EFFECTS: Final = frozenset(
    {
        *("socket.connect", "socket.sendto", SENT),
        *("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.kill", "os.killpg"),
        *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"),
        *("os.link", "os.symlink", "os.truncate"),
    }
)
_MESSAGES: Final[dict[str, tuple[Any, Any]]] = {
    "Create": (provider_pb2.CreateRequest, provider_pb2.CreateResponse),
    "Update": (provider_pb2.UpdateRequest, provider_pb2.UpdateResponse),
    "Delete": (provider_pb2.DeleteRequest, None),
    "Check": (provider_pb2.CheckRequest, provider_pb2.CheckResponse),
    "Diff": (provider_pb2.DiffRequest, provider_pb2.DiffResponse),
}
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a call: its answer, or its fault, or its death; and the effects it had."""

    effects: tuple[str, ...]
    was_killed: bool
    answer: Any = None
    fault: Exception | None = None


@dataclass(kw_only=True, slots=True)
class Trials:
    """The process that forks for every call."""

    process: subprocess.Popen[str] = field(repr=False)
    effects: frozenset[str] = EFFECTS
    config: Mapping[str, Any] = field(default_factory=dict)

    def call(self, method: str, request: Any, *, kill_at: int = 0) -> Outcome:
        """Call it; with `kill_at`, die by SIGKILL just before the effect of that number."""
        [outcome] = self.calls([(method, request)], kill_at=kill_at)
        return outcome

    def calls(self, wanted: Sequence[tuple[str, Any]], *, kill_at: int = 0) -> list[Outcome]:
        """Several calls, one after the other in one process."""
        question = {
            "calls": [(method, _packed(request)) for method, request in wanted],
            "kill_at": kill_at,
            "effects": sorted(self.effects),
            "config": dict(self.config),
            "environment": dict(os.environ),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            message = "the process that makes the calls has ended; see its message above"
            raise RuntimeError(message)
        return list(_understood([method for method, _ in wanted], json.loads(line)))


def _packed(message: Any) -> str:
    return base64.b64encode(message.SerializeToString()).decode()


def _understood(methods: Sequence[str], told: Sequence[Any]) -> Iterator[Outcome]:
    effects: list[str] = []
    left = list(methods)
    for one in told:
        if isinstance(one, str):
            effects.append(one)
        else:
            yield _outcome(left.pop(0), tuple(effects), one)
            effects = []
    if left:
        yield Outcome(effects=tuple(effects), was_killed=True)


def _outcome(method: str, effects: tuple[str, ...], told: Mapping[str, str]) -> Outcome:
    if "details" in told:
        fault: Exception = init_failed(base64.b64decode(told["details"]))
        return Outcome(effects=effects, was_killed=False, fault=fault)
    if "fault" in told:
        return Outcome(effects=effects, was_killed=False, fault=Refused(told["fault"]))
    kind = _MESSAGES[method][1]
    answer = kind.FromString(base64.b64decode(told["answer"])) if kind else None
    return Outcome(effects=effects, was_killed=False, answer=answer)


@contextmanager
def trials(
    module: str, file: str, name: str, effects: frozenset[str], *, hurry: str = ""
) -> Iterator[Trials]:
    """Trials of the package found as `name`, dotted, in a module that may lie outside packages.

    `hurry` names a function there that cuts pauses short.
    """
    where = {"module": module, "file": file, "name": name, "hurry": hurry, "path": sys.path}
    with subprocess.Popen(
        [sys.executable, "-c", _START, json.dumps(where)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Trials(process=process, effects=effects)
        assert process.stdin is not None
        process.stdin.close()


# --- within the process


def main() -> None:
    """Load the package, then answer every line by a fork."""
    where = json.loads(sys.argv[1])
    sys.path[:] = where["path"]
    sys.dont_write_bytecode = True
    found = _load(where["module"], where["file"])
    package = attrgetter(where["name"])(found)
    assert isinstance(package, Package)
    dict(package.handlers)  # all loaded now, or every fork would load them anew
    if where["hurry"]:
        attrgetter(where["hurry"])(found)(pytest.MonkeyPatch())  # as long as the process lives
    for line in sys.stdin:
        print(json.dumps(_tried(package, json.loads(line))), flush=True)


def _load(module: str, file: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location(module, file)
        assert spec is not None
        assert spec.loader is not None
        found = sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return found


def _tried(package: Package, question: dict[str, Any]) -> list[Any]:
    """What the fork tells: a text for every effect, a dict for every answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _leave(package, question, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = [json.loads(line) for line in pipe]
    os.waitpid(child, 0)
    return told


def _leave(package: Package, question: dict[str, Any], pipe: int) -> None:
    """In the fork: the calls, then the end, whatever happens."""
    try:
        os.environ.clear()
        os.environ.update(question["environment"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # a handler that prints must not break our own lines
        with os.fdopen(pipe, "w", closefd=False) as told:
            watch = _Watch(question["kill_at"], frozenset(question["effects"]), told)
            asyncio.run(_answer(package, question, watch))
    except BaseException:  # noqa: BLE001  nothing may leave the fork alive
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


async def _answer(package: Package, question: dict[str, Any], watch: _Watch) -> None:
    provider = Provider(package)
    config = encode(question["config"])
    await provider.Configure(provider_pb2.ConfigureRequest(args=config), None)
    watch.listen()
    for method, packed in question["calls"]:
        request = _MESSAGES[method][0].FromString(base64.b64decode(packed))
        watch.on = True
        try:
            told = {"answer": _packed(await getattr(provider, method)(request, _Call()))}
        except _Aborted as end:
            told = end.told
        watch.end(told)


class _Aborted(Exception):  # noqa: N818
    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.told = told


class _Call:
    """As much of gRPC's context as the servicer uses."""

    async def abort(self, _status: Any, message: str, metadata: Any) -> None:
        """End the call."""
        details = [value for key, value in metadata if key == "grpc-status-details-bin"]
        packed = {"details": base64.b64encode(details[0]).decode()} if details else {}
        raise _Aborted({"fault": message, **packed})


class _Watch:
    """Tells of every effect, and dies before the one it is told to die at."""

    def __init__(self, kill_at: int, effects: frozenset[str], told: IO[str]) -> None:
        self._kill_at = kill_at
        self._effects = effects
        self._told = told
        self._count = 0
        self.on = False
        self._lock = threading.RLock()

    def listen(self) -> None:
        """Hear of every event from now on."""
        sys.addaudithook(self._hear)
        for name in ("send", "sendall", "sendmsg"):
            _audited(socket.socket, name)

    def end(self, answer: dict[str, str]) -> None:
        """The answer; dying before it is given is the last way to die."""
        self.on = False
        if self._kill_at == self._count + 1:
            os.kill(os.getpid(), signal.SIGKILL)
        self._say(answer)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in self._effects or not _is_outside(event, arguments):
            return
        with self._lock:
            self._count += 1
            if self._count == self._kill_at:
                self.on = False
                os.kill(os.getpid(), signal.SIGKILL)
            self._say(f"{event} {arguments[0] if arguments else ''}"[:200])

    def _say(self, what: Any) -> None:
        print(json.dumps(what), file=self._told, flush=True)


def _audited(kind: type, name: str) -> None:
    original = getattr(kind, name)

    def send(self: Any, *arguments: Any, **more: Any) -> Any:
        # A loop wakes itself up by a pair of those, which have no names.
        if self.family != socket.AF_UNIX or self.getpeername():
            sys.audit(SENT, name)
        return original(self, *arguments, **more)

    setattr(kind, name, send)


def _is_outside(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether it can change anything outside: reading does not, nor does a question to a pid."""
    if event == "open":
        path, _mode, flags = arguments
        is_named = not isinstance(path, int)  # what is open already was heard of before
        return is_named and bool(flags & _WRITING) and not str(path).startswith("/dev/")
    if event in ("os.kill", "os.killpg"):
        return bool(arguments[1])
    return True
