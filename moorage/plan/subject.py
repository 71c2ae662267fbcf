"""What a rule judges: one spec with the places in its file, the facts, and what it may use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from moorage.plan.catalogue.offers import Catalog
from moorage.plan.choice.resolve import resolve
from moorage.plan.facts import Facts
from moorage.plan.world import Choice, World
from moorage.spec.parse import Parsed
from moorage.spec.policy import Policy
from moorage.spec.problems import Problem
from moorage.spec.types import Model, Spec


class Subject(Struct, frozen=True, kw_only=True, dict=True):
    """A spec whose shape is right; whether it may be built is for the rules to say."""

    world: World
    parsed: Parsed

    @property
    def spec(self) -> Spec:
        return self.world.spec

    @property
    def model(self) -> Model:
        return self.world.spec.model

    @property
    def facts(self) -> Facts:
        return self.world.facts

    @property
    def catalog(self) -> Catalog:
        return self.world.catalog

    @property
    def policy(self) -> Policy:
        return self.world.policy

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What becomes of every entry of `providers`."""
        return resolve(self.world)

    def problem(self, rule: str, says: str, hint: str, *way: str | int) -> Problem:
        """A problem at the place of a value."""
        at = self.parsed.at(*way)
        return Problem(
            file=self.parsed.file, line=at.line, column=at.column, rule=rule, says=says, hint=hint
        )

    def of(self, choice: Choice, rule: str, says: str, hint: str, *way: str | int) -> Problem:
        """A problem of one entry of `providers`."""
        return self.problem(rule, says, hint, "providers", choice.number, *way)

    @property
    def kinds(self) -> Iterator[str]:
        """What weights each placement needs: hub, gguf or none."""
        return (self.catalog.kinds[target.kind].weights for target in self.spec.providers)

    @cached_property
    def loads_weights(self) -> bool:
        """Whether any placement needs us to find the weights."""
        return any(weights != "none" for weights in self.kinds)

    @cached_property
    def needs_one_file(self) -> bool:
        """Whether a placement loads one GGUF file and nothing else."""
        return any(weights == "gguf" for weights in self.kinds)

    @cached_property
    def is_routed(self) -> bool:
        """Whether a placement is a route of the Hugging Face router."""
        return any(self.catalog.kinds[row.kind].routers for row in self.spec.providers)

    @cached_property
    def needs_hub(self) -> bool:
        """Whether anything is to be asked of the Hub: weights, or the router's providers."""
        return (self.loads_weights and not self.model.is_path) or self.is_routed
