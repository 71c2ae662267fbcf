"""A reader of server-sent events that hands over each event with the read that completed it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"[\r\n]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class SseError(Exception):
    """A stream that is not one of server-sent events, or an event beyond the memory allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SseEvent:
    data: str
    name: str = ""  # the `event:` field


class SseReader:
    """Takes bytes as they arrive, split anywhere; gives back the events they complete.

    Lines may end in LF, CRLF or CR; comments and unknown fields are skipped. Only whole lines are
    decoded, so a character split between two reads stays whole.
    """

    def __init__(self, *, max_event_bytes: int = 1 << 20) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()  # the line that has not ended yet
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._name = ""
        self._after_cr = False  # an LF at the start of the next read belongs to the CR before it
        self._first_line = True

    def feed(self, chunk: bytes) -> list[SseEvent]:
        events: list[SseEvent] = []
        start = 0
        if self._after_cr and chunk:
            start = int(chunk.startswith(b"\n"))
            self._after_cr = False
        while (found := _LINE_END.search(chunk, start)) is not None:
            self._keep(chunk[start : found.start()])
            self._end_line(events)
            start = self._past_line_end(chunk, found.start())
        self._keep(chunk[start:])
        return events

    def finish(self) -> list[SseEvent]:
        """The event that the end of the stream left without its blank line, if there is one."""
        events: list[SseEvent] = []
        if self._line:
            self._end_line(events)
        self._dispatch(events)
        return events

    def _past_line_end(self, chunk: bytes, at: int) -> int:
        if chunk[at : at + 1] == b"\n":
            return at + 1
        if at + 1 == len(chunk):
            self._after_cr = True
            return at + 1
        return at + 2 if chunk[at + 1 : at + 2] == b"\n" else at + 1

    def _keep(self, part: bytes) -> None:
        self._line += part
        if len(self._line) + self._data_bytes > self._max_event_bytes:
            message = f"an event of more than {self._max_event_bytes} bytes"
            raise SseError(message)

    def _end_line(self, events: list[SseEvent]) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._first_line = False
        if line:
            self._take_field(line)
        else:
            self._dispatch(events)

    def _take_field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif field == b"event":
            self._name = value.decode(errors="replace")

    def _dispatch(self, events: list[SseEvent]) -> None:
        if self._data:
            data = b"\n".join(self._data).decode(errors="replace")
            events.append(SseEvent(data=data, name=self._name))
        self._data.clear()
        self._data_bytes = 0
        self._name = ""
