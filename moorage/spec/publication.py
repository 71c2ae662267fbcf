"""The entries of `publish`: a model or dataset of one's own, as a spec may describe it."""

from __future__ import annotations

from typing import Final

from moorage.spec.forms import Schema, choice, record, table, text

_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"], "maxLength": 2000}
_CARD_VALUE: Final[Schema] = {
    "anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "maxItems": 200}]
}
PUBLICATION: Final = record(
    {
        "kind": choice("What the repository holds.", ("model", "dataset")),
        "name": text(
            "Its name in the account.",
            pattern=r"^(?!.*(--|\.\.))[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$",
            errorMessage="must be 1 to 96 letters, digits, `.`, `_` and `-`, without -- or ..",
            examples=["support-chat-tone"],
        ),
        "namespace": text(
            "The user or organisation that has it; left out, whoever the token belongs to.",
            pattern=r"^[^/]+$",
            errorMessage="must be the name of one user or organisation",
            examples=["acme"],
        ),
        "folder": text(
            "The folder whose files it has, all and no others (absolute, with ~/, or relative to "
            "this file); left out, the card alone is kept.",
            examples=["out/adapter"],
        ),
        "visibility": choice(
            "Who sees it; public wants tier public.", ("private", "public"), "private"
        ),
        "license": text("Its licence, by the Hub's own short name.", examples=["apache-2.0"]),
        "card": table(
            "Other entries of its card; those of the folder's README.md stay beside them.",
            r"^(?!(license|moorage_owner)$)[A-Za-z_][A-Za-z0-9_.-]{0,99}$",
            _CARD_VALUE,
            examples=[{"base_model": "Qwen/Qwen3-8B", "tags": ["lora"]}],
        ),
        "changes_by": choice(
            "How its files change: by a commit, or by a pull request that others merge.",
            ("commit", "pull-request"),
            "commit",
        ),
        "resource_group": text(
            "The id of a resource group of the organisation.",
            examples=["66670e5163145ca562cb1988"],
        ),
        "collection": text(
            "The title of a collection of the same account; the spec keeps it, with what it "
            "publishes there in this order.",
            maxLength=60,
            examples=["Support models"],
        ),
    },
    ("kind", "name"),
)
