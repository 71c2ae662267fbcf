"""Events are told apart however the bytes arrive."""

from __future__ import annotations

import pytest

from moorage.gateway.sse import Kind, Splitter, ends_done, first_of_weight

CONTENT = b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n'
ROLE = b'data: {"choices": [{"delta": {"role": "assistant", "content": null}}]}\n\n'


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
@pytest.mark.parametrize("size", range(1, 9))
def test_whole_events_come_out_as_soon_as_they_are_whole(end: bytes, size: int) -> None:
    stream = b"".join([b"data: 1", end, b": ping", end, b"data: 2", end, b"data: half"])
    splitter = Splitter()
    out = [splitter.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert b"".join(out) == stream.removesuffix(b"data: half")
    assert all(each.endswith(end) for each in out if each)
    assert splitter.rest == b"data: half"


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (b"", Kind.PRELUDE),
        (b": ping\n\n", Kind.PRELUDE),
        (b"event: progress\nid: 7\n\n", Kind.PRELUDE),
        (ROLE, Kind.PRELUDE),
        (b'data: {"choices": [{"delta": {"content": ""}}]}\n\n', Kind.PRELUDE),
        (b'data: {"choices": []}\n\n', Kind.PRELUDE),
        (b'data: {"choices": [7, {"delta": 7}], "error": null}\n\n', Kind.PRELUDE),
        (ROLE + CONTENT, Kind.CONTENT),
        (ROLE.replace(b"\n", b"\r\n") + CONTENT, Kind.CONTENT),
        (b'data:{"choices": [{"text": "x"}]}\n\n', Kind.CONTENT),
        (b'data: {"choices": [\ndata: {"text": "x"}]}\n\n', Kind.CONTENT),
        (b"data: [DONE]\n\n", Kind.DONE),
        (b'data: {"error": {"message": "x"}}\n\n' + CONTENT, Kind.ERROR),
        (b"event: error\ndata: {}\n\n", Kind.ERROR),
        (CONTENT + b"data: {\n\n", Kind.CONTENT),
        (b"data: {\n\n", Kind.BROKEN),
        (b"data: \xff\n\n", Kind.BROKEN),
        (b"data: []\n\n", Kind.BROKEN),
        (b"data: " + b"[" * 100_000 + b"\n\n", Kind.BROKEN),
    ],
)
def test_the_first_event_of_weight_decides(events: bytes, kind: Kind) -> None:
    assert first_of_weight(events) is kind


def test_done_is_an_event_and_not_a_word() -> None:
    assert ends_done(CONTENT + b"data: [DONE]\n\n")
    assert ends_done(b"data:[DONE]\r\n\r\n")
    assert not ends_done(b'data: {"choices": [{"delta": {"content": "data: [DONE]"}}]}\n\n')
    assert not ends_done(b"")
