"""The ways in which an operation is disturbed; each tries one point in one lab."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from crash import mounts
from crash.lab import Answer, Driver, Lab, until
from crash.operations import Stage
from crash.verdict import Wanted, explained, recover
from crash.watch import Watch

ALL: Final = "program,cli,provider"
BUSY: Final = 6  # the exit code of a run that another one keeps off
_END_S: Final = 15.0
_APART_S: Final = 1.5  # two runs at once begin so far apart at most
_WRITES_TRIED: Final = 4  # moments of writing per operation and victim
_CALLS_TRIED: Final = 3  # of a run that mends, per operation and victim
_DISKS_TRIED: Final = 2  # calls at which the disk fails, per operation

_MAKING: Final = ("create", "replace")

Try = Callable[[Stage, Lab, int], list[str]]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How to try one point, and which points there are of an operation."""

    attempt: Try
    points: Callable[[Stage], Iterable[int]]
    base: Callable[[Stage], Lab] = Stage.before
    operations: tuple[str, ...] = ()  # none: all of them
    # Pulumi tries for minutes to save its state, so these points mostly wait.
    needs_mounts: bool = False


def at_a_call(victims: str) -> Try:
    """Deaths at a point of the operation, and one run that mends."""

    def attempt(stage: Stage, lab: Lab, number: int) -> list[str]:
        goal = stage.operation.goal
        return _struck(lab, goal, number, victims) + _mended(stage, lab, number)

    return attempt


def given_up(stage: Stage, lab: Lab, number: int) -> list[str]:
    """All dies in the operation, and nobody goes on with it: what was begun is taken down."""
    found = _struck(lab, stage.operation.goal, number, ALL)
    program = stage.operation.goal.partition(" ")[2]
    return found + recover(lab, f"destroy {program}", Wanted(things={}, outputs={}))


def _at_a_write(victims: str) -> Try:
    def attempt(stage: Stage, lab: Lab, number: int) -> list[str]:
        driver = lab.driver()
        found = _struck_at_write(driver, lab, stage.operation.goal, number, victims)
        return found + _mended(stage, lab, number)

    return attempt


def _in_the_rescue(stage: Stage, lab: Lab, number: int) -> list[str]:
    """The provider dies after its call; the driver, while it saves what that call has made."""
    driver = lab.doomed(stage.wound(), "provider")
    lab.home.mkdir(exist_ok=True)
    driver.tell(stage.operation.goal)
    until(lab.was_struck, _END_S)
    found = _struck_at_write(driver, lab, "", number, "program,cli")
    return found + _mended(stage, lab, number)


def _elsewhere(victims: str) -> Try:
    """The run that mends is that of another checkout, on the same backend."""

    def attempt(stage: Stage, lab: Lab, number: int) -> list[str]:
        other = lab.folder / "other checkout"
        lab.lay_out(other)
        found = _struck(lab, stage.operation.goal, number, victims)
        return found + _mended(stage, lab, number, driver=lab.driver(other))

    return attempt


def _on_a_full_disk(stage: Stage, lab: Lab, number: int) -> list[str]:
    lab.home.mkdir(exist_ok=True)
    mounts.small(lab.home)
    ballast = lab.home / "ballast"
    try:
        found = _spoilt(stage, lab, number, lambda: mounts.fill(lab.home))
        ballast.unlink()
        return found + _mended(stage, lab, number)
    finally:
        lab.clear()
        mounts.keep(lab.home)


def _where_nothing_can_be_written(stage: Stage, lab: Lab, number: int) -> list[str]:
    folder = lab.home if number % 2 else lab.home / "state"
    folder.mkdir(parents=True, exist_ok=True)
    found = _spoilt(stage, lab, number, lambda: mounts.freeze(folder))
    mounts.thaw(folder)
    return found + _mended(stage, lab, number)


def _two_at_once(stage: Stage, lab: Lab, number: int) -> list[str]:
    return _twins(stage, lab, number, [lab.driver(), lab.driver()])


def _two_checkouts(stage: Stage, lab: Lab, number: int) -> list[str]:
    other = lab.folder / "other checkout"
    lab.lay_out(other)
    return _twins(stage, lab, number, [lab.driver(), lab.driver(other)])


def passed(stage: Stage) -> Iterable[int]:
    """Every point."""
    return range(1, len(stage.undisturbed().calls) + 1)


def around_writes(stage: Stage) -> Iterable[int]:
    """The points at which it may be in doubt what a remote write has done."""
    return [
        at for at in distinct(stage) if not stage.undisturbed().calls[at - 1].startswith("before")
    ]


def distinct(stage: Stage) -> Iterable[int]:
    """Every point but those after a question that another one follows: it comes to the same."""
    calls = stage.undisturbed().calls
    before = ["", *calls]
    return [
        at
        for at, name in enumerate(calls, start=1)
        if not name.startswith("after") or at == len(calls) or before[at - 1].startswith("within")
    ]


def _some_calls(stage: Stage) -> Iterable[int]:
    return [0, *_chosen(len(stage.undisturbed().calls), _DISKS_TRIED, "disk")]


def _few_calls(stage: Stage) -> Iterable[int]:
    return _chosen(len(stage.undisturbed().calls), _CALLS_TRIED, "few")


