"""Creates on Docker hosts that a death cut short: what they left is taken away, to be made anew.

Pulumi's docker plugin cannot be asked for what it has begun, so our provider asks the hosts. What a
ContainerSlot's containers bear tells also of one that no pending operation remembers: where engine
or plugin died in a way that the state forgot it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moorage.deploy.cli.children import ask_with_input
from moorage.deploy.place import Place
from moorage.deploy.stored import snapshot
from moorage.deploy.stored.pending import State, type_of
from moorage.deploy.urns import of_provider

DEADLINE_S: Final = 120.0
CONTAINER: Final = "docker:index/container:Container"
NETWORK: Final = "docker:index/network:Network"
VOLUME: Final = "docker:index/volume:Volume"
IMAGE: Final = "docker:index/remoteImage:RemoteImage"
SLOT: Final = "moorage:index:ContainerSlot"

_CLAIM: Final = "moorage.claim"
_OWNER: Final = "moorage.owner"
_LOCAL: Final = "local"  # where neither provider nor slot names a host

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a host is asked to look for: ours by its mark, and known to no state."""

    kind: str
    host: str
    mark: str
    known: tuple[str, ...]

    def line(self) -> str:
        """As the provider reads it."""
        told = {"kind": self.kind, "host": self.host, "mark": self.mark, "known": self.known}
        return json.dumps(told) + "\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What may have been left of a stack, and the creates that are settled once that is gone."""

    questions: tuple[Question, ...]
    # None: an image or a volume that is made once more is the same one.
    creates: tuple[tuple[State, Question | None], ...]


def lost(deployment: State) -> list[State]:
    """Slots whose container is not in the state: it failed, or a death has hidden it."""
    resources = deployment.get("resources") or []
    live = [one for one in resources if not (one.get("delete") or one.get("pendingReplacement"))]
    containers = [one for one in live if one["type"] == CONTAINER]
    standing = {(_labels(one).get(_CLAIM), _name(one)) for one in containers}
    slots = [one for one in live if one["type"] == SLOT and _claim(one)]
    return [one for one in slots if (_claim(one), _name(one)) not in standing]


def case(where: Place, deployment: State, operations: Iterable[State], *, ends: bool) -> Case:
    """What has to be asked; where all is destroyed (`ends`), new volumes are in the way, too."""
    slots = {_claim(one): _of_slot(one, deployment) for one in lost(deployment)}
    creates = []
    for one in operations:
        kind, labels = type_of(one), _labels(one["resource"])
        question: Question | None = None
        if kind == CONTAINER and labels.get(_CLAIM) in slots:
            question = slots[labels[_CLAIM]]
        elif kind in (NETWORK, VOLUME) and _is_of(where, labels.get(_OWNER, "")):
            question = _of_create(one, deployment) if kind == NETWORK or ends else None
        elif kind != IMAGE:
            continue
        if one["type"] == "creating":
            creates.append((one, question))
    asked = [*slots.values(), *(question for _, question in creates if question is not None)]
    return Case(questions=tuple(dict.fromkeys(asked)), creates=tuple(creates))


def clear(where: Place, plugin: Sequence[str], one: Case, say: Say) -> list[State]:
    """Have it taken away; returns the creates that nothing is left of."""
    answers = dict(zip(one.questions, _answers(where, plugin, one.questions), strict=True))
    for question, answer in answers.items():
        if "fault" in answer:
            say(f"cannot tell what a run that died has left on {question.host}: {answer['fault']}")
        for name in answer.get("removed", ()):
            say(
                f"{question.kind} {name} on {question.host} was begun by a run that died; it is"
                " taken away"
            )
    return [
        create
        for create, question in one.creates
        if question is None or "fault" not in answers[question]
    ]


def _answers(
    where: Place, plugin: Sequence[str], questions: Sequence[Question]
) -> list[dict[str, Any]]:
    if not questions:
        return []
    silent = {"fault": "its provider gave no answer"}
    lines = "".join(one.line() for one in questions)
    try:
        ended = ask_with_input([*plugin, "leftovers"], lines, deadline_s=DEADLINE_S, cwd=where.work)
        told = [json.loads(line) for line in ended.out.splitlines()]
    except (OSError, ValueError):
        told = []
    return [*told, *[silent] * len(questions)][: len(questions)]


def _of_slot(slot: State, deployment: State) -> Question:
    return Question(
        kind="container",
        host=slot["outputs"]["host"],
        mark=_claim(slot),
        known=_ids(CONTAINER, deployment),
    )


def _of_create(one: State, deployment: State) -> Question:
    return Question(
        kind="network" if type_of(one) == NETWORK else "volume",
        host=host_of(snapshot.inputs_of(deployment, of_provider(one["resource"].get("provider")))),
        mark=_labels(one["resource"])[_OWNER],
        known=_ids(type_of(one), deployment),
    )


def host_of(inputs: State) -> str:
    """Where a docker plugin with these goes; without a host, where the environment says."""
    return str(inputs.get("host") or _LOCAL)


def _ids(kind: str, deployment: State) -> tuple[str, ...]:
    """Every one that the state names, though it be about to be deleted."""
    resources = deployment.get("resources") or []
    return tuple(str(one["id"]) for one in resources if one["type"] == kind and one.get("id"))


def _labels(resource: State) -> dict[str, str]:
    """Labels as Pulumi's docker plugin takes them."""
    told = (resource.get("inputs") or {}).get("labels")
    pairs = told if isinstance(told, list) else []
    return {str(pair["label"]): str(pair["value"]) for pair in pairs}


def _claim(slot: State) -> str:
    return str((slot.get("outputs") or {}).get("claim") or "")


def _name(resource: State) -> Any:
    return (resource.get("outputs") or {}).get("name")


def _is_of(where: Place, owner: str) -> bool:
    return owner.startswith(f"{where.project}/{where.stack}/")
