"""The pump: a display that fails or hangs is the display's affair, never the operation's."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from moorage.deploy import display
from moorage.deploy.events import Began, Ended, Event, Note
from moorage.deploy.show.plain import PlainLines
from moorage.deploy.show.pump import Pump
from moorage.errors import MoorageError

BEGAN = Began(operation="up", stack="local")
ENDED = Ended(operation="up", stack="local", fine=True, changes={}, duration_s=1.0)


class Recorder:
    """A display that remembers, and does what a test wants done."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self.ticks = 0
        self.hold = threading.Event()
        self.hold.set()
        self.break_at: type[Event] | None = None

    def __call__(self, event: Event) -> None:
        self.hold.wait(30)
        if self.break_at is not None and isinstance(event, self.break_at):
            raise ValueError("a mistake in the display")
        self.seen.append(event)

    def tick(self) -> None:
        self.ticks += 1


def test_every_event_is_shown_in_order_before_the_operation_is_over() -> None:
    recorder = Recorder()
    pump = Pump(recorder, io.StringIO())
    told: list[Event] = [
        Note(text="before"),
        BEGAN,
        *(Note(text=str(n)) for n in range(500)),
        ENDED,
    ]
    told.append(Note(text="after"))
    for event in told:
        pump(event)
    assert recorder.seen == told


def test_one_operation_after_another_is_shown() -> None:
    recorder = Recorder()
    pump = Pump(recorder, io.StringIO())
    for event in (BEGAN, ENDED, BEGAN, ENDED):
        pump(event)
    assert recorder.seen == [BEGAN, ENDED, BEGAN, ENDED]
    assert recorder.ticks


def test_a_display_with_a_mistake_is_left_out_with_one_note() -> None:
    recorder, notes = Recorder(), io.StringIO()
    recorder.break_at = Note
    pump = Pump(recorder, io.StringIO(), notes=notes)
    for event in (BEGAN, Note(text="one"), Note(text="two"), ENDED):
        pump(event)
    assert recorder.seen == [BEGAN]
    assert notes.getvalue() == (
        "moorage: progress is no longer shown: a mistake in the display; the work goes on\n"
    )


def test_a_display_that_hangs_does_not_hold_up_the_engine() -> None:
    recorder = Recorder()
    recorder.hold.clear()
    pump = Pump(recorder, io.StringIO())
    began_s = time.monotonic()
    pump(BEGAN)
    for number in range(10_000):
        pump(Note(text=str(number)))
    assert time.monotonic() - began_s < 5  # it hangs for 30
    recorder.hold.set()
    pump(ENDED)
    assert len(recorder.seen) == 10_002


def test_a_reader_that_went_away_gets_the_rest_nowhere() -> None:
    """As `| head -1` does; Python itself must not complain at its end either."""
    program = (
        "from moorage.deploy import display\n"
        "from moorage.deploy.events import Began, Ended, Note\n"
        "show = display.choose(form='json')\n"
        "show(Began(operation='up', stack='local'))\n"
        "for n in range(10_000): show(Note(text='x' * 100))\n"
        "show(Ended(operation='up', stack='local', fine=True, changes={}, duration_s=1.0))\n"
        "print('the work is done')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert os.read(process.stdout.fileno(), 20)
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) == 0
    assert err == (
        "moorage: progress is no longer shown: nobody reads it any more; the work goes on\n"
    )


def test_an_output_on_a_full_disk_fails_nothing_that_writes_to_it_later() -> None:
    """The engine's SDK flushes stdout, and would have the run fail for what it cannot write."""
    program = (
        "import sys\n"
        "from moorage.deploy import display\n"
        "from moorage.deploy.events import Began, Ended, Note\n"
        "show = display.choose(form='json')\n"
        "show(Began(operation='up', stack='local'))\n"
        "show(Note(text='x' * 100))\n"
        "show(Ended(operation='up', stack='local', fine=True, changes={}, duration_s=1))\n"
        "sys.stdout.flush()\n"
    )
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program],
            env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 0
    assert ended.stderr == (
        "moorage: progress is no longer shown: No space left on device; the work goes on\n"
    )


def test_a_pipe_gets_plain_lines_and_an_unknown_form_is_refused() -> None:
    out = io.StringIO()
    show = display.choose(out)
    show(Note(text="hello"))
    assert out.getvalue().endswith("hello\n")
    with pytest.raises(MoorageError, match="fancy: no such display; there are auto, live, plain"):
        display.choose(out, form="fancy")


def test_letters_that_a_stream_cannot_hold_do_not_break_it() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    PlainLines(out)(Note(text="größer"))
    assert raw.getvalue().endswith(b"gr??er\n")
