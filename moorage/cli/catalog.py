"""`moorage catalog`: what can be had for how much, who says so, and what is new of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moorage.cli.amounts import seconds
from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from moorage.market.refresh import Fresh
    from moorage.plan.catalogue.offers import Catalog, Offer

_KINDS = ("ec2-gpu", "hf-endpoint", "hf-router", "hf-space")


def configure(parser: argparse.ArgumentParser) -> None:
    """Four verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _configure_list(verbs.add_parser("list", help="what can be had, cheapest first"))
    show = verbs.add_parser("show", help="all that is known of a row, kind, GPU or engine")
    show.add_argument("key", metavar="KEY", help="such as nvidia-l40s or hf-endpoint/aws/...")
    show.add_argument("--json", action="store_true", help="for machines")
    verbs.add_parser("check", help="prove that the catalogue can be believed")
    _configure_refresh(verbs.add_parser("refresh", help="ask the sellers for today's prices"))


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    return int(_VERBS[args.verb](args))


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", help="only this placement kind")
    parser.add_argument("--gpu", help="only with this GPU; none: without one")
    parser.add_argument("--region", help="only what this region, or area (eu), has")
    parser.add_argument("--max-usd", type=_usd, metavar="USD", help="at most so much a unit")
    parser.add_argument("--json", action="store_true", help="for machines")


