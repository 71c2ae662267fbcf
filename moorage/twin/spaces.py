"""A Space of the twin: what it is set to, and through which stages it goes as time passes."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.twin import cards
from moorage.twin.desk import Asked, Desk, Refusal, rows
from moorage.twin.repos import Stored

FREE_HARDWARE: Final = "cpu-basic"
NEVER_SLEEPS: Final = -1
FREE_SLEEP_S: Final = 172_800
APP_FILES: Final = {"gradio": "app.py", "docker": "Dockerfile", "static": "index.html"}

# name, pretty name, cpu, ram, accelerator, dollars an hour (page "Using GPU Spaces", 2026-08)
_ROWS: Final = (
    ("cpu-basic", "CPU Basic", "2 vCPU", "16 GB", None, 0.0),
    ("cpu-upgrade", "CPU Upgrade", "8 vCPU", "32 GB", None, 0.03),
    ("t4-small", "Nvidia T4 - small", "4 vCPU", "15 GB", "T4", 0.4),
    ("t4-medium", "Nvidia T4 - medium", "8 vCPU", "30 GB", "T4", 0.6),
    ("l4x1", "1x Nvidia L4", "8 vCPU", "30 GB", "L4", 0.8),
    ("l40sx1", "1x Nvidia L40S", "8 vCPU", "62 GB", "L40S", 1.8),
    ("a10g-small", "Nvidia A10G - small", "4 vCPU", "15 GB", "A10G", 1.0),
    ("a100-large", "Nvidia A100 - large", "12 vCPU", "142 GB", "A100", 2.5),
)
PRICES: Final = {row[0]: row[5] for row in _ROWS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """How the Spaces of some name behave; `ends` is BUILD_ERROR, RUNTIME_ERROR or BUILDING."""

    building_s: float = 0.02
    starting_s: float = 0.02
    loading_s: float = 0.0  # RUNNING, but the app still answers 503
    stale_s: float = 0.0  # after a push the stage is still the old RUNNING
    ends: str = ""
    heals: bool = False  # whether a factory reboot mends it
    message: str = "Exit code: 1. Reason: application error"
    build_log: Sequence[str] = ("===== Build Queued =====", "--> pip install -r requirements.txt")
    run_log: Sequence[str] = ("===== Application Startup =====",)


@dataclass(kw_only=True, slots=True)
class Space:
    """The settings of one Space, and when it was last built and started."""

    id: str
    sdk: str
    habit: Habit
    hardware: str = FREE_HARDWARE
    sleep_s: int | None = None
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    is_paused: bool = False
    has_run: bool = False
    is_healed: bool = False
    built_s: float = 0.0  # when the present build began
    started_s: float | None = None  # when it was started anew without a build
    used_s: float = 0.0
    reboots: int = 0


def refuse(asked: Asked, account: str, body: Mapping[str, Any], sdks: Sequence[str]) -> None:
    """What the Hub refuses of a Space to be made."""
    if body.get("sdk") not in sdks:
        raise Refusal(400, f"Invalid sdk, must be one of {', '.join(sdks)}")
    hardware = body.get("hardware") or FREE_HARDWARE
    refuse_hardware(asked, account, hardware)
    plan = asked.desk.people.accounts[account].plan
    if plan == "free" and body["sdk"] != "static" and hardware == FREE_HARDWARE:
        says = "A paid plan is required to create Gradio and Docker Spaces on free hardware"
        raise Refusal(402, says)


def refuse_hardware(asked: Asked, account: str, hardware: object) -> None:
    """Hardware that nobody sells, or that the account cannot pay."""
    if not isinstance(hardware, str) or hardware not in PRICES:
        raise Refusal(400, f"Invalid hardware flavor: {hardware}")
    if PRICES[hardware] and not asked.desk.people.accounts[account].can_pay:
        raise Refusal(402, "Payment method required; add one in your billing settings")


def begin(asked: Asked, stored: Stored, body: Mapping[str, Any]) -> Space:
    """A new Space, set as its create says."""
    desk = asked.desk
    now, stamp = desk.clock.now_s(), desk.clock.stamp()
    return Space(
        id=stored.id.removeprefix("spaces/"),
        sdk=body["sdk"],
        habit=habit_of(desk, stored.id.removeprefix("spaces/")),
        hardware=body.get("hardware") or FREE_HARDWARE,
        sleep_s=body.get("sleepTimeSeconds"),
        variables=_settled(body, "variables", stamp, show=True),
        secrets=_settled(body, "secrets", stamp, show=False),
        volumes=rows(body, "volumes"),
        built_s=now,
        used_s=now,
    )


def _settled(
    body: Mapping[str, Any], name: str, stamp: str, *, show: bool
) -> dict[str, dict[str, Any]]:
    given = rows(body, name, key=str, value=str)
    return {one["key"]: setting(one, stamp, show=show) for one in given}


def setting(one: Mapping[str, Any], stamp: str, *, show: bool) -> dict[str, Any]:
    """A variable or a secret as it is told; the value of a secret never is."""
    told = {"updatedAt": stamp, "description": one.get("description")}
    return told | {"value" if show else "_value": one["value"]}


def habit_of(desk: Desk, id_: str) -> Habit:
    """How a Space of this name behaves."""
    fits = (habit for pattern, habit in desk.habits.items() if fnmatch.fnmatch(id_, pattern))
    return next(fits, Habit())


def pushed(asked: Asked, id_: str) -> None:
    """A commit came to `main`: it is built anew."""
    space: Space = asked.desk.spaces[id_]
    stored = asked.hub.repos[f"spaces/{id_}"]
    if "sdk" in (card := cards.of(stored.blobs) or {}):
        space.sdk = card["sdk"]
    build(space, asked.desk)


def build(space: Space, desk: Desk) -> None:
    """Build it from its files; what ran until now goes on meanwhile."""
    space.has_run = stage(space, desk, None) in ("RUNNING", "RUNNING_BUILDING")
    now = desk.clock.now_s()
    space.built_s = space.used_s = now
    space.started_s = None


def restart(space: Space, desk: Desk) -> None:
    """Start it anew from the image that is built, as every change of a setting does."""
    if space.is_paused or (space.started_s is None and _is_building(space, desk)):
        return
    space.started_s = space.used_s = desk.clock.now_s()


def reboot(space: Space, desk: Desk) -> None:
    """A factory reboot: built anew without any cache."""
    space.reboots += 1
    space.is_healed = space.habit.heals
    space.is_paused = False
    build(space, desk)
    space.has_run = False


def _is_building(space: Space, desk: Desk) -> bool:
    return desk.clock.now_s() < space.built_s + space.habit.building_s


def stage(space: Space, desk: Desk, stored: Stored | None) -> str:
    """Where it is now; without its files, only as time tells."""
    if space.is_paused:
        return "PAUSED"
    if stored is not None and (fault := _unbuildable(space, stored)):
        return fault
    if space.sdk == "static":
        return "RUNNING"
    return _timed(space, desk)


def _unbuildable(space: Space, stored: Stored) -> str | None:
    card = cards.of(stored.blobs)
    if card is None or "sdk" not in card:
        return "CONFIG_ERROR"
    app = APP_FILES.get(space.sdk, "app.py")
    wanted = card.get("app_file", app) if space.sdk != "docker" else app
    return None if wanted in stored.blobs else "NO_APP_FILE"


def _timed(space: Space, desk: Desk) -> str:
    now, habit = desk.clock.now_s(), space.habit
    ends = "" if space.is_healed else habit.ends
    since_build_s = now - space.built_s
    if space.has_run and since_build_s < habit.stale_s:
        return "RUNNING"
    if since_build_s < habit.building_s or ends == "BUILDING":
        return "RUNNING_BUILDING" if space.has_run else "BUILDING"
    if ends == "BUILD_ERROR":
        return ends
    began_s = space.started_s if space.started_s is not None else space.built_s + habit.building_s
    if now - began_s < habit.starting_s:
        return "RUNNING_APP_STARTING" if space.has_run else "APP_STARTING"
    if ends == "RUNTIME_ERROR":
        return ends
    return "SLEEPING" if _sleeps(space, now) else "RUNNING"


def _sleeps(space: Space, now: float) -> bool:
    limit = FREE_SLEEP_S if space.hardware == FREE_HARDWARE else space.sleep_s
    return limit not in (None, NEVER_SLEEPS) and now - space.used_s >= (limit or 0)


def is_loaded(space: Space, desk: Desk) -> bool:
    """Whether the app answers, once its stage says RUNNING."""
    began_s = space.started_s if space.started_s is not None else space.built_s
    waits_s = space.habit.starting_s + space.habit.loading_s
    if space.started_s is None:
        waits_s += space.habit.building_s
    return space.sdk == "static" or desk.clock.now_s() - began_s >= waits_s


def runtime(space: Space, desk: Desk, stored: Stored) -> dict[str, Any]:
    """As `/runtime` tells it."""
    now = stage(space, desk, stored)
    is_up = now.startswith("RUNNING")
    sleeps_s = FREE_SLEEP_S if space.hardware == FREE_HARDWARE else space.sleep_s
    told: dict[str, Any] = {
        "stage": now,
        "hardware": {"current": space.hardware if is_up else None, "requested": space.hardware},
        "storage": None,
        "gcTimeout": None if sleeps_s == NEVER_SLEEPS else sleeps_s,
        "replicas": {"current": int(is_up), "requested": 1},
        "devMode": False,
        "domains": [{"domain": space.id.replace("/", "-"), "stage": "READY"}],
    }
    if space.volumes:
        told["volumes"] = space.volumes
    if now.endswith("ERROR"):
        told["errorMessage"] = space.habit.message
    return told


def logs(space: Space, kind: str) -> list[str]:
    """The lines of its build or of its run."""
    ends = "" if space.is_healed else space.habit.ends
    if kind == "build":
        fault = [f"ERROR: {space.habit.message}"] if ends == "BUILD_ERROR" else []
        return [*space.habit.build_log, *fault]
    return [*space.habit.run_log, *([space.habit.message] if ends == "RUNTIME_ERROR" else [])]


def hardware() -> list[dict[str, Any]]:
    """The catalogue, priced by the minute."""
    return [_hardware(*row) for row in _ROWS]


def _hardware(
    name: str, pretty: str, cpu: str, ram: str, gpu: str | None, usd_per_hour: float
) -> dict[str, Any]:
    card = {"type": "gpu", "model": gpu, "quantity": "1", "vram": "", "manufacturer": "Nvidia"}
    per_minute = usd_per_hour / 60
    return {
        "name": name,
        "prettyName": pretty,
        "cpu": cpu,
        "ram": ram,
        "ephemeralStorage": "50 GB",
        "accelerator": card if gpu else None,
        "unitCostMicroUSD": round(per_minute * 1e6),
        "unitCostUSD": per_minute,
        "unitLabel": "minute",
    }
