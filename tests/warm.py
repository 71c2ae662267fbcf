"""Runs of Python modules that begin with their imports done.

A driver spends most of its time on importing Pulumi's SDK. Here a server imports a module once and
is forked for every run of it, which else is as any: `python -m MODULE WORDS`, with a pid, outputs,
an environment and an end of its own. Only the command line that others see is the server's.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[1]
_LONGEST_S: Final = 300.0
# What check, lock, plan and new import and where it comes from, but for huggingface_hub: that looks
# at the environment while it is imported.
_COMMANDS: Final = (
    *("moorage.cli", "moorage.plan.load", "moorage.plan.show.render", "moorage.spec.compose"),
    *("moorage.plan.catalogue.catalog", "filelock", "httpx2", "tqdm"),
)
_ENDS_S: Final = 5.0  # milliseconds on an idle machine


class Run:
    """What `subprocess.Popen` tells of a process with both outputs in pipes."""

    def __init__(
        self,
        module: str,
        words: Sequence[str],
        env: Mapping[str, str],
        cwd: Path | None = None,
        *,
        knows: Sequence[str] = (),
    ) -> None:
        """Run a module; `knows` is what is imported before, its own imports if nothing is said."""
        self.args = [module, *words]
        self.returncode: int | None = None
        (out, out_end), (err, err_end), (told, told_end) = os.pipe(), os.pipe(), os.pipe()
        self.stdout, self.stderr = _Pipe(out), _Pipe(err)
        self._told = os.fdopen(told)
        with tempfile.TemporaryFile("w+") as asked:
            place = str(cwd or Path.cwd())
            json.dump({"words": list(words), "env": dict(env), "cwd": place}, asked)
            asked.flush()
            fds = [asked.fileno(), out_end, err_end, told_end]
            server, asking = _server(module, tuple(knows or [module]))
            socket.send_fds(asking, [b"r"], fds)
        for end in (out_end, err_end, told_end):
            os.close(end)
        pid = self._told.readline()
        assert pid, f"no server of {module}: {server.communicate()[0]}"
        self.pid = int(pid)

    def poll(self) -> int | None:
        """The exit code, where it has ended."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""
        code = self._ended(_LONGEST_S if timeout is None else timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or _LONGEST_S)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it has written, once it has ended."""
        timeout = _LONGEST_S if timeout is None else timeout
        deadline_s = time.monotonic() + timeout
        for pipe in (self.stdout, self.stderr):
            if not pipe.drained(max(0.0, deadline_s - time.monotonic())):
                raise subprocess.TimeoutExpired(self.args, timeout)
        self.wait(max(0.0, deadline_s - time.monotonic()))
        return self.stdout.text, self.stderr.text

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _ended(self, timeout: float) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            # Where even the server is gone nobody can tell, and nothing runs.
            self.returncode = int(self._told.readline() or -signal.SIGKILL)
            self._told.close()
        return self.returncode


def moorage(
    *words: str, cwd: Path, env: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """A command of a specs folder, run to its end."""
    run = Run("moorage", words, env, cwd, knows=_COMMANDS)
    try:
        out, err = run.communicate(60)
    finally:
        run.kill()
    return subprocess.CompletedProcess(run.args, run.wait(), out, err)


class _Pipe:
    """An output, read to its end by a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        self.text = ""
        self._reading = threading.Thread(target=self._read, args=[descriptor], daemon=True)
        self._reading.start()

    def drained(self, timeout: float) -> bool:
        """Whether its end is reached within so many seconds."""
        self._reading.join(timeout)
        return not self._reading.is_alive()

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as stream:
            self.text = stream.read()


@functools.cache
def _server(module: str, knows: tuple[str, ...]) -> tuple[subprocess.Popen[str], socket.socket]:
    """A server of runs of the module, and how it is asked; it ends with this process.

    Its own outputs are pipes as those of the runs are: Python looks at what they are only once.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(theirs.fileno()), module, *knows],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[theirs.fileno()],
        )
    atexit.register(_end, server, ours)
    return server, ours


def _end(server: subprocess.Popen[str], asking: socket.socket) -> None:
    asking.close()
    assert server.stdout is not None
    server.stdout.close()
    try:
        server.wait(_ENDS_S)
    except subprocess.TimeoutExpired:  # a fork of this process still holds the other end
        server.kill()
        server.wait()


def _serve(asking: socket.socket, knows: Sequence[str]) -> list[str]:
    """Fork for every run that is asked for; only in the fork does this return, with its words."""
    for name in knows:
        importlib.import_module(name)
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(
        signal.SIG_BLOCK, [signal.SIGINT]
    )  # a fork may get one before it is told
    running: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([asking, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell_ended(running)
        if asking in ready:
            data, fds, _, _ = socket.recv_fds(asking, 1, 4)
            if not data:
                os._exit(0)  # nobody can ask any more; who runs goes on
            asked, out, err, told = fds
            pid = os.fork()
            if pid == 0:
                for one in (asking, woken, waker):
                    one.close()
                return _become(asked, out, err, [told, *running.values()])
            for fd in (asked, out, err):
                os.close(fd)
            os.write(told, f"{pid}\n".encode())
            running[pid] = told


def _tell_ended(running: dict[int, int]) -> None:
    for pid, told in [*running.items()]:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with suppress(OSError):  # nobody waits for it
                os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(running.pop(pid))


def _become(asked: int, out: int, err: int, others: Sequence[int]) -> list[str]:
    """In the fork: the outputs, environment and folder of the run, and nothing of the server's."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(out, 1)
    os.dup2(err, 2)
    with os.fdopen(asked) as file:
        file.seek(0)
        told: dict[str, Any] = json.load(file)
    for fd in (out, err, *others):
        os.close(fd)
    os.chdir(told["cwd"])
    os.environ.clear()
    os.environ.update(told["env"])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    return list(told["words"])


def main() -> None:
    """Serve; in a fork, be the module."""
    number, module, *knows = sys.argv[1:]
    sys.argv[1:] = _serve(socket.socket(fileno=int(number)), knows)
    sys.modules.pop(module, None)  # what it imports is known; the module itself is run anew
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
