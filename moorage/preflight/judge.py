"""The verdicts: every wish beside what there is, with what to do; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from moorage.preflight.answers import Answers, Compute, Standing, Who
from moorage.preflight.wishes import Hardware, Right, Route, Wishes, by_quota

OK: Final = "ok"
WARNING: Final = "warning"
PROBLEM: Final = "problem"

MANAGE: Final = "inference.endpoints.write"
INFER: Final = "inference.endpoints.infer.write"
ROUTE: Final = "inference.serverless.write"

_HAD: Final = "available"
_NOT_TO_BE_HAD: Final = frozenset({"not_available", "deprecated"})  # as huggingface_hub has it
_PAUSED: Final = "paused"
_FREE_PLANS: Final = ("free",)
_GOES: Final = "let the policy say gpus.replace: delete-first"
_OTHER_PROVIDER: Final = "name another provider, and run moorage lock"
_GROUP: Final = re.compile(r"[0-9a-f]{24}")  # the id of an organisation's resource group
_PERSON: Final = "https://huggingface.co/settings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table."""

    asked: str
    there: str
    verdict: str
    todo: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The whole table."""

    rows: tuple[Row, ...]

    @property
    def is_fine(self) -> bool:
        """Whether nothing of it is a problem."""
        return all(row.verdict != PROBLEM for row in self.rows)


def judge(wishes: Wishes, answers: Answers) -> Report:
    """Every wish with its verdict; without a token nothing more can be said."""
    tokens = tuple(_tokens(wishes, answers))
    if answers.deploys is None or answers.asks is None:
        return Report(rows=tokens)
    deploys, asks = answers.deploys, answers.asks
    rows = [
        *tokens,
        *_accounts(wishes, deploys),
        *_scopes(wishes, deploys, asks),
        *_models(wishes, answers),
        *_hardware(wishes, answers, deploys),
        *_routes(wishes, answers, asks),
        *_spaces(wishes, deploys),
    ]
    return Report(rows=tuple(dict.fromkeys(rows)))  # several services may want the same


def _tokens(wishes: Wishes, answers: Answers) -> Iterator[Row]:
    for variable in answers.missing:
        todo = f"hf auth login, or set {variable} to a token of Hugging Face ({_PERSON}/tokens)"
        yield Row(asked=variable, there="nobody is logged in", verdict=PROBLEM, todo=todo)
    for variable in answers.unknown:
        todo = f"set {variable} to a token that is valid ({_PERSON}/tokens)"
        yield Row(asked=variable, there="nobody knows it (401)", verdict=PROBLEM, todo=todo)
    if answers.deploys is not None:
        there = f"{_described(answers.deploys)} of {answers.deploys.name}"
        yield Row(asked="a token that deploys", there=there, verdict=OK)
    if answers.asks is not None and wishes.asks:
        yield _asking(answers, answers.asks)


def _asking(answers: Answers, asks: Who) -> Row:
    asked, there = "a token that asks", f"{_described(asks)} of {asks.name}"
    if not answers.one_token and asks.role == "fineGrained":
        return Row(asked=asked, there=there, verdict=OK)
    todo = f"the gateway holds it: set MOORAGE_HF_INFERENCE_TOKEN to one with only {INFER}, {ROUTE}"
    return Row(asked=asked, there=f"{there}, which may do more", verdict=WARNING, todo=todo)


def _described(who: Who) -> str:
    return "a fine-grained token" if who.role == "fineGrained" else f"a {who.role} token"


def _accounts(wishes: Wishes, who: Who) -> Iterator[Row]:
    for account in wishes.accounts:
        name = account or who.name
        asked = f"account {name}"
        if not who.belongs(name):
            known = ", ".join([who.name, *sorted(who.orgs)])
            todo = f"name one of {known} as namespace, or use a token of a member"
            yield Row(asked=asked, there="not the token's", verdict=PROBLEM, todo=todo)
        elif who.orgs.get(name) == "read":
            todo = f"let an admin of {name} give the role write"
            yield Row(asked=asked, there="a member that only reads", verdict=PROBLEM, todo=todo)
        elif account in wishes.paying and not who.pays.get(name, True):
            todo = f"add a way to pay ({_PERSON}/billing)"
            yield Row(asked=asked, there="it cannot pay", verdict=PROBLEM, todo=todo)
        else:
            there = "the token's own" if name == who.name else f"{who.orgs[name] or 'a member'}"
            yield Row(asked=asked, there=there, verdict=OK)


def _scopes(wishes: Wishes, deploys: Who, asks: Who) -> Iterator[Row]:
    for account in dict.fromkeys(row.account for row in wishes.hardware):
        name = account or deploys.name
        yield _scope(deploys, name, MANAGE, "HF_TOKEN")
        yield from _askers(wishes, account, name, asks)
    for payer in dict.fromkeys(route.payer for route in wishes.routes):
        name = _owner_of(payer, asks) if payer else asks.name
        yield _scope(asks, name, ROUTE, "MOORAGE_HF_INFERENCE_TOKEN", writes=False)
    yield from dict.fromkeys(_right(right, deploys) for right in wishes.kept)


def _askers(wishes: Wishes, account: str, name: str, asks: Who) -> Iterator[Row]:
    """Members ask what is private, whoever has an account the authenticated, anybody the rest."""
    if account in wishes.visible("private"):
        yield _scope(asks, name, INFER, "MOORAGE_HF_INFERENCE_TOKEN", writes=False)
        if not asks.belongs(name):
            todo = f"set MOORAGE_HF_INFERENCE_TOKEN to a token of a member of {name}"
            yield Row(
                asked=f"a member of {name} that asks", there=asks.name, verdict=PROBLEM, todo=todo
            )
    elif account in wishes.visible("authenticated"):
        if asks.may_anywhere(INFER):
            yield Row(asked=f"{INFER} on any account", there=_described(asks), verdict=OK)
        else:
            yield _scope(asks, name, INFER, "MOORAGE_HF_INFERENCE_TOKEN", writes=False)


def _right(right: Right, deploys: Who) -> Row:
    """A token of one repository alone can be had for one that is there already, and is enough."""
    account = right.account or deploys.name
    whole = f"{account}/{right.name}"
    if deploys.may_keep(right.kind, whole, right.permission):
        asked = f"{right.permission} on {right.kind} {whole}"
        return Row(asked=asked, there=_described(deploys), verdict=OK)
    return _scope(deploys, account, right.permission, "HF_TOKEN")


def _scope(who: Who, account: str, permission: str, variable: str, *, writes: bool = True) -> Row:
    asked = f"{permission} on {account}"
    if who.may(account, permission, writes=writes):
        return Row(asked=asked, there=_described(who), verdict=OK)
    todo = f"give the token of {variable} this permission on {account} ({_PERSON}/tokens)"
    return Row(asked=asked, there=f"{_described(who)} without it", verdict=PROBLEM, todo=todo)


def _models(wishes: Wishes, answers: Answers) -> Iterator[Row]:
    for model in wishes.models:
        asked, status = f"model {model.id}", answers.models.get(model.id, 200)
        if status in (401, 403):
            todo = f"ask for access at https://huggingface.co/{model.id}"
            yield Row(asked=asked, there="gated, and not for you", verdict=PROBLEM, todo=todo)
        elif status != 200:
            todo = "correct model.id or model.revision, and run moorage lock"
            yield Row(
                asked=asked, there=f"not there, or hidden ({status})", verdict=PROBLEM, todo=todo
            )
        else:
            yield Row(asked=asked, there="it may be read", verdict=OK)


def _hardware(wishes: Wishes, answers: Answers, who: Who) -> Iterator[Row]:
    for row in wishes.hardware:
        known = answers.computes.get(row.account or who.name)
        if known is not None:
            found = known.get((row.vendor, row.region, row.instance))
            standing = answers.standing.get(row.account or who.name, ())
            yield _stock(row, found, stands=any(_is_of(one, row) for one in standing))
            if found is not None:
                yield from _price(row, found)
    for account, vendor, kind in by_quota(wishes.hardware):
        planned = [
            row
            for row in wishes.hardware
            if (row.account, row.vendor, row.kind) == (account, vendor, kind)
        ]
        yield from _quota(planned, answers, account or who.name, delete_first=wishes.delete_first)
    for account, status in answers.refused.items():
        todo = f"give the token of HF_TOKEN the permission {MANAGE} on {account}"
        yield Row(
            asked=f"the hardware of {account}",
            there=f"it is not told ({status})",
            verdict=PROBLEM,
            todo=todo,
        )


def _stock(row: Hardware, found: Compute | None, *, stands: bool) -> Row:
    """Whether it can be had; where ours `stands` on it already, nothing has to be had."""
    asked = f"{row.instance} in {row.vendor} {row.region}"
    status = found.status if found is not None else "nobody has it"
    said = status.replace("_", " ")
    if status == _HAD:
        return Row(asked=asked, there=said, verdict=OK)
    if found is not None and status not in _NOT_TO_BE_HAD:
        todo = "it may take long to start; a second provider in the spec takes over"
        return Row(asked=asked, there=said, verdict=WARNING, todo=todo)
    todo = "take another gpu or region: moorage catalog list --kind hf-endpoint"
    if stands:
        later = f"ours stays; once it is paused or deleted, {todo}"
        return Row(asked=asked, there=f"{said}; ours has it", verdict=WARNING, todo=later)
    return Row(asked=asked, there=said, verdict=PROBLEM, todo=todo)


def _is_of(one: Standing, row: Hardware) -> bool:
    """Whether this endpoint is that of a placement, on the hardware that it is to have."""
    place = (one.vendor, one.region, one.instance)
    is_there = place == (row.vendor, row.region, row.instance) and one.state != _PAUSED
    return is_there and row.mark in one.tags and row.name == one.name


def _price(row: Hardware, found: Compute) -> Iterator[Row]:
    if row.usd is None:
        return
    asked = f"{row.instance} at ${row.usd:.3f} an hour"
    there = f"${found.usd:.3f} an hour"
    if found.usd > row.usd:
        todo = "moorage catalog refresh --kind hf-endpoint, then moorage lock, and review the plan"
        yield Row(asked=asked, there=there, verdict=WARNING, todo=todo)
    else:
        yield Row(asked=asked, there=there, verdict=OK)


def _quota(
    planned: Sequence[Hardware], answers: Answers, name: str, *, delete_first: bool
) -> Iterator[Row]:
    """Whether all that is planned of a vendor's kind fits beside what is there and stays.

    What is there of ours makes room by a change; what is replaced does so only where it goes first.
    """
    vendor, kind = _pool(planned)
    known = answers.computes.get(name) or {}
    sizes = {
        row.instance: row
        for (of, _, _), row in known.items()
        if (of, _kind(row.instance)) == (vendor, kind)
    }
    if not sizes:
        return
    wanted = sum(_taken(sizes, row.instance, row.replicas) for row in planned)
    quota, used = max((row.quota, row.used) for row in sizes.values())
    ours = [one for one in answers.standing.get(name, ()) if _is_ours(one, planned)]
    beside = [] if delete_first else [one for one in ours if not _is_kept(one, planned)]
    freed = sum(_taken(sizes, one.instance, one.replicas) for one in ours if one not in beside)
    left = max(0, quota - max(0, used - freed))
    asked, there = f"{wanted} {vendor} {kind} for {name}", f"{left} of {quota} left"
    if wanted <= left:
        yield Row(asked=asked, there=there, verdict=OK)
        return
    todo = f"ask for more quota, pause what {name} does not need, or lower replicas.max"
    if beside:
        stand = ", ".join(one.name for one in beside)
        todo = f"{stand} stands until its replacement serves: {todo}, or {_GOES}"
    yield Row(asked=asked, there=there, verdict=PROBLEM, todo=todo)


def _pool(planned: Sequence[Hardware]) -> tuple[str, str]:
    """The vendor and the kind whose quota they share."""
    return planned[0].vendor, planned[0].kind


def _is_ours(one: Standing, planned: Sequence[Hardware]) -> bool:
    """Whether it is of one of these placements, and takes of their quota; a paused one does not."""
    takes = one.state != _PAUSED and (one.vendor, _kind(one.instance)) == _pool(planned)
    return takes and any(row.mark in one.tags for row in planned)


def _is_kept(one: Standing, planned: Sequence[Hardware]) -> bool:
    """Whether it is changed where it is: one under another name is replaced."""
    return any(row.mark in one.tags and row.name == one.name for row in planned)


def _taken(sizes: dict[str, Compute], instance: str, replicas: int) -> int:
    """How much of the quota so many replicas take; nothing where it is of another kind."""
    found = sizes.get(instance)
    return found.accelerators * replicas if found is not None else 0


def _kind(instance: str) -> str:
    return instance.rpartition("-")[0]


def _routes(wishes: Wishes, answers: Answers, asks: Who) -> Iterator[Row]:
    for route in wishes.routes:
        yield from _live(route, answers)
        if route.payer is not None:
            yield from _payer(route.payer, asks)


def _payer(payer: str, asks: Who) -> Iterator[Row]:
    asked = f"{payer} pays"
    if asks.belongs(payer):
        return
    if _GROUP.fullmatch(payer) and asks.orgs:
        there = "a resource group, by its form"
        todo = "whose it is nobody tells; prove it by one request, moorage test --profile smoke"
        yield Row(asked=asked, there=there, verdict=WARNING, todo=todo)
        return
    known = ", ".join([asks.name, *sorted(asks.orgs)])
    todo = f"name one of {known} as bill_to"
    yield Row(asked=asked, there="not the token's", verdict=PROBLEM, todo=todo)


def _owner_of(payer: str, asks: Who) -> str:
    """Whose permission it takes: that of an organisation which the payer may be a group of."""
    if asks.belongs(payer) or not _GROUP.fullmatch(payer):
        return payer
    may = (org for org in sorted(asks.orgs) if asks.may(org, ROUTE, writes=False))
    return next(may, payer)


def _live(route: Route, answers: Answers) -> Iterator[Row]:
    there, todo = answers.live.get(route.model, frozenset()), _OTHER_PROVIDER
    if route.is_open:
        asked, some = f"{route.model} at any provider", sorted(there.intersection(route.providers))
        said = f"live at {', '.join(some)}" if some else "not live"
        verdict = OK if some else PROBLEM
        yield Row(asked=asked, there=said, verdict=verdict, todo="" if some else todo)
        return
    for slug in route.providers:
        asked = f"{route.model} at {slug}"
        if slug in there:
            yield Row(asked=asked, there="live", verdict=OK)
        else:
            yield Row(asked=asked, there="not live", verdict=PROBLEM, todo=todo)


def _spaces(wishes: Wishes, who: Who) -> Iterator[Row]:
    wanted: dict[str, bool] = {}
    for space in wishes.spaces:
        name = space.account or who.name
        wanted[name] = wanted.get(name, False) or space.wants_plan
    for name, wants_plan in wanted.items():
        plan = who.plans.get(name, "")
        asked = f"a Space of {name}"
        if wants_plan and plan in _FREE_PLANS:
            todo = (
                "Spaces on free hardware, and protected ones, want a paid plan;"
                " take PRO, a team's account, or hardware that is paid by the hour"
            )
            yield Row(asked=asked, there=f"a {plan} account", verdict=PROBLEM, todo=todo)
        else:
            yield Row(asked=asked, there=f"plan {plan}" if plan else "a plan", verdict=OK)
