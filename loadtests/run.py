"""Run one profile against one service: generate the load, break and mend, judge, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtests.action import Action
from loadtests.follow import Follower
from loadtests.generator import Generator
from loadtests.profiles import PROFILES, Profile, Target, fitted
from loadtests.ready import wait_ready
from loadtests.report import write
from loadtests.rows import Health, Marks, Row
from loadtests.verdict import Verdict, judge
from moorage.errors import Exit, MoorageError

Deed = Callable[[], object]


def run(
    profile: Profile | str,
    target: Target,
    *,
    report_dir: Path,
    fault: Deed | None = None,
    restore: Deed | None = None,
    progress: Callable[[str], None] = print,
) -> Verdict:
    """Measure and judge; report.json, report.md and the rows lie in `report_dir` afterwards.

    `fault` and `restore` belong to a failover: each is called once, in a thread, while requests go
    on arriving. Once the fault was called the restore is called too, whatever happens, also on
    an interrupt.
    """
    chosen = _profile(profile)
    report_dir.mkdir(parents=True, exist_ok=True)
    if chosen.name == "ready":
        verdict = wait_ready(chosen, target, progress)
    else:
        chosen = fitted(chosen, target.load)
        rows, health, marks = _measure(chosen, target, report_dir, fault, restore, progress)
        verdict = judge(rows, chosen, target.slo, target.failover, health, marks)
        verdict = replace(verdict, service=target.service)
    write(verdict, report_dir, _context(chosen, target))
    return verdict


def _profile(profile: Profile | str) -> Profile:
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES:
        message = f"there is no profile {profile!r}; there are {', '.join(PROFILES)}"
        raise MoorageError(message, exit_code=Exit.USAGE)
    return PROFILES[profile]


def _measure(
    profile: Profile,
    target: Target,
    folder: Path,
    fault: Deed | None,
    restore: Deed | None,
    progress: Callable[[str], None],
) -> tuple[list[Row], Health, Marks]:
    if not profile.has_fault:
        with Generator(profile, target, folder) as generator:
            follower = Follower(generator, profile, progress)
            follower.wait_started()
            follower.wait_end(profile.arrivals_limit_s)
            return generator.rows, generator.health, follower.marks()
    if fault is None or restore is None:
        raise MoorageError("a failover needs a fault and a restore", exit_code=Exit.USAGE)
    actions = Action("fault", fault), Action("restore", restore)
    return _measure_failover(profile, target, folder, actions, progress)


def _measure_failover(
    profile: Profile,
    target: Target,
    folder: Path,
    actions: tuple[Action, Action],
    progress: Callable[[str], None],
) -> tuple[list[Row], Health, Marks]:
    fault, restore = actions
    try:
        with Generator(profile, target, folder) as generator:
            follower = Follower(generator, profile, progress)
            follower.wait_started()
            _break_and_mend(profile, follower, fault, restore)
            generator.stop()
            follower.wait_end(0.0)
            marks = follower.marks(fault, restore)
            return generator.rows, generator.health, replace(marks, primary=target.primary)
    finally:
        if fault.began_s is not None and not restore.is_over:
            progress("restoring what the fault broke")
            fault.finish(profile.restore_limit_s)  # or it would break again what is mended
            restore.finish(profile.restore_limit_s)
            progress(restore.trouble or "restored")


def _break_and_mend(profile: Profile, follower: Follower, fault: Action, restore: Action) -> None:
    if not follower.wait("baseline", profile.baseline_s):
        return  # nobody measures any more: leave the service as it is
    follower.wait_action("fault", fault, profile.restore_limit_s)
    if fault.trouble is None:
        follower.wait("hold", profile.hold_s)
    follower.wait_action("restore", restore, profile.restore_limit_s)
    if fault.trouble is None and restore.trouble is None:
        follower.wait("recovery", profile.recovery_s)


def _context(profile: Profile, target: Target) -> dict[str, Any]:
    """What a reader needs to compare two reports; neither the prompts nor the key."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "url": target.url,
        "model": target.model,
        "task": target.task,
        "rps": target.load.rps,
        "input_tokens": target.load.input_tokens,
        "output_tokens": target.load.output_tokens,
        "seed": profile.seed,
        "arrivals": "one at a random point of each slot of 1/rps, open loop",
        "latency_from": "the intended start",
    }
