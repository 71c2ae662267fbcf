"""Prices of EC2: the AWS Price List, the instance types' GPUs, and the spot market's last days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from moorage.market.asked import Answer, Asked, misread, silent
from moorage.plan.catalogue.offers import Offer

# The Price List answers in a few regions only, for all of them.
_PRICES_REGION: Final = "us-east-1"
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration)
_SMALL_A100_MIB: Final = 45_000


def ec2(asked: Asked) -> Answer:
    """The instances that have rows, or are named, in every region that has rows or is named."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        rows, notes = _all(asked)
    except (BotoCoreError, ClientError) as error:
        silent("AWS", str(error))
    except _FAULTS as error:
        misread("AWS", error)
    return Answer(rows=tuple(rows), notes=tuple(notes))


def _all(asked: Asked) -> tuple[list[Offer], list[str]]:
    import boto3

    rows: list[Offer] = []
    notes: list[str] = []
    session = boto3.session.Session()  # the default one would keep credentials of before
    prices = _client(session, "pricing", _PRICES_REGION, asked)
    for region in _regions(asked):
        market = _client(session, "ec2", region, asked)
        for name, said in _types(market, asked, region).items():
            base = _base(asked, region, name, said)
            usd = _on_demand(prices, region, name)
            if base is None or usd is None:
                lacks = "GPU is not known, or not whole" if base is None else "price is not listed"
                notes.append(f"{region}/{name}: its {lacks}; left as it was")
                rows += [
                    row for row in asked.kind.offers if (row.region, row.name) == (region, name)
                ]
                continue
            rows.append(asked.row(usd=usd, source=f"AWS Price List, {_REQUEST}", **base))
            rows += _spot(market, asked, base)
    return rows, notes


_REQUEST: Final = "Linux on demand, shared tenancy"


def _client(session: Any, service: str, region: str, asked: Asked) -> Any:
    from botocore.config import Config

    limits = Config(
        connect_timeout=asked.deadline_s,
        read_timeout=asked.deadline_s,
        retries={"total_max_attempts": 2},
    )
    return session.client(service, region_name=region, config=limits)


def _regions(asked: Asked) -> list[str]:
    known = {offer.region for offer in asked.kind.offers if offer.region}
    return sorted(known | set(asked.regions))


def _wanted(asked: Asked, region: str) -> list[str]:
    """In a region that is asked for anew, everything that has a row somewhere."""
    there = {offer.name for offer in asked.kind.offers if offer.region == region}
    anywhere = {offer.name for offer in asked.kind.offers}
    return sorted((anywhere if region in asked.regions else there) | set(asked.names))


def _types(client: Any, asked: Asked, region: str) -> dict[str, Mapping[str, Any]]:
    wanted = _wanted(asked, region)
    found: dict[str, Mapping[str, Any]] = {}
    for hundred in (wanted[at : at + 100] for at in range(0, len(wanted), 100)):
        pages = client.get_paginator("describe_instance_types").paginate(
            Filters=[{"Name": "instance-type", "Values": hundred}]
        )
        found |= {row["InstanceType"]: row for page in pages for row in page["InstanceTypes"]}
    return dict(sorted(found.items()))


def _base(asked: Asked, region: str, name: str, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a row says besides its price; None where its GPU is not known."""
    own = next(iter(said.get("GpuInfo", {}).get("Gpus", ())), None)
    gpu = asked.gpu(_gpu_words(own)) if own else None
    if own and (gpu is None or own["Count"] == 0):
        return None  # a slice of a GPU counts as none of it
    memory_mib = said["MemoryInfo"]["SizeInMiB"]
    return {
        "name": name,
        "vendor": "aws",
        "region": region,
        "gpu": gpu,
        "count": own["Count"] if own else 0,
        "memory_gib": memory_mib // 1024 if memory_mib % 1024 == 0 else memory_mib / 1024,
    }


def _gpu_words(own: Mapping[str, Any]) -> str:
    small = own["Name"] == "A100" and own["MemoryInfo"]["SizeInMiB"] < _SMALL_A100_MIB
    return "A100-40" if small else str(own["Name"]).replace(" Server ", " ")


def _on_demand(client: Any, region: str, name: str) -> Decimal | None:
    wanted = {
        "regionCode": region,
        "instanceType": name,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    filters = [{"Type": "TERM_MATCH", "Field": key, "Value": own} for key, own in wanted.items()]
    answer = client.get_products(ServiceCode="AmazonEC2", Filters=filters)
    prices = {price for text in answer["PriceList"] for price in _dimensions(text)}
    # Reserved capacity that is not used up stands in the same list for nothing.
    return max(prices, default=None)


def _dimensions(text: str) -> Iterator[Decimal]:
    product = json.loads(text)
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if dimension["unit"] == "Hrs" and "USD" in dimension["pricePerUnit"]:
                yield Decimal(dimension["pricePerUnit"]["USD"]).normalize()


def _spot(client: Any, asked: Asked, base: Mapping[str, Any]) -> Iterator[Offer]:
    """The dearest zone's last price, for instances that have a spot row already."""
    key = (base["region"], base["name"])
    if key not in {(row.region, row.name) for row in asked.kind.offers if row.market == "spot"}:
        return
    history = client.describe_spot_price_history(
        InstanceTypes=[base["name"]], ProductDescriptions=["Linux/UNIX"], MaxResults=100
    )["SpotPriceHistory"]
    latest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(history, key=lambda row: row["Timestamp"]):
        latest[row["AvailabilityZone"]] = row
    if latest:
        usd = max(Decimal(row["SpotPrice"]) for row in latest.values()).normalize()
        source = "AWS spot price history, the dearest zone"
        yield asked.row(usd=usd, market="spot", confidence="observed", source=source, **base)
