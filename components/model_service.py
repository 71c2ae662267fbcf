"""A model service: its placements in failover order, and the key that opens it."""

from __future__ import annotations

from typing import cast

import pulumi

from components import KINDS
from components.endpoint import Endpoint, Site
from moorage.plan.types import Placement, Plan, Weights
from moorage.resources import ApiKey, ModelFile, ModelFileOfflineText


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
            self._endpoint(placement, site, files[placement.weights] if placement.weights else None)
            for placement in plan.placements
        ]
        self.register_outputs({"endpoints": [endpoint.url for endpoint in self.endpoints]})

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

    def _endpoint(self, placement: Placement, site: Site, weights: ModelFile | None) -> Endpoint:
        kind = KINDS[placement.kind]
        return kind.build(placement, plan=self.plan, site=site, weights=weights, opts=self._below())


def _distinct_weights(plan: Plan) -> list[Weights]:
    return list(dict.fromkeys(p.weights for p in plan.placements if p.weights is not None))
