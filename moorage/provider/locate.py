"""Whether the thing of an interrupted create exists: asked by the driver after a death.

One JSON line `{"type", "urn", "inputs", "config"}` per pending create on stdin, one JSON line
`{"urn", "id"}` each on stdout; `id` is null where nothing was left behind. `config` is what the
engine was told of the provider's settings, and may be left out.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, Final

from moorage.provider.handler import Context, Handler, Severity, State

_ANSWER_S: Final = 30.0  # the driver does not wait much longer


def main(
    handlers: Mapping[str, Handler],
    questions: Iterable[str],
    answers: IO[str],
    *,
    configured: Callable[[State], State] = dict,
) -> int:
    """Answer every line; `configured` makes of the settings that are told those of a handler."""
    for line in questions:
        if line.strip():
            question = json.loads(line)
            context = _context(question["urn"], configured(question.get("config") or {}))
            print(json.dumps(_answer(handlers, question, context)), file=answers, flush=True)
    return 0


def _answer(
    handlers: Mapping[str, Handler], question: dict[str, Any], context: Context
) -> dict[str, str | None]:
    handler = handlers.get(question["type"])
    found = handler.locate(question["inputs"], context) if handler else None
    return {"urn": question["urn"], "id": found}


def _context(urn: str, config: State) -> Context:
    def unheard(_severity: Severity, _text: str, _newest: bool) -> None:
        """No run is there that would hear it."""

    deadline_s = time.monotonic() + _ANSWER_S
    cancelled = threading.Event()
    return Context(urn=urn, deadline_s=deadline_s, cancelled=cancelled, log=unheard, config=config)
