"""What an engine loads beside its model: adapters, a chat template, a tokenizer, each pinned.

No engine has a flag that pins all of these to a commit, so the start program fetches them before
it becomes the engine. Where a folder of the host holds the weights, these lie in it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from moorage.plan.types import Placement, Plan
from moorage.spec.types import Pinned

CACHE: Final = "/cache"  # in the container: what outlives it
HUB: Final = f"{CACHE}/hub"  # what came from the Hub
WEIGHTS: Final = "/weights"  # a folder of the host that holds all there is to load

_PROGRAM: Final = Path(__file__).parents[1] / "templates" / "engine" / "start.py"


def is_local(placement: Placement) -> bool:
    """Whether everything lies in a folder of the host, so that no Hub is asked."""
    return "weights_path" in placement.options


def loaded_beside(placement: Placement, plan: Plan, adapters_flag: str) -> dict[str, Any]:
    """The flags that say where adapters and chat template are."""
    told: dict[str, Any] = {}
    if plan.chat_template is not None:
        told["chat-template"] = place(placement, "template", plan.chat_template)
    adapters = [f"{one.called}={place(placement, 'adapter', one)}" for one in plan.adapters]
    return told | ({"enable-lora": True, adapters_flag: adapters} if adapters else {})


def place(placement: Placement, what: str, pinned: Pinned) -> str:
    """Where it lies in the container."""
    if is_local(placement):
        folder = f"{WEIGHTS}/{what}s/{pinned.id}"
    else:
        folder = f"{HUB}/beside/{what}s/{pinned.id}/{pinned.revision or 'main'}"
    return f"{folder}/{pinned.file or 'chat_template.jinja'}" if what == "template" else folder


def fetched(placement: Placement, plan: Plan, *, tokenizer: bool = False) -> dict[str, str]:
    """What the start program is told to fetch, by its environment; nothing where all is there."""
    wanted = [] if is_local(placement) else list(_wanted(placement, plan, tokenizer=tokenizer))
    return {"MOORAGE_BESIDE": json.dumps(wanted)} if wanted else {}


@cache
def start() -> tuple[str, ...]:
    """The start program as an entrypoint; what it becomes are its arguments."""
    return "python3", "-c", _PROGRAM.read_text("utf-8")


def _wanted(placement: Placement, plan: Plan, *, tokenizer: bool) -> Iterator[dict[str, Any]]:
    listed = [("adapter", one) for one in plan.adapters]
    listed += [("template", plan.chat_template)] if plan.chat_template else []
    listed += [("tokenizer", plan.tokenizer)] if plan.tokenizer and tokenizer else []
    for what, pinned in listed:
        yield {
            "what": what,
            "repo": pinned.id,
            "revision": pinned.revision,
            "file": pinned.file,
            "to": place(placement, what, pinned),
        }
