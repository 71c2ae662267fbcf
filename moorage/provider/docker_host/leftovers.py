"""What a death has left on a Docker host: begun, and known to no state.

A container is ours by its slot's claim, and a leftover where the state does not know its id and it
has never served: then nobody is routed to it, and nobody knows what it still lacks. Networks and
volumes are ours by their owner; Docker itself keeps those that anything uses.

The driver asks by one JSON line `{"kind", "host", "mark", "known"}` each on stdin; an answer is
`{"removed": [names]}`, or `{"fault"}` where the host does not answer or does not let go.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterable
from typing import IO, Any, Final

from moorage.errors import MoorageError
from moorage.provider.docker_host import labels
from moorage.provider.docker_host.engine import Engine, reached
from moorage.provider.handler import Context

_ANSWER_S: Final = 30.0  # the driver does not wait much longer


def main(questions: Iterable[str], answers: IO[str]) -> int:
    """Answer every line."""
    for line in questions:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)
    return 0


def clear_containers(engine: Engine, claim: str, known: Collection[str]) -> list[str]:
    """Remove those of a slot that its state does not know and that have never served."""
    left = [
        one
        for one in engine.containers()
        if one.labels.get(labels.CLAIM) == claim
        and one.id not in known
        and not engine.is_marked(one.id)
    ]
    for one in left:
        engine.throw_away(one.id)
    return [one.name for one in left]


def _clear_networks(engine: Engine, owner: str, known: Collection[str]) -> list[str]:
    there = engine.networks(f"{labels.OWNER}={owner}")
    left = [one for one in there if one["Id"] not in known]
    for one in left:
        engine.remove_network(one["Id"], one["Name"])
    return [str(one["Name"]) for one in left]


def _clear_volumes(engine: Engine, owner: str, known: Collection[str]) -> list[str]:
    there = (str(one["Name"]) for one in engine.volumes(f"{labels.OWNER}={owner}"))
    left = [name for name in there if name not in known]
    for name in left:
        engine.remove_volume(name)
    return left


_CLEAR: Final = {
    "container": clear_containers,
    "network": _clear_networks,
    "volume": _clear_volumes,
}


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    clear = _CLEAR[question["kind"]]
    try:
        with reached(question["host"], _context()) as engine:
            return {"removed": clear(engine, question["mark"], question["known"])}
    except MoorageError as fault:
        return {"fault": str(fault)}


def _context() -> Context:
    return Context(
        urn="",
        deadline_s=time.monotonic() + _ANSWER_S,
        cancelled=threading.Event(),
        log=lambda _severity, _text, _newest: None,
    )
