"""How much may be asked within a while: windows that begin at fixed times, for each token its own.

The answer to what is too much is the Hub's: a 429 with `RateLimit` and `RateLimit-Policy`.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

from moorage.twin.clock import Clock
from moorage.twin.scenario import Limit


@dataclass(kw_only=True, slots=True)
class Limits:
    """What was asked so far in the windows of now."""

    all: Sequence[Limit]
    clock: Clock
    _asked: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse(self, host: str, request: web.Request) -> web.Response | None:
        """The answer to one request too many; None while it is within every limit."""
        token = request.headers.get("Authorization", "")
        for number, limit in enumerate(self.all):
            if not _is_meant(limit, host, request):
                continue
            window = int(self.clock.now_s() // limit.window_s)
            with self._lock:
                self._asked[number, window, token] += 1
                asked = self._asked[number, window, token]
            if asked > limit.most:
                return _too_much(limit, (window + 1) * limit.window_s - self.clock.now_s())
        return None


def _is_meant(limit: Limit, host: str, request: web.Request) -> bool:
    return (
        limit.host in ("", host)
        and limit.method.upper() in ("", request.method)
        and re.search(limit.path, request.path) is not None
    )


def _too_much(limit: Limit, left_s: float) -> web.Response:
    policy = f'"fixed window";"api";q={limit.most};w={limit.window_s:.0f}'
    says = "We had to rate limit you. You hit the quota of requests per period"
    return web.json_response(
        {"error": says},
        status=429,
        headers={"RateLimit": f'"api";r=0;t={math.ceil(left_s)}', "RateLimit-Policy": policy},
    )
