"""What a rule judges: one spec with the places in its file, the facts, and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moorage.plan.facts import Facts
from moorage.plan.offers import Catalog
from moorage.spec.parse import Parsed
from moorage.spec.problems import Problem
from moorage.spec.types import Spec


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A spec whose shape is right; whether it may be built is for the rules to say."""

    spec: Spec
    parsed: Parsed
    facts: Facts
    catalog: Catalog
    names: Mapping[str, str] = field(default_factory=dict)  # service name -> file that has it first

    def problem(self, rule: str, says: str, hint: str, *way: str | int) -> Problem:
        """A problem at the place of a value."""
        at = self.parsed.at(*way)
        return Problem(
            file=self.parsed.file, line=at.line, column=at.column, rule=rule, says=says, hint=hint
        )

    @property
    def loads_weights(self) -> bool:
        """Whether any placement needs us to find the weights."""
        kinds = (self.catalog.kinds[target.kind] for target in self.spec.providers)
        return any(kind.weights != "none" for kind in kinds)

    @property
    def needs_hub(self) -> bool:
        """Whether the weights come from a repository of the Hub."""
        return self.loads_weights and not self.spec.model.is_path
