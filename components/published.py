"""What a spec publishes: repositories of its own on the Hub, and the collections that hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import pulumi

from components import names
from components.endpoint import Site
from moorage.plan.types import Plan
from moorage.resources import (
    Collection,
    CollectionItemsArgs,
    ModelRepository,
    ModelRepositoryChangesByText,
    ModelRepositoryTypeText,
    ModelRepositoryVisibilityText,
)
from moorage.spec.types import Publication

_TIMEOUTS: Final = pulumi.CustomTimeouts(create="2h", update="2h", delete="20m")
_HASH_CHARACTERS: Final = 8


def build(plan: Plan, *, site: Site, opts: pulumi.ResourceOptions) -> list[ModelRepository]:
    """Declare the repositories in the spec's order, and each collection that they name."""
    timed = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=_TIMEOUTS))
    made = [_repository(row, plan, site, timed) for row in plan.publish]
    placed = list(zip(plan.publish, made, strict=True))
    wanted = {(row.collection, row.namespace) for row in plan.publish if row.collection}
    for title, namespace in sorted(wanted, key=str):
        held = [
            one for one in placed if (one[0].collection, one[0].namespace) == (title, namespace)
        ]
        _collection(title, held, plan, site, opts)
    return made


def lacks(plan: Plan) -> Iterator[str]:
    """Folders that are not there to be published: they may be judged without, not deployed."""
    for row in plan.publish:
        if row.folder is not None and not row.folder.is_dir():
            yield f"publish: {row.what}: {row.folder} is no folder; make it, or correct the path"


def told(made: ModelRepository) -> dict[str, object]:
    """What operators want to see: its page, and the pull request that waits for somebody."""
    return {"url": made.url, "pull_request": made.pull_request.apply(lambda url: url or None)}


def _repository(
    row: Publication, plan: Plan, site: Site, opts: pulumi.ResourceOptions
) -> ModelRepository:
    name = f"{plan.service}-{row.kind}-{row.name}"
    return ModelRepository(
        name,
        name=row.name,
        namespace=row.namespace,
        owner=site.owner(name),
        type=cast("ModelRepositoryTypeText", row.kind),  # the spec's schema knows the words
        visibility=cast("ModelRepositoryVisibilityText", row.visibility),
        license=row.license,
        card=dict(row.card) or None,
        folder=str(row.folder) if row.folder else None,
        resource_group=row.resource_group,
        changes_by=cast("ModelRepositoryChangesByText", row.changes_by),
        opts=opts,
    )


def _collection(
    title: str,
    held: Sequence[tuple[Publication, ModelRepository]],
    plan: Plan,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> Collection:
    """Public where everybody may see all that is in it."""
    namespace = held[0][0].namespace
    name = _collection_name(plan, title, namespace)
    is_public = all(row.visibility == "public" for row, _ in held)
    return Collection(
        name,
        title=title,
        namespace=namespace,
        owner=site.owner(name),
        visibility="public" if is_public else "private",
        items=[_item(row, made) for row, made in held],
        opts=opts,
    )


def _item(row: Publication, made: ModelRepository) -> CollectionItemsArgs:
    kind: Any = row.kind  # both are kinds of entries
    return {"type": kind, "id": made.account.apply(lambda account: f"{account}/{row.name}")}


def _collection_name(plan: Plan, title: str, namespace: str | None) -> str:
    """Readable where the title is, and another one for every other title or account."""
    digest = hashlib.sha256(f"{namespace or ''}/{title}".encode()).hexdigest()[:_HASH_CHARACTERS]
    return "-".join(filter(None, [plan.service, "collection", names.slug(title), digest]))
