"""The real service as a place: one endpoint on the cheapest CPU, a cap, a deadline, no rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal, InvalidOperation
from typing import Any, Final

import httpx

from moorage.errors import MoorageError
from tests.contract.behaviours import Behaviour
from tests.contract.place import Answer, Compute, Place
from tests.contract.register import CHECKS
from tests.contract.run import UNCHECKED, Finding, judged

TOKEN: Final = "MOORAGE_LIVE_HF_TOKEN"
CAP: Final = "MOORAGE_LIVE_SPENDING_CAP_USD"
NAMESPACE: Final = "MOORAGE_LIVE_HF_NAMESPACE"  # the token's own account where it is not set
FOREIGN: Final = "MOORAGE_LIVE_HF_FOREIGN_TOKEN"
DEADLINE: Final = "MOORAGE_LIVE_DEADLINE_S"
_URLS: Final = {
    "endpoints": ("MOORAGE_HF_ENDPOINTS_URL", "https://api.endpoints.huggingface.cloud"),
    "hub": ("HF_ENDPOINT", "https://huggingface.co"),
    "router": ("MOORAGE_HF_ROUTER_URL", "https://router.huggingface.co"),
}
_DEADLINE_S: Final = 2700
_ENDPOINTS: Final = 2  # the shared one, and one that should have been refused
_LEAST_GB: Final = 2
_HOUR_S: Final = 3600
# Small enough for the cheapest CPU; pinned, so that two runs ask the same thing.
_MODEL: Final[Mapping[str, Any]] = {
    "repository": "bartowski/SmolLM2-135M-Instruct-GGUF",
    "revision": "09816acd5d99df7be770d85ea30822623dab342c",
    "task": "text-generation",
    "framework": "llamacpp",
    "image": {
        "llamacpp": {
            "url": "ghcr.io/ggml-org/llama.cpp:server",
            "modelPath": "SmolLM2-135M-Instruct-Q4_K_M.gguf",
            "variant": "*Q4_K_M.gguf",
            "ctxSize": 2048,
            "nParallel": 1,
            "threadsHttp": 4,
        }
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a live run may use."""

    token: str = field(repr=False)
    foreign: str = field(repr=False, default="")
    cap_usd: Decimal
    namespace: str = ""
    deadline_s: float = _DEADLINE_S
    look_s: float = 2.0


def terms(environ: Mapping[str, str]) -> Terms | None:
    """None where no live run is asked for; half of an answer is a mistake."""
    token, cap = environ.get(TOKEN, ""), environ.get(CAP, "")
    if not token and not cap:
        return None
    if not token or not cap:
        message = f"{TOKEN} and {CAP} belong together; set both, or none"
        raise MoorageError(message)
    return Terms(
        token=token,
        foreign=environ.get(FOREIGN, ""),
        cap_usd=_number(cap, CAP),
        namespace=environ.get(NAMESPACE, ""),
        deadline_s=float(_number(environ.get(DEADLINE, str(_DEADLINE_S)), DEADLINE)),
    )


def findings(
    told: Terms, chosen: Sequence[Behaviour], say: Callable[[str], None]
) -> Iterator[Finding]:
    """Check what can be checked; every endpoint is taken away in the end, whatever happens."""
    end_s = time.monotonic() + told.deadline_s
    with _place(told, say) as place:
        for behaviour in chosen:
            yield _finding(behaviour, place, end_s)
            _take_away(place, [name for name in place.made if name != place.shared])


def _finding(behaviour: Behaviour, place: Place, end_s: float) -> Finding:
    left_s = end_s - time.monotonic()
    if not behaviour.is_live:
        return Finding(behaviour=behaviour, verdict=UNCHECKED, says=behaviour.unlive)
    if left_s <= 0:
        return Finding(behaviour=behaviour, verdict=UNCHECKED, says="the deadline is over")
    place.wait_s = min(place.wait_s, left_s)
    return judged(behaviour, CHECKS[behaviour.id], place)


@contextmanager
def _place(told: Terms, say: Callable[[str], None]) -> Iterator[Place]:
    urls = {host: os.environ.get(key, url) for host, (key, url) in _URLS.items()}
    place = Place(
        urls=urls,
        token=told.token,
        foreign=told.foreign,
        account=told.namespace,
        model=_MODEL,
        is_live=True,
        wait_s=900.0,
        look_s=told.look_s,
    )
    try:
        place.account = told.namespace or _own_account(place)
        _afford(place, told, say)
        yield place
    finally:
        _clean_up(place, say)
        place.close()


def _afford(place: Place, told: Terms, say: Callable[[str], None]) -> None:
    """Choose the cheapest CPU, and refuse where the cap does not cover it."""
    rows = [row for row in _rows(place) if row[1]["accelerator"] == "cpu" and _is_fit(row[1])]
    if not rows:
        raise MoorageError("the catalogue has no CPU instance that is available")
    where, row = min(rows, key=lambda one: Decimal(str(one[1]["pricePerHour"])))
    place.compute = Compute(
        vendor=where[0],
        region=where[1],
        accelerator="cpu",
        instance_type=row["instanceType"],
        instance_size=row["instanceSize"],
    )
    needed = estimate_usd(Decimal(str(row["pricePerHour"])), told.deadline_s)
    if told.cap_usd < needed:
        message = (
            f"{CAP} is ${told.cap_usd}, and this run may cost ${needed}; raise it,"
            f" or shorten {DEADLINE}"
        )
        raise MoorageError(message)
    say(f"live: {place.account}, {row['instanceType']} {row['instanceSize']}, at most ${needed}")


def estimate_usd(usd_per_hour: Decimal, deadline_s: float) -> Decimal:
    """The most that a run can cost, to the cent above."""
    hours = Decimal(str(deadline_s)) / _HOUR_S
    return (usd_per_hour * hours * _ENDPOINTS).quantize(Decimal("0.01"), rounding=ROUND_UP)


def _rows(place: Place) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    answer = place.catalogue(f"/{place.account}")
    for vendor in _good(answer, "the catalogue")["vendors"]:
        for region in vendor["regions"]:
            for row in region["computes"]:
                yield (vendor["name"], region["name"]), row


def _is_fit(row: Mapping[str, Any]) -> bool:
    return row["status"] in ("available", "low_availability") and row["memoryGb"] >= _LEAST_GB


def _own_account(place: Place) -> str:
    return str(_good(place.hub("/api/whoami-v2"), "whoami")["name"])


def _good(answer: Answer, what: str) -> Any:
    if answer.status != httpx.codes.OK:
        message = f"{what} answers {answer.status}: {answer.text[:200]}; see {TOKEN}"
        raise MoorageError(message)
    return answer.json


def _clean_up(place: Place, say: Callable[[str], None]) -> None:
    left = _take_away(place, place.made)
    for name in left:
        say(f"LEFT OVER: {place.account}/{name} may still run and cost; delete it by hand")


def _take_away(place: Place, names: Sequence[str]) -> list[str]:
    """Delete what is there; gives the names that would not go."""
    left = [name for name in dict.fromkeys(names) if not _is_gone(place, name)]
    for name in dict.fromkeys(names):
        if name not in left:
            place.made.remove(name)
    return left


def _is_gone(place: Place, name: str, tries: int = 30) -> bool:
    for _ in range(tries):
        try:
            if place.api("DELETE", name).status == httpx.codes.NOT_FOUND:
                return True
        except httpx.HTTPError:
            pass  # asked again: nothing that costs may stay
        time.sleep(place.look_s)
    return False


def _number(text: str, name: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        message = f"{name} must be a number above 0, not {text!r}"
        raise MoorageError(message)
    return value
