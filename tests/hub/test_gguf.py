"""The header of a GGUF file, read from far away: true files, and what only pretends to be one."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gguf as library
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage import hub
from moorage.errors import Exit, MoorageError
from moorage.hub import gguf
from moorage.plan.facts import Tensors
from moorage.twin.hub import Repo, serve
from tests.hub.making import write_gguf

TEMPLATE = "{{ messages }}"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny-Q8_0.gguf", template=TEMPLATE)


def test_a_true_file_tells_its_metadata_and_tensors(file: Path) -> None:
    repo = Repo(files={file.name: file, "other-Q4.gguf": b"never read"}, gguf={"total": 1})
    with serve({"acme/tiny-GGUF": repo}) as twin:
        facts = hub.facts("acme/tiny-GGUF", endpoint=twin.url, quantization="gguf:*Q8_0.gguf")
        resolved = [path for _, path in twin.requests if "/resolve/" in path]
    assert {path.rpartition("/")[2] for path in resolved} == {file.name}
    assert (facts.weights, facts.architecture, facts.remote_code) == ("gguf", "llama", False)
    assert facts.chat_template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert facts.config == {
        "gguf": {
            "general.architecture": "llama",
            "general.file_type": 7,
            "llama.attention.head_count": 4,
            "llama.attention.head_count_kv": [2, 2, 2],
            "llama.attention.key_length": 16,
            "llama.block_count": 3,
            "llama.context_length": 2048,
            "llama.embedding_length": 64,
            "llama.rope.freq_base": 10000.0,
            "tokenizer.ggml.model": "llama",
            "vocab_size": 300,
        }
    }
    assert facts.tensors == (
        Tensors(name="blk.*.attn_norm.weight", dtype="F16", shape=(64,), count=3, bytes_each=128),
        Tensors(name="blk.*.attn_q.weight", dtype="Q8_0", shape=(64, 64), count=3, bytes_each=4352),
        Tensors(name="token_embd.weight", dtype="F32", shape=(64, 300), count=1, bytes_each=76800),
    )


def test_the_library_that_wrote_it_reads_the_same(file: Path) -> None:
    header = gguf.header(span_of(file.read_bytes()), file.stat().st_size)
    read = library.GGUFReader(file)
    assert [(name, kind, size) for name, kind, _, size in header.tensors] == [
        (tensor.name, tensor.tensor_type.name, int(tensor.n_bytes)) for tensor in read.tensors
    ]


def test_only_the_header_travels(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "large.gguf", words=60_000)
    asked: list[tuple[int, int]] = []
    content = file.read_bytes()

    def span(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return content[start:stop]

    header = gguf.header(span, len(content))
    assert header.lengths["tokenizer.ggml.tokens"] == 60_000
    assert len(asked) == 3
    assert max(stop for _, stop in asked) < 3_000_000 < len(content)


def test_the_sizes_of_all_kinds_of_numbers_are_the_librarys() -> None:
    assert {
        int(kind): (kind.name, *library.GGML_QUANT_SIZES[kind])
        for kind in library.GGMLQuantizationType
    } == gguf.KINDS


def test_no_chosen_file_means_no_header(file: Path) -> None:
    with serve({"acme/two": Repo(files={"a.gguf": file, "b.gguf": file})}) as twin:
        facts = hub.facts("acme/two", endpoint=twin.url, quantization="gguf:*.gguf")
    assert (len(facts.files), facts.tensors, facts.weights) == (2, (), "gguf")


def span_of(content: bytes) -> Callable[[int, int], bytes]:
    return lambda start, stop: content[start:stop]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def made(*, version: int = 3, tensors: int = 0, keys: int = 0, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + rest


def tensor(shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    sizes = struct.pack(f"<{len(shape)}Q", *shape)
    return text("t") + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", kind, offset)


HOSTILE = {
    "empty": b"",
    "another file": b"PK\x03\x04" + bytes(60),
    "old version": made(version=1),
    "big-endian": made(version=3 << 24),
    "too many tensors": made(tensors=1 << 40),
    "too many keys": made(keys=1 << 63),
    "ends early": made(keys=1),
    "endless key": made(keys=1, rest=struct.pack("<Q", 1 << 62)),
    "endless text": made(keys=1, rest=text("k") + struct.pack("<IQ", 8, 1 << 40)),
    "endless list": made(keys=1, rest=text("k") + struct.pack("<IIQ", 9, 0, 1 << 50)),
    "lists in lists": made(keys=1, rest=text("k") + struct.pack("<IIQ", 9, 9, 5) + bytes(99)),
    "unknown value": made(keys=1, rest=text("k") + struct.pack("<I", 99)),
    "dimensions": made(tensors=1, rest=text("t") + struct.pack("<I", 1 << 30)),
    "beyond the end": made(tensors=1, rest=tensor((1 << 40,))),
    "half a block": made(tensors=1, rest=tensor((33,), kind=8) + bytes(200)),
    "endless product": made(tensors=1, rest=tensor((1 << 60,) * 8)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_gguf_file_is_refused(content: bytes) -> None:
    with pytest.raises(gguf.NotGgufError):
        gguf.header(span_of(content), len(content))


def test_a_header_without_end_is_not_read_for_ever() -> None:
    begin = made(keys=4000)
    block = text("k") + struct.pack("<IIQ", 9, 0, 2_000_000) + bytes(2_000_000)
    asked = 0

    def endless(start: int, stop: int) -> bytes:
        nonlocal asked
        asked += stop - start
        if start == 0:
            return (begin + block)[:stop]
        at = (start - len(begin)) % len(block)
        return (block * 6)[at : at + stop - start]

    with pytest.raises(gguf.NotGgufError, match="its header is too long"):
        gguf.header(endless, 1 << 40)
    assert asked <= 64 << 20


def test_a_kind_of_numbers_that_nobody_knows_yet_has_the_room_up_to_the_next_tensor() -> None:
    rows = tensor((64,), kind=999) + tensor((8,), offset=96)
    content = made(tensors=2, rest=rows)
    content += bytes(-len(content) % 32) + bytes(128)
    found = gguf.header(span_of(content), len(content)).tensors
    assert found == (("t", "type-999", (64,), 96), ("t", "F32", (8,), 32))


def test_a_file_that_is_none_is_a_problem_of_the_spec() -> None:
    with (
        serve({"acme/bad": Repo(files={"a.gguf": b"<html>"})}) as twin,
        pytest.raises(MoorageError, match="is no GGUF file: it does not begin") as raised,
    ):
        hub.facts("acme/bad", endpoint=twin.url, quantization="gguf:a.gguf")
    assert raised.value.exit_code == Exit.PROBLEMS


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.integers(0, 12_000), put=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_refused_or_read_but_never_crashes(
    file: Path, at: int, put: bytes
) -> None:
    content = file.read_bytes()
    damaged = content[:at] + put + content[at + len(put) :]
    with suppress(gguf.NotGgufError):
        gguf.header(span_of(damaged), len(damaged))
