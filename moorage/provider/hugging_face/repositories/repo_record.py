"""A model or dataset repository as the Hub tells it, and where it differs from what is declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub
from moorage.provider.hugging_face.hub import Hub
from moorage.provider.hugging_face.repositories import repo_files
from moorage.provider.hugging_face.repositories.repo_files import Kept

TYPES: Final = ("model", "dataset")
MARK: Final = "moorage_owner"  # the entry of the card that says whose it is
_DATASETS: Final = "datasets/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What is there."""

    id: str
    sha: str
    is_private: bool
    card: Mapping[str, Any]
    files: Mapping[str, Kept]
    group: str | None

    @property
    def mark(self) -> str | None:
        """Whose it is."""
        told = self.card.get(MARK)
        return str(told) if told else None

    @property
    def visibility(self) -> str:
        """Who may see it."""
        return "private" if self.is_private else "public"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An open pull request of ours, and the repository as it would be."""

    number: int
    url: str
    record: Record


def id_of(inputs: State, account: str) -> str:
    """As the Hub's own addresses call it."""
    prefix = _DATASETS if inputs["type"] == "dataset" else ""
    return f"{prefix}{account}/{inputs['name']}"


def type_of(id_: str) -> str:
    """model or dataset."""
    return "dataset" if id_.startswith(_DATASETS) else "model"


def bare(id_: str) -> str:
    """owner/name."""
    return id_.removeprefix(_DATASETS)


def account_of(id_: str) -> str:
    """Whose it is."""
    return bare(id_).partition("/")[0]


def called(id_: str) -> str:
    """In a message."""
    return f"{type_of(id_)} {bare(id_)}"


def look(at: Hub, id_: str, context: Context, revision: str | None = None) -> Record | None:
    """The repository; None where there is none, or none that the token may see."""
    asked, name, kind = at.asked(called(id_), account_of(id_)), bare(id_), type_of(id_)
    info = hub.read(
        at,
        asked,
        lambda api: api.repo_info(name, repo_type=kind, revision=revision, files_metadata=True),
        context,
    )
    if info is None:
        return None
    group = getattr(info, "resource_group", None) or getattr(info, "resourceGroup", None) or {}
    return Record(
        id=id_,
        sha=info.sha or "",
        is_private=bool(info.private),
        card=info.card_data.to_dict() if info.card_data else {},
        files=repo_files.kept(info.siblings or ()),
        group=group.get("id") if isinstance(group, Mapping) else None,
    )


def outputs(found: Record, at: Hub) -> State:
    """What is told of it."""
    return {
        "url": f"{at.url}/{found.id}",
        "account": account_of(found.id),
        "sha": found.sha,
        "filesDigest": repo_files.digest(found.files),
    }


def declared(found: Record) -> State:
    """The inputs that would declare it, as far as it tells them."""
    account, _, name = bare(found.id).partition("/")
    card = {key: value for key, value in found.card.items() if key not in (MARK, "license")}
    told = {
        "name": name,
        "namespace": account,
        "owner": found.mark,
        "type": type_of(found.id),
        "visibility": found.visibility,
        "license": found.card.get("license"),
        "card": card or None,
        "resourceGroup": found.group,
    }
    return {name: value for name, value in told.items() if value is not None}


def card_of(inputs: State, owner: str) -> dict[str, Any]:
    """The card that it is to have: at the least, it says whose it is."""
    licensed = {"license": inputs["license"]} if "license" in inputs else {}
    return {**inputs.get("card", {}), **licensed, MARK: owner}


def local_files(inputs: State, owner: str) -> repo_files.Local:
    """The files that it is to have, where files are declared."""
    card = card_of(inputs, owner)
    return repo_files.with_card(repo_files.gather(inputs), card, inputs["name"])


def dropped(inputs: State, state: State, owner: str) -> frozenset[str]:
    """The entries of the card that were declared before, and are no more."""
    return frozenset(card_of(state, owner).keys() - card_of(inputs, owner).keys())


def lacks(inputs: State, found: Record, owner: str) -> list[str]:
    """The entries of the card that are otherwise than declared."""
    card = card_of(inputs, owner)
    return sorted(key for key, value in card.items() if found.card.get(key) != value)


def is_as_declared(inputs: State, found: Record, owner: str, without: Collection[str] = ()) -> bool:
    """Whether card and files are so; files and entries that nobody declares are left alone."""
    if not repo_files.is_given(inputs):
        return not lacks(inputs, found, owner) and found.card.keys().isdisjoint(without)
    return not repo_files.between(local_files(inputs, owner), found.files)


def drift(inputs: State, found: Record, owner: str, asked_for: Asked | None) -> str | None:
    """Field by field what is otherwise than declared; what a pull request waits for is not."""
    return "; ".join(_differences(inputs, found, owner, asked_for)) or None


def _differences(
    inputs: State, found: Record, owner: str, asked_for: Asked | None
) -> Iterator[str]:
    if found.visibility != inputs["visibility"]:
        yield f"visibility: {found.visibility} instead of {inputs['visibility']}"
    if "resourceGroup" in inputs and found.group != inputs["resourceGroup"]:
        yield f"resourceGroup: {found.group or 'none'} instead of {inputs['resourceGroup']}"
    try:
        differs_in = _files(inputs, found, owner)
        is_asked_for = asked_for is not None and is_as_declared(inputs, asked_for.record, owner)
    except MoorageError as error:  # a refresh may run where the folder is not
        yield f"files: {error}"
        return
    if differs_in and not is_asked_for:
        yield differs_in


def _files(inputs: State, found: Record, owner: str) -> str:
    if not repo_files.is_given(inputs):
        keys = ", ".join(lacks(inputs, found, owner))
        return f"card: {keys} is otherwise" if keys else ""
    difference = repo_files.between(local_files(inputs, owner), found.files)
    return f"files: it {difference}" if difference else ""
