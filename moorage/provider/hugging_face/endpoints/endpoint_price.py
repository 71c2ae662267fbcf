"""What an endpoint costs, and whether it can be had at all: read from the account's catalogue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import client
from moorage.provider.hugging_face.client import Service

_BELIEVED_S: Final = 300.0
_GONE: Final = frozenset({"not_available", "deprecated"})
_MOST_NAMED: Final = 8

_lock: Final = threading.Lock()
_catalogues: Final[dict[tuple[str, str, str], tuple[float, list[Any]]]] = {}
_reading: Final[dict[tuple[str, str, str], threading.Lock]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One instance of the catalogue."""

    vendor: str
    region: str
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As people write it: `nvidia-l40s x1`."""
        return f"{self.told.get('instanceType')} {self.told.get('instanceSize')}"

    @property
    def usd(self) -> float | None:
        """For an hour of one replica; None where the catalogue does not say."""
        price = self.told.get("pricePerHour")
        is_price = isinstance(price, int | float) and not isinstance(price, bool)
        return price if is_price else None

    @property
    def can_be_had(self) -> bool:
        """Whether any are left, and will be."""
        return self.told.get("status") not in _GONE

    def is_for(self, inputs: State) -> bool:
        """Whether it is the one that is declared."""
        place = (self.vendor, self.region, self.told.get("accelerator"), self.name)
        size = f"{inputs['instanceType']} {inputs['instanceSize']}"
        return place == (inputs["vendor"], inputs["region"], inputs["accelerator"], size)


def catalogue(service: Service, account: str, context: Context) -> list[Row]:
    """The account's catalogue, read once for all endpoints of a run."""
    key = service.url, service.token, account
    with _lock:
        reading = _reading.setdefault(key, threading.Lock())
    with reading:
        read_s, vendors = _catalogues.get(key, (0.0, []))
        if not vendors or time.monotonic() - read_s > _BELIEVED_S:
            vendors = client.catalogue(service, account, context)
            _catalogues[key] = time.monotonic(), vendors
    return list(_rows(vendors))


def offered(rows: Iterable[Row], inputs: State) -> Row:
    """The declared instance with its price, or the line that says what is there instead.

    The quota is left to the service: what is read here is soon older than what was deleted since.
    """
    known = list(rows)
    row = next((one for one in known if one.is_for(inputs)), None)
    if row is None:
        raise MoorageError(_absent(known, inputs), exit_code=Exit.UNANSWERED)
    if not row.can_be_had:
        reason = f"{row.name} is {row.told.get('status')} in {_place(inputs)} now"
        message = f"{reason}; {_instead(known, inputs)}"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    if row.usd is None:
        told = f"the catalogue tells no price of {row.name} in {_place(inputs)}"
        message = f"{told}, and nothing is begun without one; run up again later"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    return row


def usd_per_hour(rows: Iterable[Row], inputs: State) -> float | None:
    """The price of what is running already, whether or not more of it can be had."""
    return next((row.usd for row in rows if row.is_for(inputs)), None)


def _absent(rows: list[Row], inputs: State) -> str:
    """The nearest thing that is missing: the vendor, the region, or the instance there."""
    vendors = {row.vendor for row in rows}
    regions = {row.region for row in rows if row.vendor == inputs["vendor"]}
    if inputs["vendor"] not in vendors:
        return f"no vendor {inputs['vendor']} is offered; there are {_listed(vendors)}"
    if inputs["region"] not in regions:
        have = _listed(regions)
        return f"{inputs['vendor']} has no region {inputs['region']}; it has {have}"
    wanted = f"{inputs['instanceType']} {inputs['instanceSize']} ({inputs['accelerator']})"
    return f"{_place(inputs)} has no {wanted}; {_instead(rows, inputs)}"


def _instead(rows: list[Row], inputs: State) -> str:
    there = [row for row in rows if row.can_be_had and row.told.get("accelerator") != "cpu"]
    same = {
        f"{row.vendor} {row.region} {row.name}"
        for row in there
        if row.told.get("instanceType") == inputs["instanceType"]
    }
    beside = {
        row.name
        for row in there
        if (row.vendor, row.region) == (inputs["vendor"], inputs["region"])
    }
    if same:
        return f"there is {_listed(same)}"
    return f"it has {_listed(beside)}" if beside else "choose another region"


def _place(inputs: State) -> str:
    return f"{inputs['vendor']} {inputs['region']}"


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return ", ".join(known[:_MOST_NAMED]) + more


def _rows(vendors: list[Any]) -> Iterator[Row]:
    for vendor in _objects(vendors):
        for region in _objects(vendor.get("regions")):
            for told in _objects(region.get("computes")):
                yield Row(vendor=str(vendor.get("name")), region=str(region.get("name")), told=told)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]
