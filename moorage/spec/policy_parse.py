"""From the text of a policy to a `Policy`, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from moorage.spec import document, secrets, shape, source, units
from moorage.spec.document import Node
from moorage.spec.policy import (
    DELETE_FIRST,
    PRICE_REFUSE_DAYS,
    PRICE_WARN_DAYS,
    Policy,
    TeamPolicy,
    TierPolicy,
    Waiver,
)
from moorage.spec.problems import Place, Problem
from moorage.spec.words import nearest

PLACES: Final = ("specs/policy.yaml", "policy.yaml")  # where a project may keep its policy

_WORDS: Final = {  # what the reader of specs says -> the same of a policy
    "empty-file": "the file holds no policy",
    "yaml-documents": "a second document begins here; a file holds one policy",
}
_NAMES: Final = (  # lists of names, in which one given twice is a slip
    ("licenses", "allow"),
    ("licenses", "refuse"),
    ("gpus", "allow"),
    ("remote_code",),
)


class ParsedPolicy(NamedTuple):
    """One policy understood: None where something is wrong, and the place of everything in it."""

    file: str
    policy: Policy | None
    problems: tuple[Problem, ...] = ()
    tree: Node | None = None

    def at(self, *way: str | int) -> Place:
        """Where a key or an entry stands; for one that is not there, its nearest parent."""
        node = document.nearest(self.tree, *way)
        return Place() if node is None else node.key

    def problem(self, rule: str, says: str, hint: str, *way: str | int) -> Problem:
        """A problem at a place of the policy."""
        at = self.at(*way)
        return _clean(
            Problem(file=self.file, line=at.line, column=at.column, rule=rule, says=says, hint=hint)
        )


def find(root: Path) -> Path | None:
    """The policy of a project, if it has one."""
    places = (root / place for place in PLACES)
    return next((path for path in places if os.path.lexists(path)), None)


def load(root: Path, *, schema: Mapping[str, Any]) -> ParsedPolicy:
    """Read the policy of a project; where there is none, everything is allowed."""
    path = find(root)
    if path is None:
        return ParsedPolicy(file="", policy=Policy())
    name = path.relative_to(root).as_posix()
    text = source.text(path, file=name)
    if isinstance(text, Problem):
        return ParsedPolicy(file=name, policy=None, problems=(text,))
    return parse(text, name, schema=schema)


def parse(text: str, file: str, *, schema: Mapping[str, Any]) -> ParsedPolicy:
    """Read one policy; `schema` is what `moorage.spec.policy_schema.build` gives."""
    read, problems = document.read(text, file)
    tree = None if read is None else _worded(read)
    found = [_named(problem) for problem in problems]
    found += [_secret(file, *place) for place in secrets.find(text)]
    if tree is not None:
        found += shape.check(tree, schema, file, name="the policy")
    seen = ParsedPolicy(file=file, policy=None, tree=tree)
    if tree is not None and not found:
        found += [problem for judge in _JUDGES for problem in judge(seen)]
    clean = tuple(sorted(map(_clean, found)))
    policy = _policy(tree, file) if tree is not None and not clean else None
    return seen._replace(policy=policy, problems=clean)


def unknown_rules(parsed: ParsedPolicy, known: Collection[str]) -> list[Problem]:
    """The rules that a policy names and nobody knows."""
    policy = parsed.policy or Policy()
    named = [(slug, ("rules", slug)) for slug in policy.rules]
    waived = [(row.rule, ("waivers", at, "rule")) for at, row in enumerate(policy.waivers)]
    return [
        _unknown(parsed, "policy-rule", "rule", slug, known, *way)
        for slug, way in (*named, *waived)
        if slug not in known
    ]


def unknown_gpus(parsed: ParsedPolicy, known: Collection[str]) -> list[Problem]:
    """The GPUs that a policy allows and the catalogue does not have."""
    policy = parsed.policy or Policy()
    return [
        _unknown(parsed, "policy-gpu", "GPU", gpu, known, "gpus", "allow", at)
        for at, gpu in enumerate(policy.gpus_allow or ())
        if gpu not in known
    ]


def _unknown(
    parsed: ParsedPolicy,
    rule: str,
    what: str,
    name: str,
    known: Collection[str],
    *way: str | int,
) -> Problem:
    near = nearest(name, known)
    hint = f"did you mean '{near}'?" if near else ""
    return parsed.problem(rule, f"there is no {what} {name[:60]!r}", hint, *way)


def _policy(tree: Node, file: str) -> Policy:
    """The policy that a document describes; only for one that nothing is wrong with."""
    top = document.plain(tree)
    licenses, gpus = top.get("licenses", {}), top.get("gpus", {})
    warn, refuse = _ages(top.get("prices", {}))
    return Policy(
        licenses_allow=_texts(licenses, "allow"),
        licenses_refuse=_texts(licenses, "refuse") or (),
        tiers={tier: _tier(row) for tier, row in top.get("tiers", {}).items()},
        gpus_allow=_texts(gpus, "allow"),
        gpus_per_service=_whole(gpus, "per_service"),
        gpus_total=_whole(gpus, "total"),
        delete_first=gpus.get("replace") == DELETE_FIRST,
        spot=gpus.get("spot", True),
        **_budgets(tree.get("budgets")),
        owner_needed=top.get("owners", {}).get("needed", False),
        price_warn_days=warn,
        price_refuse_days=refuse,
        remote_code=_texts(top, "remote_code") or (),
        rules=top.get("rules", {}),
        waivers=_waivers(tree.get("waivers")),
        file=file,
    )


def _texts(section: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    return tuple(section[key]) if key in section else None


def _whole(section: Mapping[str, Any], key: str) -> int | None:
    return int(section[key]) if key in section else None


def _tier(row: Mapping[str, Any]) -> TierPolicy:
    return TierPolicy(**{key: tuple(names) for key, names in row.items()})


def _budgets(section: Node | None) -> dict[str, Any]:
    if section is None:
        return {}
    teams = section.get("teams")
    known = None if teams is None else {name: _team(row) for name, row in _entries(teams)}
    return {"total_usd": _money(section, "total_usd"), "teams": known}


def _team(row: Node) -> TeamPolicy:
    return TeamPolicy(
        owner=document.plain(row).get("owner"), monthly_usd=_money(row, "monthly_usd")
    )


def _money(section: Node | None, key: str) -> Decimal | None:
    """Money is taken as it is written, not as the float that YAML makes of it."""
    node = section.get(key) if section is not None else None
    return None if node is None else units.money(node.text)


def _ages(prices: Mapping[str, str]) -> tuple[int, int]:
    """The days after which a price is warned of, and refused."""
    warn, refuse = prices.get("warn_after"), prices.get("refuse_after")
    return (
        PRICE_WARN_DAYS if warn is None else _days(warn),
        PRICE_REFUSE_DAYS if refuse is None else _days(refuse),
    )


def _days(text: str) -> int:
    return int(text.removesuffix("d"))


def _waivers(rows: Node | None) -> tuple[Waiver, ...]:
    return tuple(
        Waiver(**row | {"expires": date.fromisoformat(row["expires"]), "line": node.key.line})
        for node in (rows.items if rows is not None else ())
        for row in (document.plain(node),)
    )


def _entries(node: Node | None) -> Iterator[tuple[str, Node]]:
    return iter(node.value.items() if node is not None and isinstance(node.value, dict) else ())


# What the schema cannot say; asked only of a policy whose shape is right.


def _dates(seen: ParsedPolicy) -> Iterator[Problem]:
    rows = seen.tree.get("waivers") if seen.tree is not None else None
    for at, row in enumerate(rows.items if rows is not None else ()):
        day = str(document.plain(row)["expires"])
        if not _is_day(day):
            says = f"{day!r} is no day of any year"
            hint = "write year-month-day, such as 2027-01-31"
            yield seen.problem("policy-date", says, hint, "waivers", at, "expires")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _price_ages(seen: ParsedPolicy) -> Iterator[Problem]:
    prices = seen.tree.get("prices") if seen.tree is not None else None
    warn, refuse = _ages({} if prices is None else document.plain(prices))
    if warn > refuse:
        says = f"prices are warned of after {warn} days, and refused already after {refuse}"
        yield seen.problem("policy-prices", says, "let warn_after be the shorter one", "prices")


def _shares(seen: ParsedPolicy) -> Iterator[Problem]:
    section = seen.tree.get("budgets") if seen.tree is not None else None
    total = _money(section, "total_usd")
    teams = section.get("teams") if section is not None else None
    given = sum((_money(row, "monthly_usd") or Decimal(0) for _, row in _entries(teams)), Decimal())
    if total is not None and given > total:
        says = f"the teams' budgets sum up to ${given:,.2f}, the total is ${total:,.2f}"
        hint = "raise total_usd or lower a team's monthly_usd"
        yield seen.problem("policy-budgets", says, hint, "budgets", "teams")


def _twice(seen: ParsedPolicy) -> Iterator[Problem]:
    tiers = _entries(seen.tree.get("tiers") if seen.tree is not None else None)
    of_tiers = [("tiers", tier, key) for tier, row in tiers for key, _ in _entries(row)]
    for way in (*_NAMES, *of_tiers):
        first: dict[str, int] = {}
        for at, name in enumerate(_list(seen, *way)):
            if name in first:
                says = f"{name[:60]!r} is given twice, first as entry {first[name]}"
                yield seen.problem("policy-duplicate", says, "keep one of them", *way, at)
            first.setdefault(name, at + 1)


def _torn(seen: ParsedPolicy) -> Iterator[Problem]:
    """A licence that is allowed and refused."""
    allowed = set(_list(seen, "licenses", "allow"))
    for at, name in enumerate(_list(seen, "licenses", "refuse")):
        if name in allowed:
            says = f"{name[:60]!r} is allowed and refused"
            hint = "take it out of one of the lists"
            yield seen.problem("policy-duplicate", says, hint, "licenses", "refuse", at)


def _waived_twice(seen: ParsedPolicy) -> Iterator[Problem]:
    first: dict[tuple[str, str], int] = {}
    rows = seen.tree.get("waivers") if seen.tree is not None else None
    for at, node in enumerate(rows.items if rows is not None else ()):
        row = document.plain(node)
        key = (row["rule"], row["service"])
        if key in first:
            says = f"{key[0]} is waived for '{key[1]}' already in line {first[key]}"
            yield seen.problem("policy-duplicate", says, "keep one of them", "waivers", at)
        first.setdefault(key, node.key.line)


_JUDGES: Final[tuple[Callable[[ParsedPolicy], Iterator[Problem]], ...]] = (
    _dates,
    _price_ages,
    _shares,
    _twice,
    _torn,
    _waived_twice,
)


def _list(seen: ParsedPolicy, *way: str) -> list[str]:
    node = seen.tree
    for step in way:
        node = document.step(node, step)
    return [] if node is None else [child.text for child in node.items]


def _worded(tree: Node) -> Node:
    """`off` is a severity here, though YAML's older half reads it as false."""
    rules = tree.get("rules")
    if rules is None or not isinstance(rules.value, dict) or not isinstance(tree.value, dict):
        return tree
    meant = {slug: _off(node) for slug, node in rules.value.items()}
    return replace(tree, value=tree.value | {"rules": replace(rules, value=meant)})


def _off(node: Node) -> Node:
    return replace(node, value="off") if node.plain and node.text == "off" else node


def _named(problem: Problem) -> Problem:
    hint = "" if problem.rule == "empty-file" else problem.hint
    return replace(problem, says=_WORDS.get(problem.rule, problem.says), hint=hint)


def _secret(file: str, line: int, column: int, what: str) -> Problem:
    return Problem(
        file=file,
        line=line,
        column=column,
        rule="secret-in-spec",
        says=f"this looks like {what}",
        hint="take it out, and make it invalid where it was issued",
    )


def _clean(problem: Problem) -> Problem:
    says, hint = secrets.redact(problem.says), secrets.redact(problem.hint)
    return replace(problem, says=says, hint=hint)