def _writes(stage: Stage) -> Iterable[int]:
    return _chosen(stage.undisturbed().writes, _WRITES_TRIED, "writes")


def _calls_of_mending(stage: Stage) -> Iterable[int]:
    return _chosen(len(stage.mended().calls), _CALLS_TRIED, "calls")


def _writes_of_mending(stage: Stage) -> Iterable[int]:
    return _chosen(stage.mended().writes, _WRITES_TRIED, "writes")


def _times(_stage: Stage) -> Iterable[int]:
    return range(1, 9)


def _rescues(_stage: Stage) -> Iterable[int]:
    return range(1, 41, 5)


def _chosen(count: int, wanted: int, seed: str) -> Iterable[int]:
    """One of each of so many equal parts, the same in every run."""
    random, part = Random(seed), max(1.0, count / wanted)  # noqa: S311 (a sample, no secret)
    starts = [index * part for index in range(min(wanted, count))]
    return sorted({1 + int(start + random.random() * (part - 1)) for start in starts})


WAYS: Final = {
    "cli": Way(attempt=at_a_call("cli"), points=passed),
    "program": Way(attempt=at_a_call("program"), points=passed),
    "provider": Way(attempt=at_a_call("provider"), points=passed),
    "all": Way(attempt=at_a_call(ALL), points=passed),
    "cli-writing": Way(attempt=_at_a_write("cli"), points=_writes),
    "program-writing": Way(attempt=_at_a_write("program"), points=_writes),
    "all-writing": Way(attempt=_at_a_write(ALL), points=_writes),
    "again-cli": Way(attempt=at_a_call("cli"), points=_calls_of_mending, base=Stage.killed),
    "again-program": Way(attempt=at_a_call("program"), points=_calls_of_mending, base=Stage.killed),
    "again-provider": Way(
        attempt=at_a_call("provider"), points=_calls_of_mending, base=Stage.killed
    ),
    "again-all": Way(attempt=at_a_call(ALL), points=_calls_of_mending, base=Stage.killed),
    "again-writing": Way(attempt=_at_a_write(ALL), points=_writes_of_mending, base=Stage.killed),
    "rescue": Way(attempt=_in_the_rescue, points=_rescues, operations=_MAKING),
    "full-disk": Way(attempt=_on_a_full_disk, points=_some_calls, needs_mounts=True),
    "read-only": Way(attempt=_where_nothing_can_be_written, points=_some_calls, needs_mounts=True),
    "two-at-once": Way(attempt=_two_at_once, points=_times, operations=_MAKING),
    "two-checkouts": Way(attempt=_two_checkouts, points=_times, operations=_MAKING),
    "elsewhere": Way(attempt=_elsewhere("program,cli"), points=_few_calls),
    "elsewhere-all": Way(attempt=_elsewhere(ALL), points=_few_calls, operations=_MAKING),
}
SHARED: Final = ("two-checkouts", "elsewhere", "elsewhere-all")  # a backend outside the checkout


def _struck(lab: Lab, goal: str, number: int, victims: str) -> list[str]:
    driver = lab.doomed(number, victims)
    answer = driver.ask(goal)
    driver.end()
    return explained(answer) + ([] if lab.was_struck() else ["the point was not reached"])


def _struck_at_write(driver: Driver, lab: Lab, goal: str, number: int, victims: str) -> list[str]:
    """Kill at the so-and-so-many-eth change of a file; a run that ends before is as good."""
    lab.home.mkdir(exist_ok=True)
    watch = Watch(lab.home)
    if goal:
        driver.tell(goal)
    told: list[Answer] = []
    reader = threading.Thread(target=lambda: told.append(driver.answer()))
    reader.start()
    watch.count(reader.is_alive, until=number)
    lab.kill(driver, victims)
    watch.close()
    reader.join()
    driver.end()
    return explained(told[0])


def _spoilt(stage: Stage, lab: Lab, number: int, spoil: Callable[[], None]) -> list[str]:
    """Spoil the disk at a call, or before the run, and let the run come to its end."""
    if number == 0:
        spoil()
    driver = lab.doomed(number, "pause")
    driver.tell(stage.operation.goal)
    mark = lab.mark / "paused"
    if number and until(mark.exists, _END_S):
        spoil()
        mark.unlink()
    answer = driver.answer()
    driver.end()
    lab.quiet(_END_S)
    return explained(answer)


def _twins(stage: Stage, lab: Lab, number: int, drivers: list[Driver]) -> list[str]:
    apart_s = Random(number).random() * _APART_S  # noqa: S311 (no secret)
    for index, driver in enumerate(drivers):
        threading.Timer(index * apart_s, driver.tell, [stage.operation.goal]).start()
    answers = [driver.answer() for driver in drivers]
    for driver in drivers:
        driver.end()
    found = [f"refused in another way: {one}" for one in answers if one.code not in (0, BUSY)]
    if not any(one.is_fine for one in answers):
        found.append("none of the two came through")
    return found + _mended(stage, lab, number)


def _mended(stage: Stage, lab: Lab, number: int, driver: Driver | None = None) -> list[str]:
    """Run again: every other time only once all has ended by itself."""
    if number % 2:
        lab.quiet(_END_S)
    wanted = stage.undisturbed().wanted
    return recover(lab, stage.operation.goal, wanted, driver=driver)
