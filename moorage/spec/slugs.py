"""What is asked of every file before any rule judges it, by the slug of the problem."""

from __future__ import annotations

from typing import Final

SLUGS: Final[dict[str, str]] = {
    "unreadable-file": "the file can be read",
    "too-large": "the file is no larger than a page that people review",
    "not-text": "the file is text in UTF-8",
    "empty-file": "the file holds something",
    "yaml-syntax": "the file is YAML",
    "yaml-documents": "the file holds one document",
    "yaml-key": "every key is text",
    "yaml-tag": "no value has a YAML tag",
    "yaml-alias": "every alias has its anchor before it, and does not lie inside itself",
    "yaml-merge": "no mapping is merged into another by <<",
    "yaml-too-deep": "values do not lie too deep",
    "yaml-too-many": "the document does not unfold to more than anybody reads",
    "duplicate-key": "no key is given twice",
    "missing-key": "every key that is needed is there",
    "unknown-key": "every key is one of the language",
    "unknown-value": "a value with few choices is one of them",
    "wrong-type": "every value has its type",
    "wrong-value": "every value has its form and keeps its bounds",
    "secret-in-spec": "no secret stands in a file",
    "lock-broken": "the lock can be understood",
    "lock-moved": "the Hub still says what the lock says",
    "revision-behind": "the main branch is still at the pinned commit",
    "hub-refused": "the Hub lets us read what the spec names",
    "policy-rule": "a policy names rules that there are",
    "policy-gpu": "a policy names GPUs of the catalogue",
    "policy-date": "a waiver ends on a day of the calendar",
    "policy-prices": "prices are warned of before they are refused",
    "policy-budgets": "the teams' budgets fit into the total",
    "policy-duplicate": "a policy says everything once",
}
