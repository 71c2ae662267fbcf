"""Diffs are what a step changes, property by property, with every secret masked on both sides."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pulumi.automation.events import PropertyDiff, StepEventMetadata, StepEventStateMetadata

from moorage.deploy.show import values
from moorage.deploy.show.values import MISSING, SECRET, Path, Word

Kind = Literal["add", "update", "delete"]
_MARKS: Final[dict[Kind, str]] = {"add": "+", "update": "~", "delete": "-"}
_CREATES: Final = frozenset({"create", "import"})
_COMPARES: Final = frozenset({"update", "replace", "create-replacement", "import-replacement"})
_SHORT_LINES: Final = 6
_SHORT_WIDTH: Final = 60
_FULL_WIDTH: Final = 200
_SHORT_TEXT_LINES: Final = 8
_FULL_TEXT_LINES: Final = 30
_TEXT_LIMIT: Final = 20_000  # comparing longer texts line by line takes too long to be shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One property that a step changes; nothing in it is secret."""

    path: Path
    kind: Kind
    old: Any
    new: Any
    replaces: bool = False
    unsure: bool = False  # secret on both sides, and nobody says that it differs

    @property
    def secret(self) -> bool:
        """Whether a secret is behind it."""
        return self.old is SECRET or self.new is SECRET


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sides:
    """The state before and after, and everything that is secret in either."""

    old_inputs: Mapping[str, Any]
    old_outputs: Mapping[str, Any]
    new_inputs: Mapping[str, Any]
    new_outputs: Mapping[str, Any]
    secrets: frozenset[Path]

    def visible(self, value: Any, path: Path) -> Any:
        return values.visible(value, path, self.secrets)

    def named(self, value: Any, path: Path) -> Any:
        """The same of what the provider names: it may lie within a secret, where nobody sees it."""
        if value is MISSING and values.covered(path, self.secrets):
            return SECRET
        return self.visible(value, path)


def changes(detail: StepEventMetadata, *, full: bool = False) -> list[Change]:
    """What a step changes; of a new resource its inputs, where everything is asked for."""
    step = str(getattr(detail.op, "value", detail.op))
    if step not in _COMPARES and not (full and step in _CREATES):
        return []
    sides = _sides(detail)
    if step in _CREATES:
        return list(_compare({}, sides.new_inputs, (), sides))
    found = list(_detailed(detail, sides) if detail.detailed_diff else _compared(detail, sides))
    return _once(found)


def drift(detail: StepEventMetadata) -> list[Change]:
    """How a thing is found to differ from what the state says of it."""
    sides = _sides(detail)
    found = list(_compare(sides.old_outputs, sides.new_outputs, (), sides))
    return found or list(_compare(sides.old_inputs, sides.new_inputs, (), sides))


def reason(detail: StepEventMetadata, found: Sequence[Change]) -> str:
    """Why a step is taken, where the properties that change do not say it by themselves."""
    step = str(getattr(detail.op, "value", detail.op))
    if step in _COMPARES and step != "update":
        names = [values.write_path(one.path) for one in found if one.replaces]
        names = names or list(detail.keys or ())
        return f"{', '.join(names[:4])}{', ...' if len(names) > 4 else ''} changed" if names else ""
    errors = (detail.old.init_errors if detail.old else None) or []
    if step == "update" and errors:
        text = " ".join(str(errors[0]).split())
        return f"it did not get ready: {values.shorten(values.printable(text), 120)}"
    return ""


def lines(found: Sequence[Change], *, full: bool = False) -> list[str]:
    """The changes as lines, each property with its mark."""
    told = [line for one in found for line in _lines(one, full=full)]
    if full or len(told) <= _SHORT_LINES:
        return told
    shown: list[str] = []
    left = 0
    for one in found:
        more = _lines(one, full=False)
        if shown and len(shown) + len(more) > _SHORT_LINES:
            left += 1
        else:
            shown += more
    return [*shown, f"and {left} more (`--diff` shows all)"] if left else shown


def _lines(one: Change, *, full: bool) -> list[str]:
    mark = f"{_MARKS[one.kind]} {values.printable(values.write_path(one.path))}:"
    replaces = "  (replaces)" if one.replaces else ""
    if one.secret and one.old is one.new:
        return [f"{mark} {SECRET}{', may differ' if one.unsure else ''}{replaces}"]
    if _is_text(one.old) and _is_text(one.new) and "\n" in one.old + one.new:
        return [f"{mark}{replaces}", *_text_lines(one.old, one.new, full=full)]
    width = _FULL_WIDTH if full else _SHORT_WIDTH
    shown = [
        values.write(value, width=width)
        for value in (one.old, one.new)
        if not isinstance(value, values.Missing)
    ]
    return [f"{mark} {' -> '.join(shown)}{replaces}"]


