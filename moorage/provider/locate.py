"""Whether the thing of an interrupted create exists: asked by the driver after a death.

One JSON line `{"type", "urn", "inputs"}` per pending create on stdin, one JSON line
`{"urn", "id"}` each on stdout; `id` is null where nothing was left behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from moorage.provider.handler import Handler


def main(handlers: Mapping[str, Handler], questions: Iterable[str], answers: IO[str]) -> int:
    """Answer every line."""
    for line in questions:
        if line.strip():
            print(json.dumps(_answer(handlers, json.loads(line))), file=answers, flush=True)
    return 0


def _answer(handlers: Mapping[str, Handler], question: dict[str, Any]) -> dict[str, str | None]:
    handler = handlers.get(question["type"])
    found = handler.locate(question["inputs"]) if handler else None
    return {"urn": question["urn"], "id": found}
