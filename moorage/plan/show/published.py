"""What a plan publishes, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moorage.spec.types import Publication


def line(row: Publication) -> str:
    """One repository in one line."""
    where = f", from {row.folder}" if row.folder else ""
    return f"{row.what}: {settings(row)}{where}"


def settings(row: Publication) -> str:
    """How it is kept, wherever its folder lies."""
    parts = [row.visibility, row.license, "by pull request" if _is_asked_for(row) else None]
    parts.append(f"group {row.resource_group}" if row.resource_group else None)
    parts.append(f"in collection {row.collection}" if row.collection else None)
    return ", ".join(part for part in parts if part)


def pairs(
    old: Sequence[Publication], new: Sequence[Publication]
) -> Iterator[tuple[str, str | None, str | None, bool]]:
    """Each repository as it was and as it will be, and whether more people see it then."""
    was, now = ({row.what: row for row in rows} for rows in (old, new))
    for what in sorted({*was, *now}):
        before, after = was.get(what), now.get(what)
        is_seen = after is not None and after.visibility == "public"
        weaker = is_seen and (before is None or before.visibility != "public")
        yield what, _said(before), _said(after), weaker


def _said(row: Publication | None) -> str | None:
    return None if row is None else settings(row)


def _is_asked_for(row: Publication) -> bool:
    return row.changes_by == "pull-request"
