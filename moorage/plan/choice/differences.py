"""What of a fallback is not proven to be as in the first placement; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.plan.world import Choice, World

# A server that somebody else runs proves none of these to us.
_UNPROVEN: Final = {
    "openai": ("model", "revision", "precision", "template", "context"),
    "hf-router": ("revision", "precision", "template"),
}


def unproven(world: World, choice: Choice, first: Choice) -> tuple[str, ...]:
    """The words of `differs` that apply to a placement, compared with the first."""
    if choice.number == first.number:
        return ()
    return tuple(dict.fromkeys((*_UNPROVEN.get(choice.kind.name, ()), *_context(world, choice))))


def _context(world: World, choice: Choice) -> Iterator[str]:
    """A router's provider must say that it takes as many tokens as the spec asks for."""
    wanted = world.spec.model.max_model_len
    silent = any(route.context_tokens is None for route in choice.routes)
    if wanted is not None and silent:
        yield "context"
