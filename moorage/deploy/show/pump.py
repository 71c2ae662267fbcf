"""The pump carries events to a display in a thread of its own: the engine never waits for one."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import Final, Protocol, TextIO

from moorage.deploy.events import Began, Ended, Event

TICK_S: Final = 0.125
PATIENCE_S: Final = 5.0  # with an output that nobody reads, at the end of an operation


class Display(Protocol):
    """What shows events, and draws or says something now and then by itself."""

    def __call__(self, event: Event) -> None:
        """Show what the event is worth."""

    def tick(self) -> None:
        """Show what the passing of time is worth."""


class Pump:
    """A display that cannot hold up or break an operation, however it fails."""

    def __init__(self, display: Display, out: TextIO, *, notes: TextIO | None = None) -> None:
        self._display: Display | None = display
        self._out = out
        self._notes = notes or sys.stderr
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()  # signal handlers may put
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()

    def __call__(self, event: Event) -> None:
        """Hand an event on; outside of an operation it is shown before this returns."""
        if isinstance(event, Began) and not self._is_running():
            self._idle.clear()
            # Not a daemon: what is still to be written at the end of the process gets written.
            self._thread = threading.Thread(target=self._run, name="display")
            self._events.put(event)
            self._thread.start()
        elif self._is_running():
            self._events.put(event)
            if isinstance(event, Ended):
                self._idle.wait(PATIENCE_S)
        else:
            self._show(event)

    def _is_running(self) -> bool:
        return self._thread is not None and not self._idle.is_set()

    def _run(self) -> None:
        """Show event after event until the operation is over, or the process is."""
        due_s = 0.0
        while threading.main_thread().is_alive() or not self._events.empty():
            event = self._next(due_s)
            if event is not None:
                self._show(event)
            if isinstance(event, Ended) and self._events.empty():
                break
            if time.monotonic() >= due_s:
                self._tick()
                due_s = time.monotonic() + TICK_S
        self._idle.set()
        while not self._events.empty():  # handed on while we decided to end
            self._show(self._events.get())

    def _next(self, due_s: float) -> Event | None:
        try:
            return self._events.get(timeout=max(0.0, due_s - time.monotonic()))
        except queue.Empty:
            return None

    def _show(self, event: Event) -> None:
        if self._display is None:
            return
        try:
            self._display(event)
        except Exception as error:  # noqa: BLE001  whatever a display does, the operation goes on
            self._drop(error)

    def _tick(self) -> None:
        if self._display is None:
            return
        try:
            self._display.tick()
        except Exception as error:  # noqa: BLE001
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        """Leave the display out from now on, with one note where one can still be written."""
        self._display = None
        why = str(error)
        if isinstance(error, OSError):
            self._silence()
            is_left = isinstance(error, BrokenPipeError)
            why = "nobody reads it any more" if is_left else str(error.strerror or error)
        with suppress(Exception):
            self._notes.write(f"moorage: progress is no longer shown: {why}; the work goes on\n")
            self._notes.flush()

    def _silence(self) -> None:
        """Let what is still buffered for the stream go nowhere: the engine's SDK flushes it too."""
        with suppress(Exception):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._out.fileno())
            os.close(nowhere)
