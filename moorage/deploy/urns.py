"""URNs are what the engine knows resources by; here they are taken apart, and told as names."""

from __future__ import annotations

import shlex
from typing import Final, NamedTuple

# The stack itself and the provider plugins are book-keeping, not what a person deploys.
INTERNAL_TYPES: Final = ("pulumi:pulumi:", "pulumi:providers:")
STACK_TYPE: Final = "pulumi:pulumi:Stack"
_PREFIX: Final = "urn:pulumi:"


class Urn(NamedTuple):
    """The parts of a URN; only the last of them may hold colons in a row."""

    stack: str
    project: str
    path: str  # the types of its parents and its own, with a `$` between
    name: str

    def __str__(self) -> str:
        return f"{_PREFIX}{'::'.join(self)}"


def split(urn: str) -> Urn:
    """The parts of a URN; what is none is a name."""
    parts = urn.removeprefix(_PREFIX).split("::", 3)
    return Urn(*parts) if urn.startswith(_PREFIX) and len(parts) == 4 else Urn("", "", "", urn)


def is_urn(text: str) -> bool:
    """Whether it is a whole one."""
    return split(text).path != ""


def name_of(urn: str) -> str:
    """What the program calls the resource."""
    return split(urn).name


def word(urn: str) -> str:
    """Its name as a shell takes it, for a command that a person may copy."""
    return shlex.quote(name_of(urn))


def type_of(urn: str) -> str:
    """The type token in a URN, without its parents."""
    return split(urn).path.rsplit("$", 1)[-1]


def label(urn: str) -> str:
    """What a person calls the resource: `Process hello-local-1`."""
    return f"{type_of(urn).rsplit(':', 1)[-1]} {name_of(urn)}".strip()


def of_provider(reference: str | None) -> str:
    """The URN in a resource's reference to its provider, which ends in that one's id."""
    return (reference or "").rpartition("::")[0]


def is_internal(urn: str) -> bool:
    """Whether a resource is Pulumi's own book-keeping."""
    return type_of(urn).startswith(INTERNAL_TYPES)


def is_stack(urn: str) -> bool:
    """Whether a resource is the stack itself."""
    return type_of(urn) == STACK_TYPE
