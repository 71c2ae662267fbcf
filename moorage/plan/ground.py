"""What all specs of a project stand on: catalogue, schema, policy and the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from moorage.plan.catalogue import catalog as catalogue
from moorage.plan.catalogue.offers import Catalog
from moorage.plan.fleet import FLEET_RULES
from moorage.plan.project import catalog_folder
from moorage.plan.rules import RULES
from moorage.spec import policy_parse, policy_schema
from moorage.spec.policy import Policy
from moorage.spec.problems import Problem


class Ground(NamedTuple):
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


def _policy(root: Path, catalog: Catalog) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy; one that nobody can read is a problem, and no spec passes beside it."""
    if policy_parse.find(root) is None:
        return Policy(), ()
    parsed = policy_parse.load(root, schema=policy_schema.build(catalog.kinds))
    unknown = policy_parse.unknown_rules(parsed, (*RULES, *FLEET_RULES))
    unknown += policy_parse.unknown_gpus(parsed, catalog.gpus)
    return parsed.policy or Policy(), (*parsed.problems, *unknown)
