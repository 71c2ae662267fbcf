"""The real models of tests/facts and the catalogue, as tests of the memory proof ask for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from moorage.plan.catalogue import catalog
from moorage.plan.catalogue.offers import Catalog, Engine
from moorage.plan.facts import Lock
from moorage.plan.fit.types import Question
from moorage.plan.locks import lock

ROOT = Path(__file__).parents[3]
FACTS = ROOT / "tests" / "facts"


@cache
def locks() -> dict[str, Lock]:
    """Every fixture by the id of its repository."""
    found = [lock.read(path.read_text(encoding="utf-8"), path.name) for path in paths()]
    assert all(isinstance(one, Lock) for one in found), found
    return {one.model.id: one for one in found if isinstance(one, Lock)}


def paths() -> list[Path]:
    return sorted(FACTS.glob("*.lock.json"))


@cache
def the_catalog() -> Catalog:
    return catalog.read(ROOT / "catalog")


def engine(name: str) -> Engine:
    return the_catalog().engines[name]


def ask(model: str, gpu: str | None, count: int = 1, **said: Any) -> Question:
    """A question about a real model as its own spec would ask it."""
    known = locks()[model]
    served = said.pop("engine", "vllm")
    versions = engine(served).versions
    return Question(
        **{
            "facts": known.model,
            "quantization": known.quantization,
            "engine": served,
            "version": versions[0] if versions else "",
            "gpu": the_catalog().gpus[gpu] if gpu else None,
            "count": count if gpu else 0,
            **said,
        }
    )
