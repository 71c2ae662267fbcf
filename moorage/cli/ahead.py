"""What is known of a stack before it is touched: its plans, and what Hugging Face says to them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from moorage.deploy.driver import Stack
    from moorage.plan.load import Loaded
    from moorage.preflight import Report, Site


def plans(stack: Stack) -> Loaded:
    """The plans of the specs that a stack names, and what is wrong with them."""
    from moorage.plan.load import Loaded, load

    paths = [stack.root / pattern for pattern in _patterns(stack)]
    today = datetime.now(UTC).date()
    return load(paths, root=stack.root, today=today) if paths else Loaded(plans=(), problems=())


def _patterns(stack: Stack) -> list[str]:
    """What the stack's settings name; `pulumi config set` writes a list as JSON text."""
    from moorage.deploy import place

    where = place.locate(stack.root, stack.name)
    told = (where.settings.get("config") or {}).get("moorage:specs") or []
    if isinstance(told, str):
        with suppress(ValueError):
            told = json.loads(told)
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
        file = os.path.relpath(where.settings_file, stack.root)
        message = f"{file}: moorage:specs must list files, folders or globs: [specs/*.yaml]"
        raise MoorageError(message)
    return told


def ready(stack: Stack, loaded: Loaded, *, asks: bool = True) -> Stack | None:
    """The stack with all that its plans need; None where Hugging Face was asked and refuses."""
    from moorage.cli.stacks import equipped

    return equipped(stack, loaded) if not asks or _is_clear(stack, loaded) else None


def _is_clear(stack: Stack, loaded: Loaded) -> bool:
    """Whether nothing at Hugging Face stands against a run; the table goes to stderr.

    Specs with errors are left to the program, which refuses them before anything is created.
    """
    try:
        report = preflight(stack, loaded)
    except MoorageError as silence:
        if silence.exit_code != Exit.UNANSWERED:
            raise
        message = f"{silence}; with --no-preflight the rest of the stack goes on without it"
        raise MoorageError(message, exit_code=Exit.UNANSWERED) from None
    if report is None:
        return True
    from moorage import preflight as table

    print(table.text(report), file=sys.stderr, flush=True)
    return report.is_fine


def preflight(stack: Stack, loaded: Loaded) -> Report | None:
    """What Hugging Face says to a stack's plans; None where nothing of them is there."""
    from moorage import preflight as room

    if not room.concerned(loaded.plans):
        return None
    return room.look(loaded.plans, _site(stack, loaded))


def _site(stack: Stack, loaded: Loaded) -> Site:
    """The stack as preflight knows it."""
    from components.called import called
    from components.endpoint import Site as Place
    from moorage import preflight as room
    from moorage.deploy import place

    project = place.locate(stack.root, stack.name).project
    there = Place(root=stack.root, project=project, stack=stack.name)
    return room.Site(
        owner=f"{project}/{stack.name}",
        prices=_reviewed(stack, loaded),
        named=partial(called, site=there),
        delete_first=loaded.policy.delete_first,
    )


def _reviewed(stack: Stack, loaded: Loaded) -> dict[str, Decimal]:
    """What an hour of each offer costs by the catalogue, or by the lock where that was reviewed."""
    from moorage.plan.catalogue import catalog
    from moorage.plan.project import catalog_folder

    known = catalog.read(catalog_folder(stack.root))
    rows = (offer for kind in known.kinds.values() for offer in kind.offers)
    prices = {offer.key: offer.usd for offer in rows if offer.per == "hour"}
    locked = (row for lock in loaded.locks.values() for row in lock.offers if row.per == "hour")
    return prices | {row.key: row.usd for row in locked}
