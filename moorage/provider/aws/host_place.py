"""Which host a resource is about, whose it has to be, and what there is of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.aws import host_tags
from moorage.provider.aws.cloud import Cloud, Record, filters
from moorage.provider.handler import Context, State

LIVE: Final = ("pending", "running", "stopping", "stopped")
_NOT_THERE: Final = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_BY_HAND: Final = re.compile(r"i-[0-9a-f]{8,17}")
_ID: Final = re.compile(r"([a-z0-9-]+)/([a-z0-9-]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What there is of a host; what is somebody else's lies apart."""

    instances: tuple[Record, ...] = ()  # that are not gone, the oldest first
    ended: tuple[Record, ...] = ()
    groups: tuple[Record, ...] = ()
    template: Record | None = None
    foreign: tuple[Record, ...] = ()

    @property
    def instance(self) -> Record | None:
        """The one that counts; more of them are the leftovers of a run that died."""
        return self.instances[0] if self.instances else None

    @property
    def any(self) -> Record | None:
        """Whatever there is, to read tags of."""
        return self.instance or self.template or next(iter(self.groups), None)

    def led_by(self, instance_id: object) -> Parts:
        """With what state knows first, for it serves, however late it was started again."""
        known = [one for one in self.instances if one["InstanceId"] == instance_id]
        others = [one for one in self.instances if one not in known]
        return replace(self, instances=(*known, *others))


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A host by region and name, and the owners that it may be tagged with; none: whoever's."""

    cloud: Cloud
    name: str
    owners: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """As everybody calls it."""
        return f"{self.cloud.region}/{self.name}"

    @property
    def is_by_hand(self) -> bool:
        """Whether it is an instance that somebody else made, and is known by its own id."""
        return _BY_HAND.fullmatch(self.name) is not None

    def look(self) -> Parts:
        """All that there is."""
        if self.is_by_hand:
            return self._alone()
        found = self._instances(Filters=filters(tag__moorage_host=self.name))
        groups = self._groups()
        template = self._template()
        things = [*found, *groups, *([template] if template else [])]
        ours = [one for one in things if self.is_ours(one)]
        mine = [one for one in found if one in ours]
        return Parts(
            instances=tuple(one for one in mine if is_live(one)),
            ended=tuple(one for one in mine if not is_live(one)),
            groups=tuple(one for one in groups if one in ours),
            template=template if template in ours else None,
            foreign=tuple(one for one in things if one not in ours and is_live(one)),
        )

    def is_ours(self, thing: Record) -> bool:
        """Whether we may touch it."""
        owners = self.owners or (host_tags.of(thing).get(host_tags.OWNER, ""),)
        return host_tags.is_marked(thing) and host_tags.is_of(thing, self.name, owners)

    def refuse_foreign(self, parts: Parts) -> None:
        """Never take over what is somebody else's."""
        if parts.foreign:
            message = (
                f"{self.id} {host_tags.described(parts.foreign[0])} and is left as it is: choose"
                " another name, or import it where it belongs"
            )
            raise MoorageError(message)

    def _alone(self) -> Parts:
        found = self._instances(InstanceIds=[self.name])
        return Parts(instances=tuple(one for one in found if is_live(one)))

    def _instances(self, **which: Any) -> list[Record]:
        answer = self.cloud.ec2("describe_instances", fine=_NOT_THERE, **which)
        told = answer.get("Reservations", [])
        found: list[Record] = [one for each in told for one in each["Instances"]]
        return sorted(found, key=lambda one: (one["LaunchTime"], one["InstanceId"]))

    def _groups(self) -> list[Record]:
        answer = self.cloud.ec2("describe_security_groups", Filters=filters(group_name=self.name))
        return list(answer["SecurityGroups"])

    def _template(self) -> Record | None:
        wanted = filters(launch_template_name=self.name)
        answer = self.cloud.ec2("describe_launch_templates", Filters=wanted)
        found: list[Record] = answer["LaunchTemplates"]
        return found[0] if found else None


def is_live(thing: Record) -> bool:
    """Whether it is there, and not only still told of."""
    return "State" not in thing or thing["State"]["Name"] in LIVE


def declared(inputs: State, context: Context) -> Place:
    """The host that the inputs name."""
    cloud = Cloud(region=inputs["region"], context=context)
    return Place(cloud=cloud, name=inputs["name"], owners=(inputs["owner"],))


def known(id_: str, state: State, inputs: State, context: Context) -> Place:
    """The host of an id, with every owner that state knows of."""
    found = _ID.fullmatch(id_)
    if found is None:
        message = f"{id_} names no host; it is called <region>/<name>, or <region>/i-…"
        raise MoorageError(message)
    owners = (inputs.get("owner"), state.get("owner"))
    return Place(
        cloud=Cloud(region=found[1], context=context),
        name=found[2],
        owners=tuple(owner for owner in owners if owner),
    )
