"""What there is: endpoints in pages, computes with price and status, quotas."""

from __future__ import annotations

from typing import Any

from moorage.twin.face import Scenario
from tests.contract.place import WITHOUT, Place, holds, same, says
from tests.contract.register import check

_L4 = {
    "compute__accelerator": "gpu",
    "compute__instanceType": "nvidia-l4",
    "compute__instanceSize": "x4",
}


@check("get.absent")
def _(place: Place) -> None:
    says(place.api("GET", place.name()), 404)


@check("list.has-items")
def _(place: Place) -> None:
    name = place.serving()
    names = [one["name"] for one in place.api("GET").json["items"]]
    holds(name in names, f"{name} is not among {names}")


@check("list.has-pages", Scenario(page_size=2))
def _(place: Place) -> None:
    names = {place.expect_made(place.create(place.body())).json["name"] for _ in range(5)}
    first = place.api("GET").json
    same(len(first["items"]), 2, "the first page")
    seen, cursor = [one["name"] for one in first["items"]], first["nextCursor"]
    while cursor:
        page = place.api("GET", f"?cursor={cursor}").json
        seen += [one["name"] for one in page["items"]]
        cursor = page.get("nextCursor")
    same(set(seen), names, "all pages together")


@check("catalogue.open-to-all")
def _(place: Place) -> None:
    answer = place.catalogue(token=WITHOUT)
    same(answer.status, 200, "status")
    holds(answer.json["vendors"][0]["regions"][0]["computes"], "no computes")


@check("catalogue.quota-only-of-a-namespace")
def _(place: Place) -> None:
    body = place.body(**_L4)
    place.expect_made(place.create(body))
    same(_quota(place, ""), {"maxAccelerators": 0, "usedAccelerators": 0}, "nobody's quota")
    same(_quota(place, "/acme"), {"maxAccelerators": 8, "usedAccelerators": 4}, "ours")


@check("catalogue.tells-price-and-status")
def _(place: Place) -> None:
    known = {"available", "low_availability", "not_available", "reserved", "deprecated"}
    for row in _computes(place, f"/{place.account}"):
        holds(row["pricePerHour"] >= 0, f"{row['id']} has no price")
        holds(row["status"] in known, f"{row['id']} is {row['status']}")


@check("catalogue.available-without-quota")
def _(place: Place) -> None:
    rows = _computes(place, "/acme")
    quotas = [row["quota"]["maxAccelerators"] for row in rows if row["status"] == "available"]
    holds(0 in quotas, "every instance that is available may be had")


@check("catalogue.gpu-memory-is-of-all")
def _(place: Place) -> None:
    rows = {row["id"]: row for row in _computes(place, "")}
    same(rows["aws-us-east-1-nvidia-a100-x2"]["gpuMemoryGb"], 160, "two A100 of 80 GB")


@check("quotas.by-vendor-and-type")
def _(place: Place) -> None:
    answer = place.catalogue(f"/quotas/{place.account}")
    row = answer.json["vendors"][0]["quotas"][0]
    same({*row}, {"instanceType", "maxAccelerators", "usedAccelerators"}, "the keys of a quota")


def _computes(place: Place, account: str) -> list[dict[str, Any]]:
    return [
        row
        for vendor in place.catalogue(account).json["vendors"]
        for region in vendor["regions"]
        for row in region["computes"]
    ]


def _quota(place: Place, account: str) -> object:
    rows = {row["id"]: row for row in _computes(place, account)}
    return rows["aws-eu-west-1-nvidia-l4-x1"]["quota"]
