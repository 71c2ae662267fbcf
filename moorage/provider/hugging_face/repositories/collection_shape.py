"""What a Collection takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from moorage.provider.handler import DRIFT, Failure, Field, Shape, State
from moorage.provider.hugging_face import things
from moorage.provider.hugging_face.repositories.collection_record import MARK_LENGTH

_TYPES: Final = ("model", "dataset", "space", "paper", "collection")
_LONGEST_TITLE: Final = 60
_LONGEST_DESCRIPTION: Final = 150 - MARK_LENGTH
_LONGEST_NOTE: Final = 500


def _at_most(length: int) -> Callable[[str], str | None]:
    def rule(text: str) -> str | None:
        return None if len(text) <= length else f"has {len(text)} characters, and may have {length}"

    return rule


_EXAMPLE: Final = """
from moorage.resources import Collection

Collection(
    "answers",
    title="What answers our customers",
    namespace="acme",
    items=[{"type": "model", "id": "acme/support-chat-8b", "note": "in production"}],
)
"""

SHAPE: Final = Shape(
    doc="A collection on the Hub: models, datasets, Spaces and papers, in order and with notes.",
    inputs={
        "title": Field(
            kind="string",
            doc="By which people find it; the Hub makes its address from it.",
            required=True,
            replaces=True,
            rule=_at_most(_LONGEST_TITLE),
        ),
        "namespace": things.NAMESPACE,
        "owner": things.OWNER,
        "description": Field(
            kind="string", doc="What it is about.", rule=_at_most(_LONGEST_DESCRIPTION)
        ),
        "visibility": Field(
            kind="string", doc="Who may see it.", choices=("private", "public"), default="private"
        ),
        "items": Field(
            kind="list",
            doc="What is in it, in this order.",
            items=Field(
                kind="object",
                doc="One entry.",
                fields={
                    "type": Field(kind="string", doc="What it is.", required=True, choices=_TYPES),
                    "id": Field(kind="string", doc="Which one, owner/name.", required=True),
                    "note": Field(
                        kind="string", doc="What is said of it.", rule=_at_most(_LONGEST_NOTE)
                    ),
                },
            ),
        ),
    },
    outputs={
        "url": things.URL,
        "account": things.ACCOUNT,
        "mark": Field(kind="string", doc="The digest that says who declares it."),
        "isImported": things.IS_IMPORTED,
        "drift": DRIFT,
    },
    delete_before_replace=True,
    refresh_before_update=True,
    import_id="its slug, as it ends its address: owner/title-0123456789abcdef01234567",
    example=_EXAMPLE,
)


def check(inputs: State) -> list[Failure]:
    """What no field can judge by itself."""
    return list(_failures(inputs))


def _failures(inputs: State) -> Iterator[Failure]:
    seen = set()
    for item in inputs.get("items", ()):
        what = item["type"], item["id"]
        if what in seen:
            yield Failure(name="items", reason=f"{item['id']} stands there twice")
        seen.add(what)
