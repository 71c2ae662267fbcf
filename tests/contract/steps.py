"""What several checks do first."""

from __future__ import annotations

from typing import Any

from moorage.twin.face import Scenario, Timings
from tests.contract.place import Place

UPDATES = Scenario(clock="driven", timings=Timings(stale_s=1, updating_s=50))


def made(place: Place, **changes: Any) -> str:
    return str(place.expect_made(place.create(place.body(**changes))).json["name"])


def driven_up(place: Place, **changes: Any) -> str:
    name = made(place, **changes)
    place.advance(60)
    return name


def on_a_gpu(place: Place) -> str:
    return place.serving(compute__accelerator="gpu", compute__instanceType="nvidia-l4")


def used(place: Place) -> int:
    vendors = place.catalogue(f"/quotas/{place.account}").json["vendors"]
    rows = [row for vendor in vendors for row in vendor["quotas"] if vendor["name"] == "aws"]
    return next(int(row["usedAccelerators"]) for row in rows if row["instanceType"] == "nvidia-l4")
