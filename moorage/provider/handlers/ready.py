"""Waiting until a process truly serves: its API answers, and it lives meanwhile."""

from __future__ import annotations

import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from moorage.provider.handler import Context, State
from moorage.provider.handlers import machine
from moorage.provider.serving import probe

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0
_LONGEST_PROBE_S: Final = 30.0  # the first answer of a large model takes its time
_REPORT_EVERY_S: Final = 2.0


@dataclass(kw_only=True, slots=True)
class _Wait:
    """One wait: what is asked, of whom, until when."""

    question: probe.Question | None  # None: that it accepts connections is enough
    address: tuple[str, int]
    contains: str
    directory: str
    pid: int
    timeout_s: float
    context: Context = field(repr=False)
    began_s: float = field(default_factory=time.monotonic)
    reported_s: float = 0.0
    last: str = ""

    @property
    def what(self) -> str:
        """What is waited for."""
        return self.question.url if self.question else "{}:{}".format(*self.address)

    def is_over(self) -> bool:
        """Whether nobody needs to ask any more."""
        return (
            self.context.cancelled.is_set()
            or self.left_s() <= 0
            or not machine.is_alive(self.pid, self.directory)
        )

    def left_s(self) -> float:
        """The time that is left: of this wait, and of the whole call."""
        own = self.began_s + self.timeout_s - time.monotonic()
        return min(own, self.context.remaining_s())

    def report(self) -> None:
        """Say now and then what is being waited for."""
        now = time.monotonic()
        if now - self.reported_s >= _REPORT_EVERY_S:
            self.reported_s = now
            elapsed = f"{now - self.began_s:.0f} s"
            line = f"pid {self.pid}: waiting for {self.what}"
            self.context.progress(f"{line} ({elapsed}): {self.last}" if self.last else line)


def wait(inputs: State, *, pid: int, port: int, context: Context) -> str | None:
    """None once it serves; otherwise one line on why it does not."""
    ready = inputs["ready"]
    waiting = _Wait(
        question=_question(inputs, port) if "path" in ready else None,
        address=(inputs["host"], port),
        contains=ready.get("contains", ""),
        directory=inputs["directory"],
        pid=pid,
        timeout_s=ready["timeoutSeconds"],
        context=context,
    )
    return None if _serves(waiting) else _reason(waiting)


def _question(inputs: State, port: int) -> probe.Question:
    ready = inputs["ready"]
    return probe.Question(
        url=f"http://{inputs['host']}:{port}{ready['path']}",
        body=ready.get("body"),
        key=inputs.get("readyKey"),
    )


def _serves(waiting: _Wait) -> bool:
    pause_s = _FIRST_PAUSE_S
    while not waiting.is_over():
        waiting.report()
        timeout_s = min(_LONGEST_PROBE_S, max(0.1, waiting.left_s()))
        if _asked(waiting, waiting.question, timeout_s):
            return True
        waiting.context.cancelled.wait(min(pause_s, max(0.0, waiting.left_s())))
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    return False


def _asked(waiting: _Wait, question: probe.Question | None, timeout_s: float) -> bool:
    """Whether it serves now; if not, what was heard is kept."""
    if question is None:
        return _accepts(waiting, timeout_s)
    answer = probe.ask(question, timeout_s=timeout_s, given_up=waiting.is_over)
    if answer is None:
        return False
    waiting.last = _told(answer)
    return answer.is_good and waiting.contains in answer.text


def _accepts(waiting: _Wait, timeout_s: float) -> bool:
    try:
        socket.create_connection(waiting.address, timeout_s).close()
    except OSError as error:
        waiting.last = error.strerror or str(error)
        return False
    return True


def _told(answer: probe.Answer) -> str:
    return "the answer lacks the text expected" if answer.is_good else str(answer)


def _reason(waiting: _Wait) -> str:
    log = Path(waiting.directory, "log")
    if not machine.is_alive(waiting.pid, waiting.directory):
        how = _manner(machine.exit_code(waiting.pid))
        tail = machine.readable_tail(log) or "it wrote nothing"
        return f"the process ended{how} before it served: {tail}; its log: {log}"
    if waiting.context.cancelled.is_set():
        stays = f"pid {waiting.pid} keeps running, run up again to wait on"
        return f"cancelled while waiting for {waiting.what}; {stays}"
    elapsed = f"{time.monotonic() - waiting.began_s:.0f} s"
    return (
        f"{waiting.what} does not serve after {elapsed}:"
        f" {waiting.last or 'no answer'};"
        f" pid {waiting.pid} keeps running, its log: {log}; run up again to wait on"
    )


def _manner(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    return f" by {signal.Signals(-exit_code).name}" if exit_code < 0 else f" with code {exit_code}"
