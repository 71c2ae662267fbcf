"""What a change of specs does to the plans: costs, privacy, what is replaced, what moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from moorage.plan.facts import Lock
from moorage.plan.locks import lock
from moorage.plan.show import published
from moorage.plan.types import Cost, Machine, Placement, Plan
from moorage.spec.language import TIERS
from moorage.spec.secrets import redact

LINES: Final = 25  # what a pull-request comment has room for

_ROWS: Final = 8  # services of the table
_TEXT_LENGTH: Final = 80
_KEYS_SHOWN: Final = 4
_HARMLESS: Final = str.maketrans(
    {letter: f"\\{letter}" for letter in "\\|`*[]"}
    | {letter: f"&#{ord(letter)};" for letter in "<>@#&"}
)


class Moved(Struct, frozen=True, kw_only=True):
    """One thing that was, and is now, both in words; `weaker` where privacy is."""

    what: str
    before: str
    after: str
    weaker: bool = False


class Move(Struct, frozen=True, kw_only=True):
    """What becomes of one placement; a replaced one is taken away and made anew."""

    name: str
    what: str  # added | removed | replaced | updated
    moved: tuple[Moved, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """What becomes of one service."""

    service: str
    what: str  # added | removed | changed
    before: Cost | None  # None where it was not there
    after: Cost | None
    moved: tuple[Moved, ...] = ()  # of the service itself
    placements: tuple[Move, ...] = ()
    facts: tuple[str, ...] = ()  # what of its lock has moved


class Against(Struct, frozen=True, kw_only=True):
    """What becomes of every service, compared with a commit."""

    ref: str
    changes: tuple[Change, ...]


def compare(
    before: Sequence[Plan],
    after: Sequence[Plan],
    *,
    replace_on: Mapping[str, Collection[str]],
    facts: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Change, ...]:
    """Every service that is not as it was, by name.

    `replace_on` tells of each kind the options whose change replaces the placement; `facts` of
    each service what has moved, as `facts_moved` says it.
    """
    old = {plan.service: plan for plan in before}
    new = {plan.service: plan for plan in after}
    said = facts or {}
    changes = (
        _change(name, old.get(name), new.get(name), replace_on, tuple(said.get(name, ())))
        for name in sorted({*old, *new})
    )
    return tuple(change for change in changes if change is not None)


def facts_moved(before: Lock | None, after: Lock | None) -> tuple[str, ...]:
    """What two locks of one spec say differently."""
    if before is None or after is None:
        return ()
    return lock.differences(before, after)


def _change(
    service: str,
    old: Plan | None,
    new: Plan | None,
    replace_on: Mapping[str, Collection[str]],
    facts: tuple[str, ...],
) -> Change | None:
    if old is not None and new is not None:
        change = Change(
            service=service,
            what="changed",
            before=old.cost,
            after=new.cost,
            moved=tuple(_of_plan(old, new)),
            placements=tuple(_moves(old.placements, new.placements, replace_on)),
            facts=facts,
        )
        same = old.cost == new.cost and not (change.moved or change.placements or facts)
        return None if same else change
    plan = old or new
    assert plan is not None, "a name comes from one of the two sides"
    return Change(
        service=service,
        what="removed" if new is None else "added",
        before=old.cost if old is not None else None,
        after=new.cost if new is not None else None,
        placements=tuple(
            Move(name=placement.name, what="removed" if new is None else "added")
            for placement in plan.placements
        ),
    )


def _of_plan(old: Plan, new: Plan) -> Iterator[Moved]:
    weaker = TIERS.index(new.privacy_tier) < TIERS.index(old.privacy_tier)
    yield from _moved("privacy tier", old.privacy_tier, new.privacy_tier, weaker=weaker)
    wider = bool(old.regions) and not (new.regions and set(new.regions) <= set(old.regions))
    yield from _moved("regions", old.regions or "anywhere", new.regions or "anywhere", weaker=wider)
    for what in ("team", "owner", "model_id", "revision", "quantization", "task", "max_model_len"):
        yield from _moved(what.replace("_", " "), getattr(old, what), getattr(new, what))
    for what, was, now, weaker in published.pairs(old.publish, new.publish):
        yield from _moved(what, was, now, weaker=weaker)


def _moves(
    old: Iterable[Placement],
    new: Iterable[Placement],
    replace_on: Mapping[str, Collection[str]],
) -> Iterator[Move]:
    """Placements are known by their names: it is by them that they are deployed."""
    was = {placement.name: placement for placement in old}
    now = {placement.name: placement for placement in new}
    for name in (*now, *(name for name in was if name not in now)):
        if name not in was:
            yield Move(name=name, what="added")
        elif name not in now:
            yield Move(name=name, what="removed")
        elif moved := tuple(_of_placement(was[name], now[name])):
            keys = {row.what for row in moved}
            replaced = not keys.isdisjoint(replace_on.get(now[name].kind, ()))
            yield Move(name=name, what="replaced" if replaced else "updated", moved=moved)


def _of_placement(old: Placement, new: Placement) -> Iterator[Moved]:
    was, now = _settings(old), _settings(new)
    for key in sorted({*was, *now}):
        yield from _moved(key, was.get(key), now.get(key))


def _settings(placement: Placement) -> dict[str, Any]:
    """What is deployed of a placement, by the words that a spec has for it."""
    return {
        **placement.options,
        **_of_machine(placement.machine),
        **{f"--{flag}": value for flag, value in placement.flags.items()},
        "weights": placement.weights,
        "engine": placement.engine,
        "version": placement.version,
        "image": placement.image,
        "env": placement.env,
        "routes": placement.routes or None,
    }


def _of_machine(machine: Machine | None) -> dict[str, Any]:
    if machine is None:
        return {}
    replicas = f"{machine.replicas_min} to {machine.replicas_max}"
    bought = {key: getattr(machine, key) for key in ("instance", "vendor", "region", "gpu")}
    known = {key: value for key, value in bought.items() if value is not None}
    return known | {"count": machine.count, "replicas": replicas}


def _moved(what: str, old: object, new: object, *, weaker: bool = False) -> Iterator[Moved]:
    if old != new:
        yield Moved(what=what, before=_said(old), after=_said(new), weaker=weaker)


def _said(value: object) -> str:
    """A value in words; what may hold anything is only named."""
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    if isinstance(value, tuple | list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return "other"


# How a pull-request comment tells it.


def markdown_changes(changes: Sequence[Change]) -> list[str]:
    """The changes in at most LINES lines: what costs, then what matters most."""
    if not changes:
        return ["No service changes."]
    lines = ["| service | | least a month | expected | most |", "|---|---|---|---|---|"]
    shown = sorted(changes, key=lambda change: (-_weight(change), change.service))[:_ROWS]
    lines += [
        _table_row(row.service, row.what, row.before, row.after)
        for row in sorted(shown, key=lambda change: change.service)
    ]
    if len(changes) > 1:
        many = f"{len(changes)} services" if len(changes) > _ROWS else "together"
        lines.append(_table_row(many, "", _sum(changes, "before"), _sum(changes, "after")))
    told = [text for _, text in sorted(_told(changes))]
    room = LINES - len(lines) - 1
    if len(told) > room:
        told = [*told[: room - 1], f"- and {len(told) - room + 1} more"]
    return [*lines, "", *told] if told else lines


def _weight(change: Change) -> Decimal:
    """How much dearer or cheaper, at most."""
    before, after = (
        cost.most_usd if cost else Decimal(0) for cost in (change.before, change.after)
    )
    return abs(after - before)


def _sum(changes: Sequence[Change], side: str) -> Cost:
    costs = [cost for change in changes if (cost := getattr(change, side)) is not None]
    return Cost(
        least_usd=sum((cost.least_usd for cost in costs), Decimal(0)),
        expected_usd=sum((cost.expected_usd for cost in costs), Decimal(0)),
        most_usd=sum((cost.most_usd for cost in costs), Decimal(0)),
    )


def _table_row(name: str, what: str, before: Cost | None, after: Cost | None) -> str:
    money = (
        _dollars(getattr(before, part, None), getattr(after, part, None))
        for part in ("least_usd", "expected_usd", "most_usd")
    )
    return f"| {' | '.join((plain(name), what, *money))} |"


def _dollars(before: Decimal | None, after: Decimal | None) -> str:
    """`$10.00`, or `$10.00 → $12.50 (+$2.50)`."""
    was, now = before or Decimal(0), after or Decimal(0)
    if was == now:
        return f"${now:,.2f}"
    sign = "+" if now > was else "-"
    return f"${was:,.2f} → ${now:,.2f} ({sign}${abs(now - was):,.2f})"


def _told(changes: Iterable[Change]) -> Iterator[tuple[tuple[int, str, int], str]]:
    """Every line with its rank: weaker privacy first, facts last."""
    for change in changes:
        name = plain(change.service)
        for at, row in enumerate(change.moved):
            note = " **(weaker)**" if row.weaker else ""
            yield (0 if row.weaker else 3, name, at), f"- {name}: {_arrow(row)}{note}"
        for at, move in enumerate(change.placements):
            rank = {"replaced": 1, "removed": 2, "added": 4, "updated": 5}[move.what]
            if change.what == "changed":
                yield (rank, name, at), f"- {name}: {_move(move)}"
        for at, fact in enumerate(change.facts):
            yield (6, name, at), f"- {name}: {code(fact)}"


def _move(move: Move) -> str:
    verb = f"**{move.what}**" if move.what in ("replaced", "removed") else move.what
    rows = [_arrow(row) for row in move.moved[:_KEYS_SHOWN]]
    if len(move.moved) > _KEYS_SHOWN:
        rows.append(f"{len(move.moved) - _KEYS_SHOWN} more")
    return f"{plain(move.name)} {verb}" + (f": {'; '.join(rows)}" if rows else "")


def _arrow(row: Moved) -> str:
    if row.before == row.after:  # both too long to be told in a line
        return plain(row.what)
    return f"{plain(row.what)} {code(row.before)} → {code(row.after)}"


def code(text: str) -> str:
    """Text of others as code: nothing in it is a link, a mention or a heading."""
    clean = " ".join(redact(text).replace("`", "'").split())
    short = clean if len(clean) <= _TEXT_LENGTH else clean[: _TEXT_LENGTH - 1] + "…"
    return f"`{short or ' '}`"


def plain(text: str, *, length: int = _TEXT_LENGTH) -> str:
    """Text as it is: what could break a table or a page is escaped."""
    return " ".join(redact(text).split())[:length].translate(_HARMLESS)
