"""Which endpoint a resource is about: its service, account and name, and whose it has to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moorage.errors import MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import client, things
from moorage.provider.hugging_face.client import Record, Service
from moorage.provider.hugging_face.endpoints import endpoint_owner


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An endpoint by its name, and the owner that it is or shall be marked with.

    `formerly` are owners that it may still be marked with: a resource may get another name, and
    another owner, while its endpoint goes on.
    """

    service: Service
    account: str
    name: str
    owner: str
    formerly: tuple[str, ...] = ()
    was_imported: bool = False
    created_at: str = ""  # as state knows it: one made anew by that name has another time

    @property
    def id(self) -> str:
        """As everybody calls it: account/name."""
        return f"{self.account}/{self.name}"

    def look(self, context: Context) -> Record | None:
        """The endpoint as it is; None when there is none."""
        return client.get(self.service, self.account, self.name, context)

    def look_twice(self, context: Context) -> Record | None:
        """The same, where a wrong no would leave it behind, running and paid: a list must agree."""
        found = self.look(context)
        if found is None:
            found = client.listed(self.service, self.account, context).get(self.name)
        return found

    def is_ours(self, record: Record) -> bool:
        """Whether we may change it: it has our mark, or nobody's and was imported or made by us."""
        if not endpoint_owner.is_marked(record):
            return self.was_imported or self._is_same(record)
        return endpoint_owner.is_of(record, (self.owner, *self.formerly))

    def has_our_mark(self, record: Record) -> bool:
        """Whether nothing is to be done about its mark."""
        if not endpoint_owner.is_marked(record):
            return self.was_imported
        return endpoint_owner.is_of(record, [self.owner])

    def _is_same(self, record: Record) -> bool:
        """Whether it is the one that state knows: people take its tags away."""
        return bool(self.created_at) and created_at(record) == self.created_at

    def whose(self, record: Record) -> str:
        """What is wrong with whose it is, as drift tells it; empty where nothing is."""
        if not self.is_ours(record):
            return f"it {endpoint_owner.described(record)}"
        is_marked = endpoint_owner.is_marked(record) or self.was_imported
        return "" if is_marked else "the tags that say whose it is were taken away"

    def refuse_foreign(self, record: Record) -> None:
        """Never take over what is somebody else's."""
        if not self.is_ours(record):
            message = (
                f"{self.id} {endpoint_owner.described(record)} and is left as it is: choose another"
                " name, or import it where it belongs"
            )
            raise MoorageError(message)


def declared(inputs: State, context: Context) -> Place:
    """The endpoint that the inputs name."""
    return Place(
        service=client.service(),
        account=things.account_of(inputs, context),
        name=inputs["name"],
        owner=things.owner_of(inputs, context),
    )


def known(id_: str, state: State, inputs: State, context: Context) -> Place:
    """The endpoint of an id, with every owner that state knows of."""
    account, _, name = id_.partition("/")
    if not account or not name or "/" in name:
        message = f"{id_} names no endpoint; it is called account/name, as its page's address ends"
        raise MoorageError(message)
    formerly = (state.get("ownedBy"), state.get("owner"))
    return Place(
        service=client.service(),
        account=account,
        name=name,
        owner=things.owner_of(inputs, context),
        formerly=tuple(owner for owner in formerly if owner),
        was_imported=bool(state.get("isImported")),
        created_at=str(state.get("createdAt") or ""),
    )


def created_at(record: Record) -> str:
    """When it was made, in the service's own words."""
    return str(record["status"].get("createdAt") or "")


def is_same(one: State, other: State, *names: str) -> bool:
    """Whether all of these are as they were."""
    pairs: list[tuple[Any, Any]] = [(one.get(name), other.get(name)) for name in names]
    return all(before == now for before, now in pairs)
