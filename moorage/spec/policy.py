"""What the platform team allows, as `specs/policy.yaml` says it; None is what it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct, field

CREATE_FIRST = "create-first"
DELETE_FIRST = "delete-first"
PRICE_WARN_DAYS = 120
PRICE_REFUSE_DAYS = 365


class TierPolicy(NamedTuple):
    """What services of one privacy tier may use."""

    kinds: tuple[str, ...] | None = None
    routers: tuple[str, ...] | None = None  # providers of the Hugging Face router
    regions: tuple[str, ...] | None = None  # areas or regions


class TeamPolicy(NamedTuple):
    owner: str | None = None
    monthly_usd: Decimal | None = None  # all services of the team together, at worst


class Waiver(NamedTuple):
    """One rule is not held against one service, until a day."""

    rule: str
    service: str
    owner: str
    reason: str
    expires: date
    line: int = 1  # where the waiver stands in the policy


class Policy(Struct, frozen=True, kw_only=True):
    """All of it."""

    licenses_allow: tuple[str, ...] | None = None  # SPDX identifiers, LicenseRef-<the Hub's word>
    licenses_refuse: tuple[str, ...] = ()
    tiers: Mapping[str, TierPolicy] = field(default_factory=dict)
    gpus_allow: tuple[str, ...] | None = None
    gpus_per_service: int | None = None
    gpus_total: int | None = None
    delete_first: bool = False  # a replaced placement goes before its replacement comes
    spot: bool = True  # whether instances may be bought on the spot market
    total_usd: Decimal | None = None  # all services together, at worst
    teams: Mapping[str, TeamPolicy] | None = None
    owner_needed: bool = False
    price_warn_days: int = PRICE_WARN_DAYS
    price_refuse_days: int = PRICE_REFUSE_DAYS
    remote_code: tuple[str, ...] = ()  # models whose code may run
    rules: Mapping[str, str] = field(default_factory=dict)  # slug -> off | warning | error
    waivers: tuple[Waiver, ...] = ()
    file: str = ""  # as messages name it; empty: there is no policy
