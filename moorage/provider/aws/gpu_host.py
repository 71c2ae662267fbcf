"""GpuHost: an EC2 instance with GPUs that serves a model, proven by a real request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from moorage.errors import Exit, MoorageError
from moorage.provider.aws import (
    host_change,
    host_end,
    host_launch,
    host_network,
    host_place,
    host_read,
    host_secrets,
    host_shape,
    host_state,
    host_tags,
    host_wait,
)
from moorage.provider.aws.cloud import Record
from moorage.provider.aws.faults import AwsError
from moorage.provider.aws.host_change import Change as Healing
from moorage.provider.aws.host_place import Parts, Place
from moorage.provider.aws.host_quotas import NoCapacity
from moorage.provider.aws.host_shape import SHAPE
from moorage.provider.aws.host_wait import Taken
from moorage.provider.handler import Change, Context, Created, Found, Handler, State
from moorage.provider.serving import loop

# About the deployment and not about the host: nothing has to be done when these change.
_HARMLESS: Final = frozenset({"readyTimeoutSeconds", "needed"})


def diff(changes: list[Change], old: State, new: State) -> list[Change]:
    """More subnets to choose from move nothing that runs; who may ask has no order."""
    kept, same = _has_all(old.get("subnets"), new.get("subnets")), _is_alike(old, new)
    told = [
        replace(one, replaces=False) if kept and _root(one.path) == "subnets" else one
        for one in changes
    ]
    harmless = _HARMLESS | ({"allowFrom"} if same else set())
    return [one for one in told if _root(one.path) not in harmless]


def _has_all(before: object, now: object) -> bool:
    return isinstance(before, list) and isinstance(now, list) and all(one in now for one in before)


def _is_alike(old: State, new: State) -> bool:
    before, now = old.get("allowFrom"), new.get("allowFrom")
    return _has_all(before, now) and _has_all(now, before)


def _root(path: str) -> str:
    return path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]


def create(inputs: State, context: Context) -> Created:
    """Adopt what is ours already, or make it; then wait until it serves."""
    place = host_place.declared(inputs, context)
    if place.is_by_hand:
        message = (
            f"{place.id} is an instance that was made by hand; import it, or name it otherwise"
        )
        raise MoorageError(message)
    parts = place.look()
    place.refuse_foreign(parts)
    if parts.instance is not None:
        _refuse_otherwise(place, inputs, parts.instance)
    return Created(id=place.id, state=_as_declared(place, inputs, parts, {}, context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Look at it; what differs from its inputs is told part by part."""
    place = host_place.known(id_, state, inputs, context)
    parts = place.look().led_by(state.get("instanceId"))
    if parts.any is None:
        return None
    if not inputs:
        return host_read.imported(place, parts, context)
    told = host_state.known(place, inputs, parts.instance, state)
    told["drift"] = host_read.drift(place, parts, inputs, context)
    return Found(state=told, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    """Make it as declared, from whatever it is now; nothing is written when it is so already."""
    place = host_place.known(id_, state, inputs, context)
    parts = place.look().led_by(state.get("instanceId"))
    place.refuse_foreign(parts)
    if parts.any is None:
        message = f"{id_} is gone; run up with --refresh to have it made again"
        raise MoorageError(message)
    return _as_declared(place, inputs, parts, state, context)


def delete(id_: str, state: State, context: Context) -> None:
    """End it, if it is ours; what is somebody else's by now is left alone."""
    place = host_place.known(id_, state, {}, context)
    parts = place.look()
    if parts.any is None and parts.foreign:
        context.warn(f"{id_} {host_tags.described(parts.foreign[0])} and is left as it is")
        return
    host_end.end(place, parts, state)


def locate(inputs: State, context: Context) -> str | None:
    """The id of what an interrupted create left behind, or a delete has not ended."""
    place = host_place.declared(inputs, context)
    return place.id if place.look().any is not None else None


# --- made, or made so


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """A host to be made as its inputs say; `before` is what state knew of it."""

    place: Place
    inputs: State = field(repr=False)
    before: State = field(repr=False)
    context: Context

    def told(self, instance: Record | None) -> State:
        """What state is to know of it."""
        return host_state.known(self.place, self.inputs, instance, self.before)

    def exists(self, instance: Record | None, *, has_secrets: bool = True) -> None:
        """From here on it is in state; secrets that are not written yet are left out."""
        told = self.told(instance)
        if not has_secrets:
            told.pop("secrets", None)
        self.context.exists(self.place.id, told)


def _as_declared(
    place: Place, inputs: State, parts: Parts, state: State, context: Context
) -> State:
    work = _Work(place=place, inputs=inputs, before=state, context=context)
    if parts.instance is None:
        return _launched(work, parts, {})
    try:
        return _healed(work, parts, parts.instance)
    except Taken as taken:
        if place.is_by_hand:
            raise
        return _launched(work, place.look(), _passed_over(work, parts.instance, taken))


def _launched(work: _Work, parts: Parts, tried: dict[str, str]) -> State:
    """A new instance. What can be refused is asked before anything is made."""
    if work.place.is_by_hand:
        message = f"{work.place.id} has ended, and only who made it can make it again"
        raise MoorageError(message)
    launch = host_launch.planned(work.place, work.inputs)
    template = _template(work, launch, parts)
    work.exists(None, has_secrets=False)
    network = launch.subnets[0].network
    group = host_network.group(work.place, work.inputs, parts, network)
    host_network.open_only(work.place.cloud, group, work.inputs)
    host_secrets.keep(work.place, work.inputs, work.before)
    try:
        while True:
            instance = host_launch.run(launch, template, group, tried)
            work.exists(instance)
            try:
                return _served(work, instance)
            except Taken as taken:
                tried |= _passed_over(work, instance, taken)
    except NoCapacity as error:
        return _without(work, None, error)


def _passed_over(work: _Work, instance: Record, taken: Taken) -> dict[str, str]:
    """The subnet whose instance was taken back, and why: no other is bought there in this run."""
    work.context.warn(f"{taken}; the next zone is asked")
    work.exists(None)
    return {str(instance["SubnetId"]): taken.code}


def _template(work: _Work, launch: host_launch.Launch, parts: Parts) -> host_launch.Template:
    """The first thing that exists; it may do so when no answer came."""
    try:
        return host_launch.template(launch, parts)
    except AwsError as error:
        if error.is_passing:
            work.exists(None, has_secrets=False)
        raise


def _without(work: _Work, instance: Record | None, error: NoCapacity) -> State:
    """Others may serve meanwhile; the next run tries again."""
    if work.inputs["needed"]:
        raise error
    work.context.warn(f"{work.place.id} is left out: {error}")
    return {**work.told(instance), "drift": str(error)}


def _healed(work: _Work, parts: Parts, instance: Record) -> State:
    """One that is there: changed where it differs, started where it rests without being asked."""
    if not work.before:
        work.exists(instance, has_secrets=False)
    sleeps = host_state.is_asleep(instance) and host_state.may_sleep(work.inputs, work.before)
    healing = Healing(
        place=work.place,
        parts=parts,
        instance=instance,
        inputs=work.inputs,
        before=work.before,
    )
    try:
        now = host_change.make(healing, may_sleep=sleeps)
        work.exists(now)
        return work.told(now) if sleeps else _served(work, now)
    except NoCapacity as error:
        return _without(work, instance, error)


def _served(work: _Work, instance: Record) -> State:
    """Proven by a request; what its engine tells is kept, and held to the plan."""
    ready = host_wait.until_ready(work.place, work.inputs, instance, work.context)
    url = str(host_state.base_url(ready.instance, work.inputs))
    told = {**work.told(ready.instance), "servedModel": ready.model}
    told |= loop.told(url, work.inputs, work.place.id, work.context)
    work.context.exists(work.place.id, told)
    loop.close(told, work.place.id, work.context)
    return told


def _refuse_otherwise(place: Place, inputs: State, instance: Record) -> None:
    """What only a replacement can change is never found changed: that would end what serves."""
    if host_tags.of(instance).get(host_tags.DIGEST) != host_tags.digest(inputs):
        message = (
            f"{place.id} is there already, made otherwise ({', '.join(host_tags.FIXED)}); give"
            " what replaces it another name"
        )
        raise MoorageError(message, exit_code=Exit.USAGE)


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    delete=delete,
    update=update,
    check=host_shape.check,
    diff=diff,
    preview=host_state.foreseen,
    locate=locate,
    needs=("boto3.session",),
)
