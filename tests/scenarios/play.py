"""A play of one scenario: its steps one after the other, and what was not as expected.

`python -m tests.scenarios.play ROOT NAME` plays it in a process of its own, as the engine's SDK
keeps much in its modules, and prints the verdict as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.scenarios.act import all_at_once, watched
from tests.scenarios.story import Scenario, Step
from tests.scenarios.world import World, lay_out, name_of

# What the things' own secrets and those that programs give them look like.
SECRETS = ("token-of-", "hunter2")
UNREADABLE = ("Traceback", "MoorageError", "<class '", "rpc error", "Exception")
WRITES = ("POST ", "PUT ", "DELETE ", "create ", "update ", "delete ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How a scenario went: the handlers' calls that it took, and what was not as expected."""

    steps: int
    calls: int
    problems: tuple[str, ...]


def play(story: Scenario, root: Path) -> Verdict:
    """Play a scenario in a new folder; it ends with the first step that falls short."""
    world, calls = lay_out(root), 0
    expected: tuple[str, ...] = ()
    for number, step in enumerate(story.steps):
        code = _do(story, number, step, world)
        expected = expected if step.state is None else step.state
        calls += sum(call.islower() for call in _verbs(world.cloud.calls()))
        wrong = tuple(_problems(step, world, code, expected))
        if wrong:
            what = step.do if isinstance(step.do, str) else "by hand"
            told = (f"step {number + 1}, {what}: {one}" for one in wrong)
            text = "".join(world.told)
            return Verdict(steps=number + 1, calls=calls, problems=(*told, text))
    return Verdict(steps=len(story.steps), calls=calls, problems=())


def _do(story: Scenario, number: int, step: Step, world: World) -> int:
    world.told.clear()
    world.events.clear()
    if step.before:
        step.before(world)
    world.cloud.forget()
    world.cloud.script(*step.faults)
    if len(step.stacks) > 1:
        return all_at_once(story.name, number, step, world)
    return watched(step, world, step.stacks[0])


def _problems(step: Step, world: World, code: int, expected: tuple[str, ...]) -> Iterator[str]:
    if code != step.code:
        yield f"exit code {code}, not {step.code}"
    yield from _wrong_calls(step, world.cloud.calls())
    yield from _different("state", _marked(world), sorted(expected))
    ids = {one["id"] for one in world.resources() if one.get("id")}
    there = ids if step.remote is None else set(step.remote)
    yield from _different("things", sorted(world.cloud.things()), sorted(there))
    for path, value in step.holds.items():
        yield from _different(path, world.find(path), value)
    yield from _wrong_words(step, "".join(world.told))
    for secret in SECRETS:
        yield from (f"{path} holds {secret} in plain" for path in world.leaks(secret))


def _wrong_words(step: Step, told: str) -> Iterator[str]:
    yield from (f"nobody said: {part}" for part in step.says if part not in told)
    silent = (*step.silent, *UNREADABLE, *SECRETS)
    yield from (f"somebody said: {part}" for part in silent if part in told)


def _wrong_calls(step: Step, calls: Sequence[str]) -> Iterator[str]:
    if step.do == "preview":
        yield from (f"{call} in a preview" for call in calls if call.startswith(WRITES))
    if step.calls is None:
        return
    whole = any(call[:1].isupper() for call in step.calls if isinstance(call, str))
    made = [call for call in calls if whole or call[:1].islower()]
    left = list(made)
    for one in step.calls:
        count = len(one) if isinstance(one, frozenset) else 1
        wanted = sorted(one) if isinstance(one, frozenset) else [one]
        if sorted(left[:count]) != wanted:
            break
        left = left[count:]
    else:
        if not left:
            return
    yield f"calls were {made}, not {list(step.calls)}"


def _verbs(calls: Sequence[str]) -> Iterator[str]:
    return (call.split(" ", 1)[0] for call in calls)


def _marked(world: World) -> list[str]:
    return sorted([*map(_line, world.resources()), *world.pending()])


def _line(resource: dict[str, Any]) -> str:
    marks = {
        "unfinished": resource.get("initErrors"),
        "to delete": resource.get("delete"),
        "protected": resource.get("protect"),
        "retained": resource.get("retainOnDelete"),
        "to replace": resource.get("pendingReplacement"),
        "not ours": resource.get("external"),
    }
    told = ", ".join(mark for mark, is_set in marks.items() if is_set)
    line = f"{name_of(resource)}: {resource.get('id', 'a component')}"
    return f"{line} ({told})" if told else line


def _different(what: str, is_: object, wanted: object) -> Iterator[str]:
    if is_ != wanted:
        yield f"{what}: {is_}, not {wanted}"


def main(root: Path, name: str) -> int:
    """Play the scenario of that name, and print the verdict."""
    from tests.scenarios.table import SCENARIOS

    verdict = play(SCENARIOS[name], root)
    print(json.dumps(asdict(verdict)))
    return 0 if not verdict.problems else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
