"""What a twin is told to be: accounts, hardware, timings, bad starts, faults, repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.twin.hardware import Compute, catalogue
from moorage.twin.people import INFER, ROUTE, Account, Token
from moorage.twin.repos import Repo
from moorage.twin.spaces import Habit

ENDS: Final = ("failed", "stuck", "unscheduled")
FAULTS: Final = ("answer", "drop", "lose", "garbage", "pass")
HOSTS: Final = ("hub", "endpoints", "router", "engines")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timings:
    """How long everything takes; the defaults are for tests that do not want to wait."""

    pending_s: float = 0.02
    initializing_s: float = 0.05
    loading_s: float = 0.02  # running, but the engine still answers 503
    stale_s: float = 0.02  # after a PUT it still tells the old `running`
    updating_s: float = 0.05
    wake_s: float = 0.05
    drain_s: float = 0.02  # paused, but the last replica is still there
    delete_s: float = 0.02  # deleted, but a GET still finds it
    late_s: float = 0.0  # asleep so much later than `scaleToZeroTimeout` says
    minute_s: float = 60.0  # of `scaleToZeroTimeout`; shorten it to see endpoints fall asleep


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """How the starts of the endpoints of a name end instead of well."""

    name: str = "*"  # a shell pattern of the endpoint's name
    ends: str = "failed"
    when: str = "start"  # start (create, resume, wake) or update; `on` is true in YAML
    times: int | None = None  # so many starts of each endpoint; None: all of them
    message: str = "Endpoint failed to start"
    log: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What happens to some of the next requests.

    `does`: "answer" with `status` and `body` instead of the real answer; "drop" closes the
    connection before anything happened; "lose" lets it happen and loses the answer; "garbage"
    lets it happen and answers what is no JSON; "pass" only delays.
    """

    method: str = ""  # empty: any
    path: str = ""  # a regular expression, searched in the path
    host: str = ""  # hub, endpoints, router or engines; empty: any
    times: int | None = 1  # None: for ever
    after: int = 0  # let so many pass first
    does: str = "answer"
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """So many requests of one token within each window; more are a 429."""

    method: str = ""  # empty: any
    path: str = ""  # a regular expression, searched in the path
    host: str = ""  # hub, endpoints, router or engines; empty: any
    most: int = 1000
    window_s: float = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """How fast engines and the router's providers speak."""

    first_token_s: float = 0.0
    token_s: float = 0.0


def _accounts() -> tuple[Account, ...]:
    narrow = Token(
        text="hf_twin_narrow",
        role="fineGrained",
        scoped={"acme": (INFER, ROUTE), "ann": (INFER, ROUTE)},
    )
    whole = Token(text="hf_twin_ann")
    foreign = Token(text="hf_twin_zoe")
    return (
        Account(name="ann", tokens=(whole, narrow)),
        Account(name="acme", kind="org", members=("ann",), plan="team"),
        Account(name="zoe", tokens=(foreign,)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A world to begin with."""

    accounts: Sequence[Account] = field(default_factory=_accounts)
    deploys: str = "hf_twin_ann"  # the token that `environment` gives to who deploys
    calls: str = "hf_twin_narrow"  # the one that calls endpoints and the router
    foreign: str = "hf_twin_zoe"  # somebody else's; empty: none
    computes: Sequence[Compute] = field(default_factory=catalogue)
    timings: Timings = field(default_factory=Timings)
    speed: Speed = field(default_factory=Speed)
    starts: Sequence[Start] = ()
    faults: Sequence[Fault] = ()
    limits: Sequence[Limit] = ()
    repos: Mapping[str, Repo] = field(default_factory=dict)
    spaces: Mapping[str, Habit] = field(default_factory=dict)  # by a shell pattern of their ids
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # org -> id -> name
    forgets_env: bool = False  # a PUT that does not send env loses it, as servers once did
    providers_failing: Mapping[str, int] = field(default_factory=dict)  # of the router: status
    router_longest_s: float = 120.0  # a chat that is not streamed and takes longer is a 504
    clock: str = "real"  # or driven
    page_size: int = 20
