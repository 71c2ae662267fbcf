"""The reader of server-sent events gives the same events however the network cuts the bytes."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.sse import SseError, SseEvent, SseReader


def read(*chunks: bytes) -> list[SseEvent]:
    reader = SseReader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


def data(*chunks: bytes) -> list[str]:
    return [event.data for event in read(*chunks)]


def reference(stream: bytes) -> list[SseEvent]:
    """The whole stream at once, written down as plainly as the standard says it."""
    events = []
    lines = re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf"))[:-1]
    datas: list[bytes] = []
    name = ""
    for line in lines:
        if not line:
            if datas:
                text = b"\n".join(datas).decode(errors="replace")
                events.append(SseEvent(data=text, name=name))
            datas, name = [], ""
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            datas.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    return events


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_lf_crlf_or_cr(end: bytes) -> None:
    assert data(b"data: a" + end + end + b"data: b" + end + end) == ["a", "b"]


def test_comments_and_pings_are_no_events() -> None:
    assert data(b": ping\n\n:\n\nevent: ping\n\ndata: a\n\n") == ["a"]


def test_lines_of_data_are_joined() -> None:
    assert data(b"data: one\ndata:\ndata: two\n\n") == ["one\n\ntwo"]


def test_the_space_after_the_colon_is_optional_and_only_one_is_taken() -> None:
    assert data(b"data:a\n\ndata:  b\n\n") == ["a", " b"]


def test_several_events_in_one_read_all_come_out() -> None:
    assert data(b"data: a\n\ndata: b\n\ndata: c\n\n") == ["a", "b", "c"]


def test_an_event_comes_out_with_the_read_that_completes_it() -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"\n") == [SseEvent(data="a")]


def test_a_cr_at_the_end_of_a_read_is_not_waited_on() -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\r\n\r") == [SseEvent(data="a")]
    assert reader.feed(b"\ndata: b\r\n\r\n") == [SseEvent(data="b")]


def test_a_character_split_between_reads_stays_whole() -> None:
    stream = "data: Grüße 🚀\n\n".encode()
    for at in range(len(stream)):
        assert data(stream[:at], stream[at:]) == ["Grüße 🚀"]


def test_the_name_of_an_event_lasts_for_that_event_only() -> None:
    names = [event.name for event in read(b"event: error\ndata: x\n\ndata: y\n\n")]
    assert names == ["error", ""]


def test_an_event_without_its_blank_line_comes_out_at_the_end() -> None:
    reader = SseReader()
    assert reader.feed(b"data: [DONE]") == []
    assert reader.finish() == [SseEvent(data="[DONE]")]


@pytest.mark.parametrize("chunk", [b"data: xxxxxxxxxx", b"data: xx\n"])
def test_memory_is_bounded_for_a_long_line_and_for_many_lines(chunk: bytes) -> None:
    reader = SseReader(max_event_bytes=1000)
    reader.feed(chunk)
    with pytest.raises(SseError):
        reader.feed(chunk * 1000)


lines = st.one_of(
    st.sampled_from([b"", b"", b"data", b"data:", b": ping", b"id: 7", b"retry", b"event: x"]),
    st.text(max_size=12).map(lambda text: b"data: " + text.encode(errors="replace")),
    st.binary(max_size=12),
)
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, ends), max_size=20).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


@given(stream=streams, cuts=st.lists(st.integers(0, 300), max_size=10))
def test_any_cut_of_any_stream_gives_the_events_of_the_whole(
    stream: bytes, cuts: list[int]
) -> None:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert read(*chunks) == reference(stream)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_make_the_reader_fail(chunks: list[bytes]) -> None:
    reader = SseReader()
    for chunk in chunks:
        reader.feed(chunk)
    reader.finish()
