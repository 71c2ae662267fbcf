"""A model service: its placements in failover order, its key, its app, and what it publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pulumi

from components import KINDS, published
from components.endpoint import Endpoint, Site
from moorage.plan.types import Placement, Plan, Weights
from moorage.resources import ApiKey, ModelFile, ModelFileOfflineText, Space


class ModelService(pulumi.ComponentResource):
    """One plan, built: `endpoints` stand in failover order, `api_key` opens the service."""

    def __init__(
        self, plan: Plan, *, site: Site, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("moorage:index:ModelService", plan.service, None, opts)
        self.plan = plan
        self.api_key = ApiKey(f"{plan.service}-key", opts=self._below()).value
        files = {
            weights: self._model_file(number, weights)
            for number, weights in enumerate(_distinct_weights(plan), start=1)
        }
        self.endpoints = [
            endpoint
            for placement in plan.placements
            for endpoint in self._endpoints(placement, site, files)
        ]
        self.app = self._app(site)
        self.published = published.build(plan, site=site, opts=self._below())
        self.register_outputs({"endpoints": [endpoint.url for endpoint in self.endpoints]})

    def _app(self, site: Site) -> Space | None:
        """The Space in front of the service, where the spec has one."""
        if self.plan.app is None:
            return None
        from components import app  # most services have none

        return app.build(
            self.plan,
            site=site,
            address=site.gateway,
            api_key=self.api_key,
            opts=self._below(),
        )

    def _below(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _model_file(self, number: int, weights: Weights) -> ModelFile:
        return ModelFile(
            f"{self.plan.service}-weights-{number}",
            path=str(weights.path) if weights.path else None,
            repo=weights.repo,
            revision=weights.revision,
            file=weights.file,
            sha256=weights.sha256,
            size_bytes=weights.size_bytes,
            offline=cast(
                "ModelFileOfflineText", weights.offline
            ),  # the spec's schema knows the words
            task=self.plan.task,
            opts=self._below(),
        )

    def _endpoints(
        self, placement: Placement, site: Site, files: Mapping[Weights, ModelFile]
    ) -> Sequence[Endpoint]:
        weights = files[placement.weights] if placement.weights and _is_here(placement) else None
        kind = KINDS[placement.kind]
        return kind.build(placement, plan=self.plan, site=site, weights=weights, opts=self._below())


def _distinct_weights(plan: Plan) -> list[Weights]:
    """The files that engines of this machine load; elsewhere the platform fetches them."""
    return list(dict.fromkeys(p.weights for p in plan.placements if p.weights and _is_here(p)))


def _is_here(placement: Placement) -> bool:
    return placement.kind == "local"
