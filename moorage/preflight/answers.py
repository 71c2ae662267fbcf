"""What Hugging Face said, understood as far as a verdict needs it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

_WRITES: Final = frozenset({"write", "admin"})
_REPOSITORIES: Final = frozenset({"model", "dataset", "space"})  # kinds of what has one name


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """Whose a token is, and what it may do."""

    name: str
    role: str  # write, read or fineGrained
    everywhere: frozenset[str] = frozenset()  # permissions on every account
    scoped: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by account
    kept: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # by repository
    orgs: Mapping[str, str] = field(default_factory=dict)  # name -> the role in it
    pays: Mapping[str, bool] = field(default_factory=dict)  # account -> whether it can pay
    plans: Mapping[str, str] = field(default_factory=dict)  # account -> its plan, where it is told

    def belongs(self, account: str) -> bool:
        """Whether the account is the token's own, or an organisation that it is a member of."""
        return account == self.name or account in self.orgs

    def may(self, account: str, permission: str, *, writes: bool = True) -> bool:
        """Whether the token has a permission on an account."""
        if self.role == "fineGrained":
            return permission in self.everywhere | self.scoped.get(account, frozenset())
        return self.role in _WRITES or not writes

    def may_anywhere(self, permission: str) -> bool:
        """Whether the token has a permission on any account; one that is not fine-grained has."""
        granted = self.everywhere.union(*self.scoped.values())
        return self.role != "fineGrained" or permission in granted

    def may_keep(self, kind: str, name: str, permission: str) -> bool:
        """Whether a fine-grained token has a permission on this one repository, as owner/name."""
        return self.role == "fineGrained" and permission in self.kept.get((kind, name), ())


@dataclass(frozen=True, kw_only=True, slots=True)
class Compute:
    """A row of the hardware that an account can have now."""

    instance: str  # nvidia-l4-x1
    accelerators: int
    usd: Decimal
    status: str
    quota: int
    used: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An endpoint that an account has already."""

    name: str
    tags: frozenset[str]
    vendor: str
    region: str
    instance: str
    state: str
    replicas: int  # at most


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Everything that was told; None for a token that is not there or that nobody knows."""

    deploys: Who | None = None
    asks: Who | None = None
    one_token: bool = False  # whether one token does both
    missing: tuple[str, ...] = ()  # variables that hold no token
    unknown: tuple[str, ...] = ()  # variables whose token nobody knows
    computes: Mapping[str, Mapping[tuple[str, str, str], Compute]] = field(default_factory=dict)
    standing: Mapping[str, tuple[Standing, ...]] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)  # account -> the status
    models: Mapping[str, int] = field(default_factory=dict)  # model -> 200, 401, 403 or 404
    live: Mapping[str, frozenset[str]] = field(default_factory=dict)  # model -> live providers


def who(told: Any) -> Who:
    """Whose token it is, by `whoami-v2`."""
    token = told.get("auth", {}).get("accessToken", {})
    fine = token.get("fineGrained") or {}
    scoped = list(_scopes(fine))
    orgs = [org for org in told.get("orgs") or () if isinstance(org, dict)]
    own = {told["name"]: bool(told.get("canPay", True))}
    plan = {told["name"]: "pro" if told.get("isPro") else "free"}
    return Who(
        name=told["name"],
        role=str(token.get("role", "write")),
        everywhere=frozenset(fine.get("global") or ()),
        scoped={name: granted for kind, name, granted in scoped if kind not in _REPOSITORIES},
        kept={(kind, name): granted for kind, name, granted in scoped if kind in _REPOSITORIES},
        orgs={org["name"]: str(org.get("roleInOrg", "")) for org in orgs},
        pays=own | {org["name"]: bool(org.get("canPay", True)) for org in orgs},
        plans=plan | {org["name"]: str(org.get("plan") or "") for org in orgs},
    )


def _scopes(fine: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """What a fine-grained token may do where: the kind of thing, its name and the permissions."""
    for row in fine.get("scoped") or ():
        entity = row["entity"]
        yield (
            str(entity.get("type")),
            str(entity.get("name")),
            frozenset(row.get("permissions") or ()),
        )


def computes(told: Any) -> dict[tuple[str, str, str], Compute]:
    """The hardware by vendor, region and instance."""
    return {
        (vendor["name"], region["name"], row.instance): row
        for vendor in told["vendors"]
        for region in vendor["regions"]
        for row in map(_compute, region["computes"])
    }


def _compute(row: Mapping[str, Any]) -> Compute:
    quota = row.get("quota") or {}
    return Compute(
        instance=f"{row['instanceType']}-{row['instanceSize']}",
        accelerators=int(row.get("numAccelerators") or 1),
        usd=Decimal(str(row["pricePerHour"])),
        status=str(row["status"]),
        quota=int(quota.get("maxAccelerators") or 0),
        used=int(quota.get("usedAccelerators") or 0),
    )


def standing(items: Any) -> Iterator[Standing]:
    """The endpoints of one page."""
    for item in items:
        compute, place = item.get("compute") or {}, item.get("provider") or {}
        yield Standing(
            name=str(item["name"]),
            tags=frozenset(item.get("tags") or ()),
            vendor=str(place.get("vendor")),
            region=str(place.get("region")),
            instance=f"{compute.get('instanceType')}-{compute.get('instanceSize')}",
            state=str((item.get("status") or {}).get("state")),
            replicas=int((compute.get("scaling") or {}).get("maxReplica") or 1),
        )


def live(told: Any) -> frozenset[str]:
    """The providers of a model that the Hub's mapping calls live."""
    rows = told.get("inferenceProviderMapping") or {}
    listed = rows if isinstance(rows, list) else [{"provider": k, **v} for k, v in rows.items()]
    return frozenset(str(row["provider"]) for row in listed if row.get("status") == "live")
