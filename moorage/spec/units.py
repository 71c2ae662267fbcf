"""Durations, percentages and money: text with a unit, turned into numbers whose names carry it."""

from __future__ import annotations

import re
from decimal import Decimal

DURATION = r"^([0-9]{1,9}(\.[0-9]{1,6})?)(ms|s|m|h|d)$"
PERCENT = r"^(100(\.0{1,6})?|[0-9]{1,2}(\.[0-9]{1,6})?)%$"

_MS_PER = {
    "ms": Decimal(1),
    "s": Decimal(1000),
    "m": Decimal(60_000),
    "h": Decimal(3_600_000),
    "d": Decimal(86_400_000),
}
_DURATION = re.compile(DURATION.removesuffix("$") + r"\Z")
_PERCENT = re.compile(PERCENT.removesuffix("$") + r"\Z")
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9])", re.ASCII)  # 90 to YAML 1.1, text since
_GROUPED = re.compile(r"[0-9]{1,3}(?:[_, '][0-9]{3})+|[0-9]+(?:_[0-9]+)+", re.ASCII)
_BASED = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}|0b[01]{1,60}")
_THOUSANDS = re.compile(r"([0-9]{1,6}(?:\.[0-9])?) *[kK]", re.ASCII)
_BARE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


def duration_ms(text: str) -> float:
    """Milliseconds of `800ms`, `2s`, `1.5m`, `1h` or `30d`."""
    found = _DURATION.match(text)
    if found is None:
        message = f"not a duration: {text!r}"
        raise ValueError(message)
    return float(Decimal(found[1]) * _MS_PER[found[3]])


def share(text: str) -> float:
    """The share of a percentage: 0.5% is 0.005."""
    if _PERCENT.match(text) is None:
        message = f"not a percentage: {text!r}"
        raise ValueError(message)
    return float(Decimal(text[:-1]) / 100)


def money(text: str) -> Decimal:
    """An amount as it is written, without the error of binary fractions."""
    return Decimal(text)


def hint(kind: str, text: str) -> str:
    """What was probably meant by a value of the wrong unit; empty when nobody can tell."""
    if kind == "duration" and _BARE.fullmatch(text):
        return f"write the unit: {text}ms or {text}s"
    if kind == "duration" and (found := _CLOCK.fullmatch(text)):
        parts = int(found[1]) * 60 + int(found[2])
        return f"write {parts}s where these are minutes, {parts}m where they are hours"
    if kind == "duration" and (found := re.fullmatch(r"([0-9.]+) *(\w+)", text)):
        return _other_unit(found[1], found[2])
    if kind == "percent" and _PERCENT.match(f"{text}%"):
        return f"write {text}%" + _of_a_share(text)
    if kind == "money" and (found := re.fullmatch(r"([0-9.]{1,9}) *[kK]", text)):
        return f"write {_thousands(found[1])}" if _BARE.fullmatch(found[1]) else ""
    if kind == "money" and (
        found := re.fullmatch(r"\$? *([0-9][0-9,]*(\.[0-9]+)?) *(USD|\$)?", text)
    ):
        return f"write {found[1].replace(',', '')}"
    return ""


def number_hint(text: str) -> str:
    """The number that was probably meant by a text; empty when nobody can tell."""
    if _GROUPED.fullmatch(text):
        return f"write {re.sub(r'[^0-9]', '', text)}"
    if _BASED.fullmatch(text):
        return f"write {int(text, 0)}"
    if found := _THOUSANDS.fullmatch(text):
        return f"write {_thousands(found[1])}"
    return ""


def _of_a_share(text: str) -> str:
    """A number below one may be a share of one as well."""
    whole = Decimal(text) * 100
    return f", or {format(whole.normalize(), 'f')}% where it is a share" if 0 < whole <= 100 else ""


def _thousands(digits: str) -> str:
    return format((Decimal(digits) * 1000).normalize(), "f")


def _other_unit(number: str, unit: str) -> str:
    words = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m"}
    words |= {"minute": "m", "minutes": "m", "hour": "h", "hours": "h", "msec": "ms", "ms": "ms"}
    words |= {"millis": "ms", "s": "s", "m": "m", "h": "h", "milliseconds": "ms"}
    words |= {"day": "d", "days": "d", "hr": "h", "hrs": "h"}
    short = words.get(unit.lower())
    return f"write {number}{short}" if short and _BARE.fullmatch(number) else ""
