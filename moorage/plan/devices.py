"""Which GPUs of its host every container gets, over all specs together; pure.

A container without `device_ids` gets the lowest numbers that nobody names, services in the order of
their names. So the answer does not depend on the order of files; another service may move it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Final, NamedTuple

from moorage.plan.subject import Subject
from moorage.plan.world import Choice
from moorage.spec.problems import Place, Problem

OPTION: Final = "device_ids"  # of kinds whose hosts are shared
SPARE: Final = "spare_device_ids"
_HERE: Final = ("localhost", "127.0.0.1")


class Wish(NamedTuple):
    """What one placement wants of its host."""

    host: str
    service: str
    placement: str
    number: int  # its place in `providers`
    gpus: int
    ids: tuple[str, ...]  # those that it names; empty: any
    spare: tuple[str, ...]  # what it names for its replacement
    file: str
    at: Place

    @property
    def named(self) -> tuple[str, ...]:
        """Every GPU that nobody else may have, in use or spare."""
        return (*self.ids, *self.spare)


Assigned = Mapping[tuple[str, str], tuple[str, ...]]  # service and placement -> ids


def wishes(subject: Subject, kept: Iterable[Choice]) -> Iterator[Wish]:
    """What the placements of a spec want of hosts that others may use too."""
    for choice in kept:
        taken, options = choice.taken, choice.target.options
        if taken is None or not taken.count or OPTION not in choice.kind.options["properties"]:
            continue
        named = [name for name in (OPTION, SPARE) if name in options][:1]
        yield Wish(
            host=machine(str(options["host"])),
            service=subject.spec.name,
            placement=choice.name,
            number=choice.number,
            gpus=taken.count,
            ids=tuple(options.get(OPTION, ())),
            spare=tuple(options.get(SPARE, ())),
            file=subject.parsed.file,
            at=subject.parsed.at("providers", choice.number, *(named or ["host"])),
        )


def machine(host: str) -> str:
    """What names a machine of its address: whoever logs in, by whatever socket, it is the same."""
    if host.startswith("unix:"):
        return "local"
    name = host.removeprefix("ssh://").rpartition("@")[2].removesuffix(":22").lower()
    return "local" if name in _HERE else name


def assign(wanted: Iterable[Wish]) -> Assigned:
    """The ids of every placement."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for rows in _by_host(wanted).values():
        taken = {name for row in rows for name in row.named}
        for row in rows:
            free = (name for number in count() if (name := str(number)) not in taken)
            ids = row.ids or tuple(islice(free, row.gpus))
            taken.update(ids)
            found[row.service, row.placement] = ids
    return found


def clashes(wanted: Iterable[Wish]) -> Iterator[Problem]:
    """GPUs that two containers name, and hosts whose GPUs go by numbers here and UUIDs there."""
    for rows in _by_host(wanted).values():
        yield from _twice(rows)
        yield from _mixed(rows)


def _twice(rows: Sequence[Wish]) -> Iterator[Problem]:
    first: dict[str, Wish] = {}
    for row in rows:
        both = []
        for name in row.named:
            if name in first:
                both.append(name)
            first.setdefault(name, row)
        if both:
            holder = first[both[0]]
            whose = holder.placement if holder.file == row.file else holder.file
            says = f"GPU {', '.join(both)} of {row.host} is taken by {whose}"
            yield _problem(
                row, says, "name others, or leave device_ids out and free ones are found"
            )


def _mixed(rows: Sequence[Wish]) -> Iterator[Problem]:
    by_uuid = [row for row in rows if any(not name.isdigit() for name in row.named)]
    by_number = [row for row in rows if row not in by_uuid]
    if by_uuid and by_number:
        row, other = by_number[0], by_uuid[0]
        says = f"GPUs of {row.host} are numbered here, and {other.file} names them by UUID"
        yield _problem(
            row, says, "name all of a host's GPUs in one way: none can be told apart else"
        )


def _problem(row: Wish, says: str, hint: str) -> Problem:
    return Problem(
        file=row.file,
        line=row.at.line,
        column=row.at.column,
        rule="device-clash",
        says=says,
        hint=hint,
    )


def _by_host(wanted: Iterable[Wish]) -> dict[str, list[Wish]]:
    """The wishes at each host: those that name their GPUs first, then in the services' order."""
    rows: dict[str, list[Wish]] = defaultdict(list)
    for row in sorted(wanted, key=lambda row: (not row.ids, row.service, row.number)):
        rows[row.host].append(row)
    return rows
