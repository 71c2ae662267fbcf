"""`moorage schema`: the published JSON Schemas, printed, written, or proven fresh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from moorage.plan.catalogue.offers import Catalog

ALL: Final = "all"
USUAL: Final = "spec"


def _spec(catalog: Catalog) -> Mapping[str, Any]:
    from moorage.plan.catalogue.catalog import spec_schema

    return spec_schema(catalog)


def _policy(catalog: Catalog) -> Mapping[str, Any]:
    from moorage.spec import policy_schema

    return policy_schema.build(catalog.kinds)


def _lock(_catalog: Catalog) -> Mapping[str, Any]:
    from moorage.plan.locks import lock_schema

    return lock_schema.build()


def _plan(_catalog: Catalog) -> Mapping[str, Any]:
    from moorage.plan.show import plan_schema

    return plan_schema.build()


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A schema that lies in specs/ for editors and other tools."""

    file: str
    build: Callable[[Catalog], Mapping[str, Any]]


SCHEMAS: Final[dict[str, Published]] = {
    "spec": Published(file="schema.json", build=_spec),
    "policy": Published(file="policy.schema.json", build=_policy),
    "lock": Published(file="lock.schema.json", build=_lock),
    "plan": Published(file="plan.schema.json", build=_plan),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Print the schema of a spec by default; write and check all of them."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="prove that those of specs/ are fresh")
    what.add_argument("--write", action="store_true", help="write them to specs/")
    parser.add_argument(
        "--of",
        choices=(*SCHEMAS, ALL),
        help=f"whose schema (printed: {USUAL}; written and checked: {ALL})",
    )


def run(args: argparse.Namespace) -> int:
    """Print, write or compare."""
    from moorage.plan.catalogue import catalog
    from moorage.plan.project import catalog_folder, find_root
    from moorage.spec.schema import render

    root = find_root(Path.cwd())
    known = catalog.read(catalog_folder(root))
    of = args.of or (ALL if args.check or args.write else USUAL)
    texts = {
        root / "specs" / published.file: render(published.build(known))
        for name, published in SCHEMAS.items()
        if of in (name, ALL)
    }
    if args.check:
        return int(max(_check(file, text) for file, text in texts.items()))
    for file, text in texts.items():
        _write(file, text) if args.write else sys.stdout.write(text)
    return int(Exit.FINE)


def _check(file: Path, text: str) -> Exit:
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return Exit.FINE
    print(f"{file}: not what the code says; write it anew with `moorage schema --write`")
    return Exit.PROBLEMS


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror}"
        raise MoorageError(message) from error
