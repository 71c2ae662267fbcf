"""What all specs of a project stand on: catalogue, schema, policy and the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import moorage
from moorage.plan.catalogue import catalog as catalogue
from moorage.plan.catalogue.offers import Catalog
from moorage.plan.fleet import FLEET_RULES
from moorage.plan.rules import RULES
from moorage.spec import policy_parse, policy_schema
from moorage.spec.policy import Policy
from moorage.spec.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    root: Path
    catalog: Catalog
    schema: Mapping[str, Any]
    policy: Policy
    problems: tuple[Problem, ...] = ()  # of the policy
    today: date | None = None


def prepare(root: Path, *, today: date | None = None) -> Ground:
    """Read what is there once, however many specs follow."""
    catalog = catalogue.read(catalog_folder(root))
    policy, problems = _policy(root, catalog)
    return Ground(
        root=root,
        catalog=catalog,
        schema=catalogue.spec_schema(catalog),
        policy=policy,
        problems=problems,
        today=today,
    )


def find_root(start: Path) -> Path:
    """The project: the nearest folder upwards that holds Pulumi.yaml, or else `start`."""
    around = (start, *start.parents)
    return next((folder for folder in around if (folder / "Pulumi.yaml").is_file()), start)


def catalog_folder(root: Path) -> Path:
    """The project's catalogue, or the one that lies beside this package."""
    own = root / "catalog"
    return own if own.is_dir() else Path(moorage.__file__).parent.parent / "catalog"


def _policy(root: Path, catalog: Catalog) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy; one that nobody can read is a problem, and no spec passes beside it."""
    if policy_parse.find(root) is None:
        return Policy(), ()
    parsed = policy_parse.load(root, schema=policy_schema.build(catalog.kinds))
    unknown = policy_parse.unknown_rules(parsed, (*RULES, *FLEET_RULES))
    unknown += policy_parse.unknown_gpus(parsed, catalog.gpus)
    return parsed.policy or Policy(), (*parsed.problems, *unknown)
