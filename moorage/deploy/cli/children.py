"""Children are short programs started here: with a deadline, in a group that ends as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_running: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a child ended; `code` is None when its deadline passed first."""

    code: int | None
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line it wrote to stderr, or to stdout when stderr is empty."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1] if lines else ""


def ask(
    command: Sequence[str | Path],
    *,
    deadline_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Ended:
    """Run a command to its end or its deadline; raises OSError when it cannot be started."""
    with started(command, env=env, cwd=cwd) as process:
        try:
            out, err = process.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            return Ended(code=None, out="", err="")
        return Ended(code=process.returncode, out=out, err=err)


def ask_with_input(
    command: Sequence[str | Path], text: str, *, deadline_s: float, cwd: Path | None = None
) -> Ended:
    """Run a command that reads `text` from its stdin."""
    with started(command, cwd=cwd, stdin=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(text, timeout=deadline_s)
        except subprocess.TimeoutExpired:
            return Ended(code=None, out="", err="")
        return Ended(code=process.returncode, out=out, err=err)


def ask_while(
    command: Sequence[str | Path],
    text: str,
    is_answer: Callable[[str], bool],
    *,
    deadline_s: float,
    cwd: Path | None = None,
) -> Ended:
    """The same of a program that may be another one than was meant: what is no answer ends it."""
    out: list[str] = []
    with started(command, cwd=cwd, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        alarm = threading.Timer(deadline_s, _end_group, [process])
        alarm.start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(text)
                process.stdin.close()
            for line in process.stdout:
                out.append(line)
                if not is_answer(line):
                    return Ended(code=None, out="".join(out), err="")
            code = process.wait()
            err = process.stderr.read() if process.stderr is not None else ""
        finally:
            alarm.cancel()
        return Ended(code=code, out="".join(out), err=err)


def follow(
    command: Sequence[str | Path],
    on_line: Callable[[str], None],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> int:
    """Run a command to its end, handing over every line that it writes; returns its exit status."""
    with started(command, env=env, cwd=cwd, pass_fds=pass_fds, merge=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            on_line(line.rstrip())
        return process.wait()


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    merge: bool = False,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a group of its own; whatever is left of the group ends with the block."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        text=True,
        errors="replace",
        env=dict(env) if env is not None else None,
        cwd=cwd,
        pass_fds=pass_fds,
        start_new_session=True,
    )
    _running.add(process)
    try:
        yield process
    finally:
        _end_group(process)
        _running.discard(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()


def end_all() -> None:
    """End every child that any thread has running, before this process leaves in a hurry."""
    for process in list(_running):
        _end_group(process)


def _end_group(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
