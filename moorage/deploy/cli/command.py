"""The command runs Pulumi's CLI in a session of its own, so that an interrupt reaches it once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

import psutil
from pulumi.automation import CommandResult, OnOutput, PulumiCommand
from pulumi.automation.errors import CommandError
from semver import VersionInfo

from moorage.deploy.cli.pulumi_cli import Cli

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KILLED: set[int] = set()  # the pids of our CLIs that a signal ended: they may have left a lock
DRAIN_S = 5.0  # a plugin that outlives a killed CLI may hold its pipes open


class CliFailed(CommandError):  # noqa: N818 (named after what happened)
    """The CLI ended badly; unlike its base this keeps what it printed apart."""

    def __init__(self, result: CommandResult) -> None:
        super().__init__(result)
        self.result = result


class Interrupted(Exception):  # noqa: N818 (a person's wish, not an error)
    """No further command is run once a person has interrupted."""


class Command(PulumiCommand):
    """Pulumi's CLI, found already, that can be interrupted and killed."""

    def __init__(self, cli: Cli) -> None:
        # Not calling the base: it would ask the CLI for its version once more.
        self.command = str(cli.path)
        self.version = VersionInfo.parse(cli.version)
        self.interrupted = False
        self.killed = False
        self._process: subprocess.Popen[str] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
        *,
        deadline_s: float | None = None,
    ) -> CommandResult:
        """Run one CLI command to its end; raises CliFailed when it fails, or does not end."""
        if self.interrupted:
            raise Interrupted
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=self._environment(additional_env),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self._process = process
            if self.interrupted:  # while the process was started, where nothing reached it
                (self.kill if self.killed else self.cancel)()
            out, err = _Reader(process.stdout, on_output), _Reader(process.stderr, on_error)
            code = _ended(process, deadline_s)
            self._process = None
            if code < 0:
                KILLED.add(process.pid)
            result = CommandResult(stdout=out.text(), stderr=err.text(), code=code)
        if code != 0:
            raise CliFailed(result)
        return result

    def finds(self, program: str) -> bool:
        """Whether the CLI has a program on its PATH."""
        return shutil.which(program, path=self._environment({})["PATH"]) is not None

    def interrupt(self) -> None:
        """Ask the CLI to cancel: it stops what is under way, saves the state, frees the lock."""
        self.interrupted = True
        self.cancel()

    def cancel(self) -> None:
        """The same, without that anybody interrupted."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the CLI and its plugins at once; what they were doing is settled by the next run."""
        self.killed = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(psutil.Error):
            plugins = psutil.Process(process.pid).children()  # not theirs: those are what serves
            process.kill()
            for plugin in plugins:
                with suppress(psutil.Error):
                    plugin.kill()

    def _environment(self, additional_env: Mapping[str, str]) -> dict[str, str]:
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        beside = str(Path(self.command).parent)  # plugins that come with the CLI lie beside it
        return {**env, "PATH": os.pathsep.join([beside, env.get("PATH", os.defpath)])}


def _ended(process: subprocess.Popen[str], deadline_s: float | None) -> int:
    try:
        return process.wait(deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class _Reader:
    """Reads one of the CLI's streams in a thread."""

    def __init__(self, stream: IO[str] | None, on_line: OnOutput | None) -> None:
        assert stream is not None
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream, on_line), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """All that was written."""
        self._thread.join(DRAIN_S)
        return "\n".join(self._lines)

    def _read(self, stream: IO[str], on_line: OnOutput | None) -> None:
        with suppress(ValueError):  # closed under us when the drain took too long
            for line in stream:
                self._lines.append(line.rstrip())
                if on_line is not None:
                    on_line(line.rstrip())


@contextmanager
def interruptible(command: Command, say: Callable[[str], None]) -> Iterator[None]:
    """Within the block the first interrupt cancels and the second kills."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if command.interrupted:
            say("killing Pulumi at once; the next command on this stack settles what was under way")
            command.kill()
            return
        command.interrupt()
        say("cancelling: what is under way stops, the state is saved (interrupt again to kill)")

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
