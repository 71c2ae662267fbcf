"""Whether the thing of an interrupted create exists: asked by the driver after a death.

One JSON line `{"type", "urn", "inputs"}` per pending create on stdin, one JSON line
`{"urn", "id"}` each on stdout; `id` is null where nothing was left behind.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from typing import IO, Any, Final

from moorage.provider.handler import Context, Handler, Severity

_ANSWER_S: Final = 30.0  # the driver does not wait much longer


def main(handlers: Mapping[str, Handler], questions: Iterable[str], answers: IO[str]) -> int:
    """Answer every line."""
    for line in questions:
        if line.strip():
            print(json.dumps(_answer(handlers, json.loads(line))), file=answers, flush=True)
    return 0


def _answer(handlers: Mapping[str, Handler], question: dict[str, Any]) -> dict[str, str | None]:
    handler = handlers.get(question["type"])
    found = handler.locate(question["inputs"], _context(question["urn"])) if handler else None
    return {"urn": question["urn"], "id": found}


def _context(urn: str) -> Context:
    def unheard(_severity: Severity, _text: str, _newest: bool) -> None:
        """No run is there that would hear it."""

    deadline_s = time.monotonic() + _ANSWER_S
    return Context(urn=urn, deadline_s=deadline_s, cancelled=threading.Event(), log=unheard)
