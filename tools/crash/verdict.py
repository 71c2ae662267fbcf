"""What is wrong in a lab after the run that mends; an empty list means that the point is clean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crash.lab import Answer, Driver, Lab

_END_S: Final = 15.0  # a provider may take a moment to end once its engine has
_WRITES: Final = ("POST", "PUT", "DELETE")
_OPEN: Final = {"passphrase"}  # the key itself


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an undisturbed run reaches."""

    things: dict[str, Any]
    outputs: dict[str, Any]  # of the resources in state, by id


def recover(lab: Lab, goal: str, wanted: Wanted, *, driver: Driver | None = None) -> list[str]:
    """Run the operation once, look at everything, run it again, and look whether it changes."""
    driver = driver or lab.driver()
    found = _answered("the run that mends", driver.ask(goal)) + reached(lab, wanted)
    calls = len(lab.calls())
    again = driver.ask(goal)
    driver.end()
    found += _answered("a further run", again)
    if again.changed:
        found.append("a further run changes something")
    writes = [call for call in lab.calls()[calls:] if call.startswith(_WRITES)]
    found += [f"a further run does {call}" for call in writes]
    return found + left_behind(lab)


def reached(lab: Lab, wanted: Wanted) -> list[str]:
    """Whether cloud and state are as wanted, and equal, and nothing was made twice."""
    deployment, things = lab.deployment(), lab.things()
    outputs = outputs_of(deployment, lab.changing)
    found = [
        f"{one['urn'].rsplit('::', 1)[-1]} is left {mark}"
        for one in deployment.get("resources", [])
        for mark in ("delete", "initErrors", "pendingReplacement")
        if one.get(mark)
    ]
    if deployment.get("pending_operations"):
        found.append("an operation is left pending")
    if things != wanted.things:
        found.append(f"the cloud has {things} and not {wanted.things}")
    if len(outputs) != len(_custom(deployment)):
        found.append("an id is in the state twice")
    if set(outputs) != set(things):
        found.append(f"the state knows {sorted(outputs)}, the cloud has {sorted(things)}")
    if outputs != wanted.outputs:
        found.append(f"the state says {outputs} and not {wanted.outputs}")
    return found + made_twice(lab.calls())


def outputs_of(deployment: dict[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """What the state says of each thing, by id; ciphertexts differ from run to run."""
    told = {one["id"]: _without_secrets(one.get("outputs", {})) for one in _custom(deployment)}
    return {
        id_: {name: value for name, value in outputs.items() if name not in without}
        for id_, outputs in told.items()
    }


def made_twice(calls: Iterable[str]) -> list[str]:
    """The keys that were asked for once more while they existed."""
    alive: set[str] = set()
    found = []
    for call in calls:
        verb, _, key = call.partition(" ")
        if verb == "POST" and key in alive:
            found.append(f"{key} was created while it existed")
        if verb == "POST":
            alive.add(key)
        if verb == "DELETE":
            alive.discard(key)
    return found


def left_behind(lab: Lab) -> list[str]:
    """Processes, locks and secrets."""
    found = []
    if not lab.quiet(_END_S):
        told = [" ".join(process.cmdline()) for process in lab.processes()]
        found.append(f"still running: {told}")
    found += [f"a lock is left: {path.relative_to(lab.folder)}" for path in lab.locks()]
    found += [f"a secret in plain in {path}" for path in in_plain(lab.folder, lab.secrets)]
    for log in lab.logs():
        if "Traceback" in log.read_text():
            found.append(f"a traceback in {log.name}")
    return found


def in_plain(folder: Path, secrets: Sequence[str]) -> list[Path]:
    """The files that hold a secret as it is."""
    marks = [secret.encode() for secret in secrets]
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in _OPEN)
    return [
        path.relative_to(folder)
        for path in files
        if any(mark in path.read_bytes() for mark in marks)
    ]


def explained(answer: Answer) -> list[str]:
    """What is wrong with how a disturbed run ended that was not itself killed."""
    if answer.code is None:
        return [f"the driver {answer.fault}"] if answer.fault else []
    wrong = "Traceback" in answer.fault or (not answer.is_fine and not answer.fault.strip())
    return [f"the disturbed run does not say what is wrong: {answer}"] if wrong else []


def _answered(name: str, answer: Answer) -> list[str]:
    return [] if answer.is_fine else [f"{name}: {answer}"]


def _custom(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    resources = deployment.get("resources", [])
    return [one for one in resources if one["type"].startswith("moorage:")]


def _without_secrets(outputs: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in outputs.items() if not isinstance(v, dict) or "ciphertext" not in v}
