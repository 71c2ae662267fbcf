"""What a state of an endpoint means to who waits for it; pure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_owner

Kind = Literal["wait", "up", "failed", "asleep", "paused", "guarded"]

# A change that restarts nothing is never told as `updating`; after so long it is taken as made.
_SETTLED_S: Final = 15.0
_FAILED: Final = frozenset({"failed", "updateFailed"})
_MOVING: Final = frozenset({"pending", "initializing", "updating"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What to do now, and the words for it."""

    kind: Kind
    why: str = ""


@dataclass(kw_only=True, slots=True)
class Since:
    """What was asked of it, so that an older state is not taken for the answer.

    `updated_at` is the time that the answer to a change told; None when nothing was changed.
    """

    updated_at: str | None = None
    has_moved: bool = False  # a state between was seen

    def see(self, record: Record) -> None:
        """Take note of what is told."""
        self.has_moved |= record["status"]["state"] in _MOVING


def judge(record: Record, since: Since, age_s: float) -> Verdict:
    """What the endpoint's state means, so long after it was asked."""
    status: dict[str, Any] = record["status"]
    state = str(status["state"])
    told = words(status)
    if _is_old(status, since) and age_s < _SETTLED_S:
        return Verdict(kind="wait", why=f"the change has not begun ({told})")
    if state == "paused":
        return Verdict(kind="guarded" if endpoint_owner.is_guarded(record) else "paused", why=told)
    if state in _FAILED:
        return Verdict(kind="failed", why=told)
    if state == "scaledToZero":
        return Verdict(kind="asleep", why=told)
    if state == "running" and status.get("url"):
        return Verdict(kind="up", why=told)
    return Verdict(kind="wait", why=told)


def words(status: dict[str, Any]) -> str:
    """The state and what the service says of it."""
    message = " ".join(str(status.get("errorMessage") or status.get("message") or "").split())
    return f"{status['state']}: {message}" if message else str(status["state"])


def is_newer(status: dict[str, Any], than: str | None) -> bool:
    """Whether it has changed since."""
    told = str(status.get("updatedAt") or "")
    if not told or than is None:
        return than is None
    moments = _moment(told), _moment(than)
    if moments[0] is None or moments[1] is None:
        return told != than
    return moments[0] > moments[1]


def _is_old(status: dict[str, Any], since: Since) -> bool:
    return not since.has_moved and not is_newer(status, since.updated_at)


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        told = datetime.fromisoformat(text)
        return told if told.tzinfo else told.replace(tzinfo=UTC)
    return None
