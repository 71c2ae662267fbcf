"""From a document whose shape is right to a `Spec`: every value in its type, units resolved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moorage.spec import document, units
from moorage.spec.document import Node
from moorage.spec.types import (
    App,
    Budget,
    Evaluation,
    Failover,
    Load,
    Model,
    Pinned,
    Privacy,
    Publication,
    Serving,
    Slo,
    Spec,
    Target,
)

Section = Mapping[str, Any]

_MS_PER_DAY = 86_400_000


def spec(tree: Node, path: Path) -> Spec:
    """The spec that a document describes; only for one that fits the schema."""
    top = document.plain(tree)
    return Spec(
        name=top["name"],
        team=top["team"],
        owner=top.get("owner"),
        model=_model(top["model"]),
        providers=tuple(_target(entry) for entry in top["providers"]),
        privacy=_privacy(top.get("privacy", {})),
        budget=_budget(tree.get("budget"), top.get("budget", {})),
        serving=_serving(top.get("serving", {})),
        slo=_slo(top.get("slo", {})),
        failover=_failover(top.get("failover", {})),
        load=_load(top.get("load", {})),
        app=_app(top["app"]) if "app" in top else None,
        publish=tuple(_publication(row) for row in top.get("publish", ())),
        evaluations=tuple(_evaluation(row) for row in top.get("evaluations", ())),
        path=path,
    )


def _model(model: Section) -> Model:
    others = {
        "adapters": tuple(_pinned(row) for row in model.get("adapters", ())),
        "tokenizer": _pinned(model.get("tokenizer")),
        "chat_template": _pinned(model.get("chat_template")),
    }
    return Model(**{**model, **others, **_whole(model, "max_model_len")})


def _pinned(row: Section | None) -> Pinned | None:
    return None if row is None else Pinned(**row)


def _target(entry: Section) -> Target:
    options = {key: value for key, value in entry.items() if key not in ("kind", "differs")}
    return Target(kind=entry["kind"], options=options, differs=tuple(entry.get("differs", ())))


def _privacy(privacy: Section) -> Privacy:
    kept = privacy.get("retention")
    return Privacy(
        tier=privacy.get("tier", "internal"),
        regions=tuple(privacy.get("regions", ())),
        retention_days=None if kept is None else units.duration_ms(kept) / _MS_PER_DAY,
    )


def _budget(section: Node | None, budget: Section) -> Budget:
    """Money is taken as it is written, not as the float that YAML makes of it."""
    amounts = {
        key: units.money(node.text)
        for key in ("monthly_usd", "test_usd")
        if section is not None and (node := section.get(key)) is not None
    }
    return Budget(**{**budget, **amounts})


def _serving(serving: Section) -> Serving:
    counts = _whole(serving, "max_num_seqs", "max_num_batched_tokens", "tensor_parallel")
    return Serving(**{**serving, **counts})


def _slo(slo: Mapping[str, str]) -> Slo:
    return Slo(
        ttft_p95_ms=_ms(slo.get("ttft_p95")),
        tpot_p95_ms=_ms(slo.get("tpot_p95")),
        error_rate=units.share(slo["error_rate"]) if "error_rate" in slo else None,
    )


def _failover(failover: Section) -> Failover:
    recover = _ms(failover.get("time_to_recover"))
    lost = failover.get("lost_before_first_token")
    return Failover(
        time_to_recover_s=None if recover is None else recover / 1000,
        lost_before_first_token=None if lost is None else int(lost),
    )


def _load(load: Section) -> Load:
    usual = Load()
    return Load(
        rps=float(load.get("rps", usual.rps)),
        input_tokens=int(load.get("input_tokens", usual.input_tokens)),
        output_tokens=int(load.get("output_tokens", usual.output_tokens)),
        active=units.share(load["active"]) if "active" in load else usual.active,
    )


def _app(app: Section) -> App:
    return App(options={key: value for key, value in app.items() if key != "kind"})


def _publication(row: Section) -> Publication:
    return Publication(**{**row, **({"folder": Path(row["folder"])} if "folder" in row else {})})


def _evaluation(row: Section) -> Evaluation:
    return Evaluation(**{**row, "dataset": Pinned(**row["dataset"]), **_whole(row, "samples")})


def _whole(section: Section, *keys: str) -> dict[str, int]:
    """JSON Schema takes 4096.0 for a whole number; we write it as one."""
    return {key: int(section[key]) for key in keys if key in section}


def _ms(duration: str | None) -> float | None:
    return None if duration is None else units.duration_ms(duration)
