"""Money is what the resources of a stack cost per hour, before, now and after an operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from pulumi.automation.events import StepEventMetadata, StepEventStateMetadata

from moorage.deploy.events import Failed, Finished, Started

PROPERTY: Final = "hourlyUsd"
_CENT: Final = Decimal("0.01")
_DEAD_STEPS: Final = frozenset({"delete-replaced", "discard-replaced"})


@dataclass
class Money:
    """The sums; a resource that says nothing of money counts nothing."""

    before: dict[str, Decimal] = field(default_factory=dict)
    after: dict[str, Decimal] = field(default_factory=dict)
    now: dict[str, Decimal] = field(default_factory=dict)
    old_ones: dict[str, Decimal] = field(default_factory=dict)  # replaced, and not yet deleted
    ids: dict[str, str] = field(default_factory=dict)  # of the ones that stay

    @property
    def known(self) -> bool:
        """Whether any resource says what it costs."""
        return bool(self.before or self.after or self.now)

    @property
    def before_usd(self) -> Decimal:
        """Per hour, when the operation began."""
        return sum(self.before.values(), Decimal(0))

    @property
    def now_usd(self) -> Decimal:
        """Per hour, as things are now."""
        return sum([*self.now.values(), *self.old_ones.values()], Decimal(0))

    @property
    def after_usd(self) -> Decimal:
        """Per hour, when the operation will be over."""
        return sum(self.after.values(), Decimal(0))

    def take(self, event: Started | Finished | Failed) -> None:
        """Take into account what a step says of money."""
        detail = event.detail
        if detail is None:
            return
        old, new = hourly_usd(detail.old), hourly_usd(detail.new)
        urn = self._counted_as(event.urn, event.step, detail)
        if isinstance(event, Started):
            self._started(urn, event.step, old, new)
        elif isinstance(event, Finished):
            self._finished(urn, event.step, old, new)
        elif "create" in event.step and detail.new is not None and detail.new.id:
            self._set(self.now, event.urn, new)  # it failed, but it exists

    def _counted_as(self, urn: str, step: str, detail: StepEventMetadata) -> str:
        """The resource; one that an earlier run has replaced and left is another with its URN."""
        id_ = detail.old.id if detail.old is not None else None
        if step not in _DEAD_STEPS:
            stays = detail.new.id if detail.new is not None else None
            self.ids[urn] = stays or id_ or ""
            return urn
        is_left = id_ and self.ids.get(urn, id_) != id_ and urn not in self.old_ones
        return f"{urn} {id_}" if is_left else urn

    def _started(self, urn: str, step: str, old: Decimal | None, new: Decimal | None) -> None:
        if step in _DEAD_STEPS:
            if urn not in self.before and old is not None:
                self._set(self.before, urn, old)
                self._set(self.old_ones, urn, old)
            return
        if urn not in self.before and old is not None:
            self._set(self.before, urn, old)
            self.now.setdefault(urn, old)
        self._set(self.after, urn, new)

    def _finished(self, urn: str, step: str, old: Decimal | None, new: Decimal | None) -> None:
        if step in _DEAD_STEPS:
            if self.old_ones.pop(urn, None) is None:
                self.now.pop(urn, None)
            return
        if step == "replace":
            return  # says nothing that the steps it consists of do not say
        if step == "create-replacement" and urn in self.now and old is not None:
            self.old_ones[urn] = old
        if step in {"delete", "discard"}:
            new = None
        self._set(self.now, urn, new)
        self._set(self.after, urn, new)

    @staticmethod
    def _set(where: dict[str, Decimal], urn: str, amount: Decimal | None) -> None:
        if amount is None:
            where.pop(urn, None)
        else:
            where[urn] = amount


def hourly_usd(state: StepEventStateMetadata | None) -> Decimal | None:
    """What a resource costs per hour, where it says so; outputs know better than inputs."""
    for properties in (state.outputs, state.inputs) if state else ():
        amount = _amount((properties or {}).get(PROPERTY))
        if amount is not None:
            return amount
    return None


def write(amount: Decimal) -> str:
    """An amount with its cents, and with more digits only where it has them."""
    amount = amount.normalize()
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -2:
        amount = amount.quantize(_CENT)
    return f"{amount:f}"


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    amount = Decimal(str(value))
    return amount if amount.is_finite() else None