def _text_lines(old: str, new: str, *, full: bool) -> list[str]:
    if len(old) + len(new) > _TEXT_LIMIT:
        return [f"    {old.count(chr(10)) + 1} lines -> {new.count(chr(10)) + 1} lines"]
    unified = difflib.unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm="")
    told = [f"    {values.shorten(values.printable(line), 120)}" for line in list(unified)[2:]]
    limit = _FULL_TEXT_LINES if full else _SHORT_TEXT_LINES
    return (
        told if len(told) <= limit else [*told[:limit], f"    and {len(told) - limit} lines more"]
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Word)


def _sides(detail: StepEventMetadata) -> _Sides:
    maps = [*_maps(detail.old), *_maps(detail.new)]
    secrets = frozenset(path for one in maps for path in values.secret_paths(one))
    return _Sides(
        old_inputs=maps[0],
        old_outputs=maps[1],
        new_inputs=maps[2],
        new_outputs=maps[3],
        secrets=secrets,
    )


def _maps(state: StepEventStateMetadata | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return ((state.inputs or {}), (state.outputs or {})) if state else ({}, {})


def _detailed(detail: StepEventMetadata, sides: _Sides) -> Iterator[Change]:
    """What the provider says that differs."""
    for text, told in (detail.detailed_diff or {}).items():
        path = values.parse_path(text)
        if any(map(values.is_internal, path)):
            continue
        kind, _, replaces = told.diff_kind.value.partition("-")
        yield Change(
            path=path,
            kind=_kind(kind),
            old=MISSING if kind == "add" else sides.named(_old(told, path, sides), path),
            new=MISSING if kind == "delete" else sides.named(_new(path, sides), path),
            replaces=bool(replaces),
        )


def _kind(word: str) -> Kind:
    return "add" if word == "add" else "delete" if word == "delete" else "update"


def _old(told: PropertyDiff, path: Path, sides: _Sides) -> Any:
    first, second = sides.old_outputs, sides.old_inputs
    if told.input_diff:
        first, second = second, first
    found = values.look_up(first, path)
    return values.look_up(second, path) if found is MISSING else found


def _new(path: Path, sides: _Sides) -> Any:
    found = values.look_up(sides.new_inputs, path)
    return values.look_up(sides.new_outputs, path) if found is MISSING else found


def _compared(detail: StepEventMetadata, sides: _Sides) -> Iterator[Change]:
    """What differs in the properties that the provider names, or in all where it names none."""
    replacing = frozenset(detail.keys or ())
    named = detail.diffs or sorted({*sides.old_inputs, *sides.new_inputs})
    for key in named:
        path = values.parse_path(key)
        old = values.look_up(sides.old_inputs, path)
        new = values.look_up(sides.new_inputs, path)
        found = list(_compare(old, new, path, sides, named=bool(detail.diffs)))
        if not found and detail.diffs:
            old = values.look_up(sides.old_outputs, path)
            found = list(_compare(old, new, path, sides, named=True))
        for one in found:
            yield _replacing(one) if key in replacing else one


def _replacing(one: Change) -> Change:
    return Change(
        path=one.path, kind=one.kind, old=one.old, new=one.new, replaces=True, unsure=one.unsure
    )


def _compare(
    old: Any, new: Any, path: Path, sides: _Sides, *, named: bool = False
) -> Iterator[Change]:
    if path and values.is_internal(path[-1]):
        return
    masked_old, masked_new = sides.visible(old, path), sides.visible(new, path)
    if masked_old is SECRET and masked_new is SECRET:
        if named or old != new:
            unsure = old == new
            yield Change(path=path, kind="update", old=SECRET, new=SECRET, unsure=unsure)
    elif isinstance(masked_old, Mapping) and isinstance(masked_new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            one, other = values.look_up(old, (key,)), values.look_up(new, (key,))
            yield from _compare(one, other, (*path, key), sides, named=named)
    elif isinstance(masked_old, list) and isinstance(masked_new, list):
        for number in range(max(len(old), len(new))):
            one, other = values.look_up(old, (number,)), values.look_up(new, (number,))
            yield from _compare(one, other, (*path, number), sides, named=named)
    elif masked_old != masked_new or type(masked_old) is not type(masked_new):
        yield Change(path=path, kind=_word(old, new), old=masked_old, new=masked_new)


def _word(old: Any, new: Any) -> Kind:
    return "add" if old is MISSING else "delete" if new is MISSING else "update"


def _once(found: Sequence[Change]) -> list[Change]:
    """Each property once; what differs for certain hides what only may."""
    seen: dict[Path, Change] = {}
    for one in found:
        seen.setdefault(one.path, one)
    return list(seen.values())
