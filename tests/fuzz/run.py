"""The run: seeds are spoilt, written as projects of some specs each, and loaded."""

from __future__ import annotations

import importlib.util
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Final

from moorage.errors import MoorageError
from moorage.plan.load import load
from moorage.plan.show.render import plan_json
from moorage.spec import report
from tests.fuzz.mutate import Text, spoil

ROOT: Final = Path(__file__).parents[2]
TODAY: Final = date(2026, 11, 24)
AT_ONCE: Final = 100  # specs of a project
SLOW_S: Final = 1.0  # no mutant takes longer

_POLICY: Final = """\
apiVersion: moorage/v1
kind: Policy
licenses: {allow: [Apache-2.0, MIT], refuse: [GPL-3.0]}
tiers: {confidential: {regions: [eu], routers: [together], kinds: [hf-endpoint, docker-host]}}
gpus: {allow: [nvidia-l4, nvidia-l40s, nvidia-a100], per_service: 8, total: 64}
budgets: {total_usd: 90000, teams: {support: {owner: a@example.com, monthly_usd: 5000}}}
owners: {needed: true}
prices: {warn_after: 60d, refuse_after: 180d}
remote_code: [microsoft/phi-4]
rules: {license: warning, replicas: off}
waivers:
  - {rule: license, service: a, owner: b@example.com, reason: signed, expires: 2027-01-31}
"""


@dataclass(frozen=True, kw_only=True)
class Seed:
    """A good spec and its lock, which may be missing."""

    spec: str
    lock: str | None


@dataclass(kw_only=True)
class Found:
    """How many were tried, and which went wrong, with what they are made of."""

    mutants: int = 0
    crashes: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


def seeds(folder: Path) -> list[Seed]:
    """The specs of this repository, of its stories, and one of each kind and real model."""
    _generator().write(folder, count=120)
    places = (ROOT / "specs", ROOT / "tests" / "cases", folder / "specs")
    files = sorted(path for place in places for path in place.rglob("*.yaml"))
    return [_seed(path) for path in files if path.name != "policy.yaml"]


def policies() -> list[str]:
    """Good policies."""
    return [(ROOT / "specs" / "policy.yaml").read_text(encoding="utf-8"), _POLICY]


def run(count: int, seed: int) -> Found:
    """Try so many mutants; the same seed, the same mutants."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="moorage-fuzz-") as name:
        folder = Path(name)
        known = seeds(folder / "seeds")
        while found.mutants < count:
            number = found.mutants
            dice = random.Random(f"{seed} {number}")
            these = min(AT_ONCE, count - number)
            project = _project(folder / "project", known, dice, these)
            _try(project, these, found, f"seed {seed}, mutants from {number}")
    return found


def _project(folder: Path, known: list[Seed], dice: random.Random, count: int) -> Path:
    """Some mutants; in every third project the policy is spoilt too."""
    (folder / "specs").mkdir(parents=True, exist_ok=True)
    policy = dice.choice(policies())
    _put(folder / "policy.yaml", spoil(policy, dice) if dice.random() < 0.3 else policy)
    for number in range(count):
        seed = dice.choice(known)
        both = dice.random()
        spec: Text = seed.spec if both < 0.3 and seed.lock else spoil(seed.spec, dice)
        _put(folder / "specs" / f"m{number}.yaml", spec)
        beside = folder / "specs" / f"m{number}.lock.json"
        if seed.lock is None:
            beside.unlink(missing_ok=True)
        else:
            _put(beside, spoil(seed.lock, dice) if both < 0.6 else seed.lock)
    return folder


def _put(path: Path, text: Text) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    path.write_bytes(data)


def _try(project: Path, count: int, found: Found, name: str) -> None:
    paths = [project / "specs" / f"m{number}.yaml" for number in range(count)]
    found.mutants += len(paths)
    seconds, crash = _load(project, paths)
    if crash or seconds > SLOW_S:
        for path in paths:
            found.crashes += _alone(project, path, found, name)
    if crash and not any(name in line for line in found.crashes):
        found.crashes.append(f"{name}: only together: {crash}")


def _alone(project: Path, path: Path, found: Found, name: str) -> Iterator[str]:
    seconds, crash = _load(project, [path])
    found.slowest_s = max(found.slowest_s, seconds)
    if crash or seconds > SLOW_S:
        what = crash or f"took {seconds:.1f} s"
        lock = path.with_suffix("").with_name(f"{path.stem}.lock.json")
        held = [row.read_bytes() for row in (path, lock) if row.exists()]
        yield f"{name}: {path.name}: {what}\n{b'=== lock'.join(held)[:20000]!r}"


def _load(project: Path, paths: list[Path]) -> tuple[float, str]:
    """How long it took, and the traceback where there was one."""
    start = time.process_time()
    try:
        loaded = load(paths, root=project, today=TODAY)
        for plan in loaded.plans:
            plan_json(plan)
        for render in report.FORMATS.values():
            render(loaded.problems).encode()
    except MoorageError:
        pass
    except Exception:  # noqa: BLE001  whatever it is, it is what we look for
        return time.process_time() - start, traceback.format_exc()
    return time.process_time() - start, ""


def _seed(path: Path) -> Seed:
    lock = path.with_name(f"{path.stem}.lock.json")
    held = lock.read_text(encoding="utf-8") if lock.exists() else None
    return Seed(spec=path.read_text(encoding="utf-8"), lock=held)


def _generator() -> ModuleType:
    """The bench's generator, which is no module of a package."""
    where = importlib.util.spec_from_file_location(
        "generate", ROOT / "tools" / "bench" / "generate.py"
    )
    assert where is not None
    assert where.loader is not None
    module = importlib.util.module_from_spec(where)
    sys.modules[where.name] = module
    where.loader.exec_module(module)
    return module
