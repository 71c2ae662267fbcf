"""Who serves a model behind the Hugging Face router, and for how much."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import structs

from moorage.hub.door import Door
from moorage.hub.faults import translated
from moorage.plan.facts import Route

ROUTER: Final = "https://router.huggingface.co"
ROUTER_VARIABLE: Final = "MOORAGE_HF_ROUTER_URL"

_CHAT = ("conversational", "text-generation", "image-text-to-text")  # what the router prices
_MOST_USD = Decimal(1_000_000)  # for a million tokens; beyond it the number means something else
_LEAST_EXPONENT = -18


def live(door: Door, model_id: str, router: str | None = None) -> tuple[Route, ...]:
    """The providers that the Hub maps a model to, with what the router says of each."""
    from huggingface_hub import ModelInfo

    asked = door.json(f"api/models/{model_id}", expand="inferenceProviderMapping")
    info = ModelInfo(**asked)  # type: ignore[no-untyped-call]
    routes = [
        Route(provider=row.provider, task=row.task, status=row.status, provider_id=row.provider_id)
        for row in info.inference_provider_mapping or ()
    ]
    priced = _listed(door, model_id, router) if any(row.task in _CHAT for row in routes) else {}
    joined = [_joined(route, priced.get(route.provider, {})) for route in routes]
    return tuple(sorted(joined, key=lambda route: (route.provider, route.task)))


def _listed(door: Door, model_id: str, router: str | None) -> Mapping[str, Mapping[str, Any]]:
    """The router's own list, which anybody may read: no token goes there."""
    from huggingface_hub.errors import HfHubHTTPError

    address = router or os.environ.get(ROUTER_VARIABLE) or ROUTER
    asked = dataclasses.replace(door, endpoint=address.rstrip("/"), headers={})
    with translated(model_id, None, asked.endpoint):
        try:
            answer = asked.json(f"v1/models/{model_id}")
        except HfHubHTTPError as error:
            if error.response.status_code == 404:
                return {}
            raise
        model = answer.get("data", answer)
        return {row["provider"]: row for row in model.get("providers") or ()}


def _joined(route: Route, row: Mapping[str, Any]) -> Route:
    if route.task not in _CHAT or not row:
        return route
    pricing = row.get("pricing") or {}
    return structs.replace(
        route,
        status="error" if row.get("status") == "error" else route.status,
        context_tokens=_tokens(row.get("context_length")),
        input_usd_per_mtok=_usd(pricing.get("input")),
        output_usd_per_mtok=_usd(pricing.get("output")),
    )


def _tokens(value: object) -> int | None:
    return value if type(value) is int and 0 < value < 1 << 40 else None


def _usd(value: object) -> Decimal | None:
    """A price; None where none is told, or where what is told can be none."""
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or not 0 <= value <= _MOST_USD:
        return None
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and exponent >= _LEAST_EXPONENT else None
