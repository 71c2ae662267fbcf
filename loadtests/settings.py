"""What the load generator is told: one JSON file, without the key, which travels by environment."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from loadtests.profiles import Profile, Target, max_in_flight

SETTINGS_ENV: Final = "MOORAGE_LOADTEST_SETTINGS"
KEY_ENV: Final = "MOORAGE_LOADTEST_KEY"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    profile: str
    url: str
    model: str
    task: str
    rps: float
    input_tokens: int
    output_tokens: int
    seed: int
    arrivals_limit_s: float
    max_in_flight: int
    connect_timeout_s: float
    first_token_timeout_s: float
    stall_timeout_s: float
    total_timeout_s: float
    rows: str  # path of the JSON lines, one row for each arrival
    health: str  # path of the JSON lines about the generator itself

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Settings:
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def settings_for(profile: Profile, target: Target, folder: Path) -> Settings:
    return Settings(
        profile=profile.name,
        url=target.url.rstrip("/"),
        model=target.model,
        task=target.task,
        rps=target.load.rps,
        input_tokens=target.load.input_tokens,
        output_tokens=target.load.output_tokens,
        seed=profile.seed,
        arrivals_limit_s=profile.arrivals_limit_s,
        max_in_flight=max_in_flight(profile, target.load),
        connect_timeout_s=profile.connect_timeout_s,
        first_token_timeout_s=profile.first_token_timeout_s,
        stall_timeout_s=profile.stall_timeout_s,
        total_timeout_s=profile.total_timeout_s,
        rows=str(folder / "rows.jsonl"),
        health=str(folder / "health.jsonl"),
    )
