"""What is asked of a seller, what it answers, and JSON over HTTP within a deadline."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final, NoReturn

import httpx

from moorage.errors import Exit, MoorageError
from moorage.plan.catalogue.offers import Catalog, Kind, Offer

DEADLINE_S: Final = 20.0
_MOST_BYTES: Final = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A kind whose rows are to be read anew, and what narrows the question."""

    kind: Kind
    catalog: Catalog
    today: str  # YYYY-MM-DD
    namespace: str | None = None  # of Hugging Face: whose quota
    regions: tuple[str, ...] = ()  # of EC2, besides those that have rows
    names: tuple[str, ...] = ()  # instances or models, besides those that have rows
    deadline_s: float = DEADLINE_S

    def row(self, **said: Any) -> Offer:
        """A row of this kind, read today from its seller."""
        known = {"confidence": "published", "per": "hour", "date": self.today} | said
        return Offer(kind=self.kind.name, **known)

    def gpu(self, words: str) -> str | None:
        """The catalogue's name of what a seller calls "NVIDIA L40S"; None: it has none."""
        slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        named = slug if slug.startswith("nvidia-") else f"nvidia-{slug}"
        return named if named in self.catalog.gpus else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Rows as a seller gives them today, and what of its answer could not be used."""

    rows: tuple[Offer, ...]
    notes: tuple[str, ...] = ()


def base(variable: str, usual: str) -> str:
    """The address of a seller's API, which a variable may say otherwise."""
    return os.environ.get(variable, usual).rstrip("/")


def get_json(url: str, *, token: str | None, deadline_s: float) -> Any:
    """The JSON at an address; numbers with a point are Decimal, for they are money."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        content = _get(url, headers, deadline_s)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        silent(url, str(error) or type(error).__name__)
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError:
        silent(url, "it does not answer with JSON")


def silent(who: str, why: str) -> NoReturn:
    """A seller did not answer: the one line that says so."""
    why = " ".join(why.split())
    message = f"{who} told no prices: {why[:200]}; check the network and credentials"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def misread(who: str, error: Exception) -> NoReturn:
    """An answer has not the form that is documented."""
    silent(who, f"its answer is not understood ({type(error).__name__} {error})")


@cache
def _client() -> httpx.Client:
    """One for all questions: to load the certificates takes longer than to ask."""
    return httpx.Client(follow_redirects=True)


def _get(url: str, headers: Mapping[str, str], deadline_s: float) -> bytes:
    until = time.monotonic() + deadline_s
    got = bytearray()
    with _client().stream("GET", url, headers=headers, timeout=deadline_s) as response:
        if response.status_code >= 400:
            silent(url, _STATUS.get(response.status_code, f"it answered {response.status_code}"))
        for chunk in response.iter_bytes():
            got += chunk
            if len(got) > _MOST_BYTES or time.monotonic() > until:
                silent(url, "its answer is too long or too slow")
    return bytes(got)


_STATUS: Final = {
    401: "it wants a token (401); set HF_TOKEN",
    403: "the token may not see this (403)",
    404: "there is nothing there (404); is the namespace right?",
    429: "it has been asked too often (429); try again later",
}
