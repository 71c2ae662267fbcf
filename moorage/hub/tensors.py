"""The tensors of safetensors files, read from their headers alone, never from the weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moorage.hub.door import Door, Repository, parsed
from moorage.hub.faults import refuse
from moorage.plan.facts import RepoFile, Tensors

_FIRST_BYTES = 100_000  # the header of 97 of 100 files is shorter
_HEADER_BYTES = 16 << 20  # 90,000 tensors in one file take about as much
_MOST_TENSORS = 1_000_000
_MOST_SHARDS = 1000
_LARGEST = 1 << 63
_AT_A_TIME = 6
_NUMBER = re.compile(r"(?<![^.])[0-9]+(?![^.])")

_Row = tuple[str, str, tuple[int, ...], int]


def of_safetensors(door: Door, repo: Repository, files: Sequence[RepoFile]) -> tuple[Tensors, ...]:
    """The tensors of all files of a model, those of the same kind together."""
    if len(files) > _MOST_SHARDS:
        refuse(f"{repo.id}: {len(files)} files of weights; at most {_MOST_SHARDS} are read")
    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        return grouped(_all(pool.map(lambda file: _header(door, repo, file), files), repo))
    finally:
        pool.shutdown(cancel_futures=True)  # after a fault nobody waits for the others


def _all(headers: Iterable[list[_Row]], repo: Repository) -> Iterator[_Row]:
    count = 0
    for rows in headers:
        count += len(rows)
        if count > _MOST_TENSORS:
            refuse(f"{repo.id}: more than {_MOST_TENSORS} tensors, which are not read")
        yield from rows


def grouped(rows: Iterable[_Row]) -> tuple[Tensors, ...]:
    """Tensors that differ only by the numbers in their names, as one each."""
    counted = Counter((_NUMBER.sub("*", name), *kind) for name, *kind in rows)
    return tuple(
        Tensors(name=name, dtype=dtype, shape=shape, count=count, bytes_each=size)  # type: ignore[arg-type]
        for (name, dtype, shape, size), count in sorted(counted.items(), key=str)
    )


def _header(door: Door, repo: Repository, file: RepoFile) -> list[_Row]:
    path = repo.file(file.name)
    begin = door.span(path, 0, min(_FIRST_BYTES, max(file.size_bytes, 8)))
    length = int.from_bytes(begin[:8], "little")
    if len(begin) < 8 or length > min(_HEADER_BYTES, file.size_bytes - 8):
        refuse(f"{repo.id}: {file.name} does not begin as a safetensors file does")
    text = begin[8 : 8 + length]
    if len(text) < length:
        text += door.span(path, len(begin), 8 + length)
    try:
        return list(_rows(parsed(text), file.size_bytes - 8 - length))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        message = f"{repo.id}: the header of {file.name} is broken"
        refuse(message)


def _rows(header: Any, room: int) -> Iterator[_Row]:
    for name, row in header.items():
        if name == "__metadata__":
            continue
        shape, (start, stop) = tuple(row["shape"]), row["data_offsets"]
        numbers = (*shape, start, stop)
        if any(type(number) is not int or not 0 <= number < _LARGEST for number in numbers):
            raise ValueError(name)
        if not start <= stop <= room or type(row["dtype"]) is not str:
            raise ValueError(name)
        yield name, row["dtype"], shape, stop - start
