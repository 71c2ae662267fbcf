"""One watch over the endpoints of an account, for all of this process who wait for some of them.

Whoever finds that it is time to look looks for all the others, too: fifty endpoints cost hardly
more requests than one. Nobody has a thread of its own, so nothing is left when nobody waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from moorage.provider.handler import Context
from moorage.provider.hugging_face import client
from moorage.provider.hugging_face.client import Record, Service
from moorage.provider.hugging_face.faults import PassingError

_GLANCE_S: Final = 0.05
_LEAST_PAUSE_S: Final = 0.01
# Two looks soon, for what fails or is there at once; then seldom, as the quickest real starts take
# 21 to 24 s and most take minutes. With more waiters than one the looks are shared, and denser.
_FIRST_GAP_S: Final = 0.5
_SECOND_GAP_S: Final = 2.5
_GAP_S: Final = 9.2
_LEAST_GAP_S: Final = 1.0


@dataclass(kw_only=True, slots=True, eq=False)
class Waiter:
    """Somebody who waits for one endpoint."""

    name: str
    joined_s: float
    seen_s: float  # when the look began that it has seen last


@dataclass(kw_only=True, slots=True, eq=False)
class Watch:
    """The waiters of one account, and what the last look saw."""

    service: Service
    account: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiters: list[Waiter] = field(default_factory=list)
    seen: dict[str, Record] = field(default_factory=dict)
    looked_s: float = 0.0  # when the last look began that saw something
    tried_s: float = 0.0  # when the last look began
    is_looking: bool = False
    fault: str = ""  # why the last look saw nothing

    @contextmanager
    def waiting(self, name: str) -> Iterator[Waiter]:
        """Wait for the endpoint of this name."""
        now_s = time.monotonic()
        waiter = Waiter(name=name, joined_s=now_s, seen_s=now_s)
        with self.lock:
            self.waiters.append(waiter)
        try:
            yield waiter
        finally:
            with self.lock:
                self.waiters.remove(waiter)

    def look(self, waiter: Waiter, context: Context) -> Record | None:
        """The endpoint, seen later than this waiter has seen it; None when it is not there."""
        while not self._is_seen_by(waiter):
            with self.lock:
                due_s = self._due_s() - time.monotonic()
                leads = due_s <= 0 and not self.is_looking
                self.is_looking |= leads
            if leads:
                self._look(waiter, context)
            else:
                context.pause(min(max(due_s, _LEAST_PAUSE_S), _GLANCE_S))
        # A list may lack what is there; only a question by name says that it is not.
        found = self.seen.get(waiter.name)
        return found or client.get(self.service, self.account, waiter.name, context)

    def _is_seen_by(self, waiter: Waiter) -> bool:
        with self.lock:
            if self.looked_s <= waiter.seen_s:
                return False
            waiter.seen_s = self.looked_s
            return True

    def _look(self, waiter: Waiter, context: Context) -> None:
        began_s = time.monotonic()
        try:
            seen = self._seen(waiter, context)
        except PassingError as error:
            self._told(began_s, None, str(error))  # an outage is no reason to give anything up
        except BaseException:
            self._told(began_s, None, "")
            raise
        else:
            self._told(began_s, seen, "")

    def _seen(self, waiter: Waiter, context: Context) -> dict[str, Record]:
        """A list has pages, so whoever waits alone looks at its own endpoint."""
        if self.is_alone(waiter):
            found = client.get(self.service, self.account, waiter.name, context)
            return {waiter.name: found} if found else {}
        return client.listed(self.service, self.account, context)

    def is_alone(self, waiter: Waiter) -> bool:
        """Whether nobody else waits."""
        with self.lock:
            return all(one is waiter for one in self.waiters)

    def _told(self, began_s: float, seen: dict[str, Record] | None, fault: str) -> None:
        with self.lock:
            self.is_looking, self.tried_s, self.fault = False, began_s, fault
            if seen is not None:
                self.seen, self.looked_s = seen, began_s

    def _due_s(self) -> float:
        youngest_s = max((one.joined_s for one in self.waiters), default=0.0)
        last_s = max(self.tried_s, min((one.joined_s for one in self.waiters), default=0.0))
        return last_s + gap_s(last_s - youngest_s, len(self.waiters))


def gap_s(age_s: float, waiters: int) -> float:
    """How long after a look the next one comes, when the youngest wait is so old then."""
    if age_s < _FIRST_GAP_S:
        return _FIRST_GAP_S
    alone_s = _SECOND_GAP_S if age_s < _SECOND_GAP_S else _GAP_S
    return max(alone_s / max(waiters, 1), _LEAST_GAP_S)


_lock: Final = threading.Lock()
_watches: Final[dict[tuple[str, str, str], Watch]] = {}


def over(service: Service, account: str) -> Watch:
    """The watch over an account, one for all who ask with the same token."""
    key = service.url, service.token, account
    with _lock:
        if key not in _watches:
            _watches[key] = Watch(service=service, account=account)
        return _watches[key]
