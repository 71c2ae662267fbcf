"""Sellers on loopback: they speak the documented JSON of Hugging Face and of the AWS Price List."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from moorage.twin.serving import in_thread


def compute(kind: str, size: str, price: float, **more: Any) -> dict[str, Any]:
    """A compute of the endpoints' API."""
    count = int(size.removeprefix("x"))
    gpu = kind.startswith("nvidia")
    return {
        "id": f"{kind}-{size}",
        "accelerator": "gpu" if gpu else "cpu",
        "instanceType": kind,
        "instanceSize": size,
        "numAccelerators": count,
        "memoryGb": 16 * count,
        "pricePerHour": price,
        "status": "available",
        "quota": {"maxAccelerators": 8, "usedAccelerators": 3},
        **more,
    }


def hardware(name: str, price: float, model: str | None = None, count: int = 1) -> dict[str, Any]:
    """A hardware of Spaces, priced by the minute."""
    accelerator = {"type": "gpu", "model": model, "quantity": str(count), "vram": "24 GB"}
    return {
        "name": name,
        "prettyName": name,
        "cpu": "4 vCPU",
        "ram": "16 GB",
        "accelerator": accelerator | {"manufacturer": "Nvidia"} if model else None,
        "unitCostMicroUSD": round(price * 1e6),
        "unitCostUSD": price,
        "unitLabel": "minute",
    }


@dataclass(kw_only=True)
class Sellers:
    """What they answer, and what they were asked."""

    computes: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    spaces: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    ec2_usd: dict[tuple[str, str], str] = field(default_factory=dict)  # region, instance
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Authorization
    status: int = 200
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers.get("Authorization", "")))
        if self.status != 200:
            return web.Response(status=self.status, text="no")
        if request.path.startswith("/v2/provider"):
            return web.json_response({"vendors": self._vendors()})
        if request.path == "/api/spaces/hardware":
            return web.json_response(self.spaces)
        if request.path == "/v1/models":
            return web.json_response({"object": "list", "data": self.models})
        if request.headers.get("X-Amz-Target") == "AWSPriceListService.GetProducts":
            return web.json_response(
                self._products(await request.json()), content_type="application/x-amz-json-1.1"
            )
        return web.Response(status=404, text="nothing here")

    def _vendors(self) -> list[dict[str, Any]]:
        vendors: dict[str, list[dict[str, Any]]] = {}
        for (vendor, region), rows in self.computes.items():
            vendors.setdefault(vendor, []).append({"name": region, "computes": rows})
        return [{"name": name, "regions": regions} for name, regions in vendors.items()]

    def _products(self, body: Mapping[str, Any]) -> dict[str, Any]:
        assert body["ServiceCode"] == "AmazonEC2"
        wanted = {row["Field"]: row["Value"] for row in body["Filters"]}
        assert wanted["operatingSystem"] == "Linux"
        usd = self.ec2_usd.get((wanted["regionCode"], wanted["instanceType"]))
        rows = [] if usd is None else [_product(wanted["instanceType"], usd)]
        return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(row) for row in rows]}


def _product(instance: str, usd: str) -> dict[str, Any]:
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": usd}, "description": f"${usd} per hour"}
    return {
        "product": {"attributes": {"instanceType": instance}},
        "terms": {"OnDemand": {"SKU.TERM": {"priceDimensions": {"SKU.TERM.RATE": dimension}}}},
    }


@contextmanager
def open_sellers() -> Iterator[Sellers]:
    sellers = Sellers()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", sellers.answer)
    with in_thread(app, host="127.0.0.1", ports=(0,)) as urls:
        sellers.url = urls[0]
        yield sellers
