"""Telling is turning an event into lines of text; what the lines look like is the displays'."""

from __future__ import annotations

from moorage.deploy.events import Failed, Finished, Started, is_component
from moorage.deploy.show import diffs
from moorage.deploy.show.run import Row, found_drift, step_of
from moorage.deploy.show.words import (
    FOUND,
    PLANNED,
    doing,
    done_line,
    failed_line,
    is_told,
    with_reason,
)
from moorage.deploy.urns import is_internal, label


def started(event: Started, *, preview: bool, full: bool) -> list[str]:
    """A step that begins, and what it changes; nothing in a preview, where it is over at once."""
    if preview or is_component(event) or not is_told(event.step, event.urn, preview=False):
        return []
    return _with_changes(f"{doing(event.step)} {label(event.urn)}", event, full=full)


def over(
    event: Finished | Failed, row: Row, now_s: float, *, preview: bool, full: bool
) -> list[str]:
    """A step that is over; nothing for one that changed nothing."""
    if is_internal(event.urn) or (row.component and not preview):
        return []
    took_s = now_s - row.began_s
    if isinstance(event, Failed):
        return [failed_line(event.urn, row.step, took_s)]
    if found_drift(row, event):
        return _drifted(event, full=full)
    step = step_of(row, event)
    if not is_told(step, event.urn, preview=preview):
        return []
    if preview:
        return _with_changes(f"{label(event.urn)} {PLANNED[step]}", event, full=full)
    return [done_line(event.urn, step, took_s)]


def _with_changes(line: str, event: Started | Finished, *, full: bool) -> list[str]:
    if event.detail is None:
        return [line]
    found = diffs.changes(event.detail, full=full)
    told = with_reason(line, diffs.reason(event.detail, found))
    return [told, *(f"  {one}" for one in diffs.lines(found, full=full))]


def _drifted(event: Finished, *, full: bool) -> list[str]:
    line = f"{label(event.urn)} {FOUND[event.step]}"
    if event.detail is None or event.step == "delete":
        return [line]
    found = diffs.drift(event.detail)
    return [line, *(f"  {one}" for one in diffs.lines(found, full=full))]