def _configure_refresh(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--kind", action="append", choices=_KINDS, help="only this kind (may be repeated)")
    add("--namespace", help="hf-endpoint: whose quota to ask for")
    add("--region", action="append", default=[], help="ec2-gpu: also this region")
    add("--instance", action="append", default=[], help="ec2-gpu: also this instance type")
    add("--model", action="append", default=[], help="hf-router: also this model")
    add("--accept", action="append", default=[], metavar="KEY", help="believe this row's price")
    add("--accept-all", action="store_true", help="believe every price")
    add("--dry-run", action="store_true", help="write nothing")
    add("--deadline", type=seconds, default=20.0, metavar="SECONDS", help="of one answer (20)")


def _usd(text: str) -> Decimal:
    try:
        usd = Decimal(text)
    except InvalidOperation:
        usd = Decimal(-1)
    if not usd.is_finite() or usd < 0:
        message = f"{text!r} is not an amount of dollars"
        raise argparse.ArgumentTypeError(message)
    return usd


def _folder() -> Path:
    from moorage.plan.project import catalog_folder, find_root

    return catalog_folder(find_root(Path.cwd()))


def _read() -> Catalog:
    from moorage.plan.catalogue import catalog

    return catalog.read(_folder())


def _list(args: argparse.Namespace) -> Exit:
    catalog = _read()
    if args.kind is not None and args.kind not in catalog.kinds:
        _unknown(args.kind, catalog.kinds, "placement kind")
    if args.gpu not in (None, "none", *catalog.gpus):
        _unknown(args.gpu, catalog.gpus, "GPU")
    offers = [offer for offer in _offers(catalog) if _is_wanted(offer, catalog, args)]
    if args.json:
        _print_json([_plain(offer) for offer in offers])
    else:
        _print_table(offers)
    return Exit.FINE


def _offers(catalog: Catalog) -> list[Offer]:
    every = (offer for kind in catalog.kinds.values() for offer in kind.offers)
    return sorted(every, key=lambda offer: (offer.per, offer.usd, offer.key))


def _is_wanted(offer: Offer, catalog: Catalog, args: argparse.Namespace) -> bool:
    return (
        (args.kind is None or offer.kind == args.kind)
        and (args.gpu is None or (offer.gpu or "none") == args.gpu)
        and (args.region is None or args.region in _places(offer, catalog))
        and (args.max_usd is None or offer.usd <= args.max_usd)
    )


def _places(offer: Offer, catalog: Catalog) -> set[str]:
    """The regions and areas where a row can be had."""
    regions = [
        region
        for region in catalog.kinds[offer.kind].regions
        if region.vendor == offer.vendor and offer.region in (None, region.name)
    ]
    return {word for region in regions for word in (region.name, region.area)}


def _print_table(offers: Iterable[Offer]) -> None:
    from moorage.plan.money.cost import dollars

    rows = [("row", "GPU", "USD", "per", "status", "read", "confidence")]
    for offer in offers:
        gpu = f"{offer.gpu} x{offer.count}" if offer.gpu else "-"
        price = "free" if offer.free else dollars(offer.usd)
        more = (offer.per, offer.status, offer.date, offer.confidence)
        rows.append((offer.key, gpu, price, *more))
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if at == 2 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def _show(args: argparse.Namespace) -> Exit:
    catalog = _read()
    found = _known(catalog)
    if args.key not in found:
        _unknown(args.key, found, "row, kind, GPU or engine")
    told = _plain(found[args.key])
    if args.json:
        _print_json(told)
    else:
        print(f"{args.key}:")
        _print_nested(told, "  ")
        if args.key in catalog.gpus:
            _print_table(offer for offer in _offers(catalog) if offer.gpu == args.key)
    return Exit.FINE


def _known(catalog: Catalog) -> dict[str, Any]:
    """Everything that has a name."""
    kinds = catalog.kinds.values()
    extras = {offer.key: offer for kind in kinds for offer in kind.extras.values()}
    offers = {offer.key: offer for kind in kinds for offer in kind.offers}
    return {**extras, **offers, **catalog.engines, **catalog.gpus, **catalog.kinds}


def _print_nested(value: Any, indent: str) -> None:
    for key, own in value.items():
        if isinstance(own, dict) and own:
            print(f"{indent}{key}:")
            _print_nested(own, indent + "  ")
        elif isinstance(own, list):
            items = (item.get("name", item) if isinstance(item, dict) else item for item in own)
            print(f"{indent}{key}: {', '.join(map(str, items)) or '-'}")
        else:
            print(f"{indent}{key}: {'-' if own is None or own == {} else own}")


def _check(_args: argparse.Namespace) -> Exit:
    from moorage.plan.catalogue import integrity, places

    files, problems = places.trees(_folder())
    catalog = _read()
    problems += places.placed(integrity.check(catalog, _today()), files)
    for problem in problems:
        print(problem)
    if problems:
        return Exit.PROBLEMS
    print(f"{len(_offers(catalog))} rows of {len(catalog.kinds)} kinds, no problems")
    return Exit.FINE


def _refresh(args: argparse.Namespace) -> Exit:
    """Ask for every kind first, so that nothing is written when anything is refused."""
    from moorage.market.refresh import refresh

    catalog = _read()
    fresh: list[Fresh] = []

    def accept(key: str) -> bool:
        return args.accept_all or key in args.accept

    for kind in args.kind or _KINDS:
        asked = _asked(args, catalog, kind)
        fresh.append(refresh(asked, accept=accept))
        _tell(fresh[-1])
    if any(one.refused for one in fresh):
        print("nothing is written")
        return Exit.PROBLEMS
    if not args.dry_run:
        _write(fresh)
    return Exit.FINE


def _asked(args: argparse.Namespace, catalog: Catalog, kind: str) -> Any:
    from moorage.market.asked import Asked

    return Asked(
        kind=catalog.kinds[kind],
        catalog=catalog,
        today=_today().isoformat(),
        namespace=args.namespace,
        regions=tuple(args.region),
        names=tuple(args.instance if kind == "ec2-gpu" else args.model),
        deadline_s=args.deadline,
    )


def _tell(fresh: Fresh) -> None:
    for line in (*fresh.changes, *(f"? {note}" for note in fresh.notes)):
        print(line)
    for problem in fresh.refused:
        print(problem)
    count = len(fresh.changes)
    print(f"{fresh.kind}: {len(fresh.rows)} rows, {count} changed, {len(fresh.refused)} refused")


def _write(every: Iterable[Fresh]) -> None:
    from moorage.market import rows
    from moorage.plan.catalogue.catalog import PRICES

    for fresh in every:
        path = _folder() / PRICES / f"{fresh.kind}.yaml"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        rows.write(path, rows.render(fresh.kind, fresh.rows, before))


def _unknown(word: str, known: Iterable[str], what: str) -> None:
    from moorage.spec.words import nearest

    near = nearest(word, list(known))
    hint = f"; did you mean '{near}'?" if near else "; `moorage catalog list` shows what there is"
    message = f"no {what} {word[:100]!r} in the catalogue{hint}"
    raise MoorageError(message)


def _today() -> date:
    return datetime.now(tz=UTC).date()


def _plain(value: Any) -> Any:
    """Values that JSON knows; money as text."""
    from msgspec import Struct
    from msgspec.structs import asdict

    if isinstance(value, Struct):
        own = {name: _plain(one) for name, one in asdict(value).items()}
        key = getattr(value, "key", None)
        return {"key": key, **own} if key else own
    if isinstance(value, Mapping):
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


_VERBS: Final[dict[str, Callable[[argparse.Namespace], Exit]]] = {
    "list": _list,
    "show": _show,
    "check": _check,
    "refresh": _refresh,
}
