"""Whether the thing of an interrupted create exists: asked by the driver after a death.

One JSON line `{"type", "urn", "inputs"}` per pending create on stdin, one JSON line
`{"urn", "id"}` each on stdout; `id` is null where nothing was left behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import IO, Any

from moorage.provider.handlers import HANDLERS


def main(questions: Iterable[str], answers: IO[str]) -> int:
    """Answer every line."""
    for line in questions:
        if line.strip():
            print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)
    return 0


def _answer(question: dict[str, Any]) -> dict[str, str | None]:
    return {"urn": question["urn"], "id": locate(question["type"], question["inputs"])}


def locate(token: str, inputs: dict[str, Any]) -> str | None:
    """The id of what an interrupted create of this type left behind."""
    handler = HANDLERS.get(token)
    return handler.locate(inputs) if handler else None
