"""What was planned of a backend, for whoever later compares it with what runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from components import probes
from moorage.plan.locks import lock
from moorage.plan.types import Placement, Plan

if TYPE_CHECKING:
    from components.engines import Server

_STARTED: Final = ("docker-host", "ec2-gpu")  # whose engines are asked in their own words
_FLAGS = {
    "utilization": "gpu-memory-utilization",
    "max_model_len": "max-model-len",
    "max_num_seqs": "max-num-seqs",
    "max_num_batched_tokens": "max-num-batched-tokens",
}


def told(plan: Plan, backend: str, *, root: Path) -> dict[str, Any]:
    """Engine, version and cache of the placement that a backend is of; pure."""
    placement = _placement(plan, backend)
    fit = placement.fit
    found: dict[str, Any] = {"engine": placement.engine, "version": placement.version}
    if placement.kind in _STARTED:
        found["probe"] = probes.probe(plan.task, plan.model_id, engine=placement.engine)
    if "stop_when_idle_after" in placement.options and _may_rest(placement):
        found["may_sleep"] = True
    if fit is not None and fit.kv_tokens > 0:
        found |= {"kv_tokens": fit.kv_tokens, "measured_as": _measured_as(placement, plan, root)}
    return {name: value for name, value in found.items() if value is not None}


def kv(placement: Placement, server: Server) -> dict[str, Any] | None:
    """What the memory proof has promised, where the engine tells what it has."""
    if not server.metrics or placement.fit is None or not placement.fit.kv_tokens:
        return None
    return {"tokens": placement.fit.kv_tokens, "tolerance": placement.options.get("kv_tolerance")}


def _placement(plan: Plan, backend: str) -> Placement:
    """A placement of several replicas or ways names its backends after itself."""
    named = [one for one in plan.placements if f"{backend}-".startswith(f"{one.name}-")]
    return max(named, key=lambda one: len(one.name))


def _may_rest(placement: Placement) -> bool:
    return placement.machine is not None and placement.machine.replicas_min == 0


def _measured_as(placement: Placement, plan: Plan, root: Path) -> dict[str, Any] | None:
    """A row of catalog/measurements.yaml, as far as it is known before anything was measured."""
    fit, machine = placement.fit, placement.machine
    flags = {name: placement.flags.get(flag) for name, flag in _FLAGS.items()}
    if placement.engine != "vllm" or fit is None or machine is None or None in flags.values():
        return None
    return {
        "model": plan.model_id.lower().replace("/", "--"),
        "lock": os.path.relpath(lock.beside(plan.spec_path), root),
        "gpu": machine.gpu,
        "gpu_gib": fit.usable_gib,
        "count": machine.count,
        **flags,
        "planned_kv_gib": round(max(fit.kv_gib.low, 0.0), 4),
    }
