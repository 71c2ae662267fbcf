"""Names are what people call a resource; here they become the URNs that the engine knows it by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from moorage.deploy.options import Options
from moorage.deploy.urns import is_internal, is_urn, label, name_of, type_of
from moorage.errors import MoorageError

_SHOWN: Final = 5


def resolve_options(options: Options, urns: Sequence[str]) -> Options:
    """The options with every name replaced by the URNs that it stands for."""
    return replace(
        options,
        targets=tuple(resolve(options.targets, urns)),
        exclude=tuple(resolve(options.exclude, urns)),
        replace=tuple(resolve(options.replace, urns)),
    )


def resolve(wanted: Iterable[str], urns: Sequence[str]) -> list[str]:
    """The URNs that names stand for; a whole URN stands for itself, deployed or not."""
    found = [urn for name in wanted for urn in _resolve(name, urns)]
    return list(dict.fromkeys(found))


def one(name: str, urns: Sequence[str]) -> str:
    """The one URN that a name stands for; a name of several is refused."""
    if is_urn(name) and name not in urns:
        raise _unknown(name, urns)
    found = _resolve(name, urns)
    if len(found) > 1:
        told = ", ".join(short(urn) for urn in found)
        message = f"{name} is the name of several resources: {told}; say which by Type::name"
        raise MoorageError(message)
    return found[0]


def _resolve(name: str, urns: Sequence[str]) -> list[str]:
    if is_urn(name):
        return [name]
    found = [urn for urn in urns if name in called(urn)]
    if not found:
        raise _unknown(name, urns)
    return found


def _unknown(name: str, urns: Sequence[str]) -> MoorageError:
    known = [urn for urn in urns if not is_internal(urn)]
    if not known:
        return MoorageError(f"there is no resource {name}: nothing is deployed in this stack")
    names = {_bare(urn): urn for urn in known}
    near = get_close_matches(_bare(name), names, n=_SHOWN, cutoff=0.5)
    told = [short(names[close]) for close in near] or [short(urn) for urn in known[:_SHOWN]]
    lead = "is it" if near else "there are"
    more = "" if near or len(known) <= _SHOWN else ", …"
    ending = "?" if near else ""
    message = (
        f"there is no resource {name} in this stack; {lead} {', '.join(told)}{more}{ending} "
        "(one that is not deployed yet is named by its whole URN)"
    )
    return MoorageError(message)


def called(urn: str) -> set[str]:
    """What a person may call it; a name may have colons of its own."""
    token, bare = type_of(urn), name_of(urn)
    return {bare, f"{token}::{bare}", f"{token.rsplit(':', 1)[-1]}::{bare}"}


def _bare(urn: str) -> str:
    return name_of(urn) if is_urn(urn) else urn.rpartition("::")[2]


def short(urn: str) -> str:
    """What names it, in most cases it alone: `Process::hello-local-1`."""
    return "::".join(label(urn).split(" ", 1))
