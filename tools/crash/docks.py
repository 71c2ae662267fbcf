"""Labs whose cloud is a Docker engine: a door before it kills, at writes, who shall die.

An engine stays while one lab after another uses it. Each lab begins with what it was left with; as
Docker gives new ids to what is made again, its state is told of them.
"""

from __future__ import annotations

import io
import re
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import docker.errors
import yaml

from crash import doors
from crash.docker_programs import SECRETS
from crash.live import Live, LiveLab
from moorage.provider.docker_host import labels
from tests.docker import engine as engines
from tests.docker import image
from tests.docker.engine import Engine
from tests.docker_plugin import place

_PROVEN: Final = ".moorage-proven"
_GPUS: Final = 2
_REFUSED: Final = 400
_ID: Final = re.compile(r"[0-9a-f]{64}")
_DOCKER: Final = (
    "docker:index/container:Container",
    "docker:index/network:Network",
    "docker:index/volume:Volume",
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a lab was left with, and what was called until then."""

    networks: tuple[Any, ...] = ()  # as Docker tells of them
    volumes: tuple[Any, ...] = ()
    containers: tuple[tuple[Any, bool], ...] = ()  # and whether each has served
    calls: tuple[str, ...] = ()


@dataclass(kw_only=True)
class LiveDock(Live):
    """A Docker engine that is listened to, and counts the writes in which somebody may die."""

    engine: Engine
    host: str = ""  # its door
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def api(self) -> Any:
        """Docker, behind the door."""
        return self.engine.client.api

    def kept(self) -> Kept:
        """How it is now."""
        return Kept(
            networks=tuple(self.api.inspect_network(one["Id"]) for one in self._networks()),
            volumes=tuple(self._volumes()),
            containers=tuple((one, self.has_served(one["Id"])) for one in self.containers()),
            calls=tuple(self.calls),
        )

    def restore(self, kept: Kept) -> Mapping[str, str]:
        """Be as it was left, with no point passed; returns the ids that are others now."""
        for one in self.containers():
            with suppress(docker.errors.NotFound):
                self.api.remove_container(one["Id"], force=True, v=True)
        for one in self._networks():
            self.api.remove_network(one["Id"])
        for one in self._volumes():
            self.api.remove_volume(one["Name"])
        for one in kept.volumes:
            self.api.create_volume(one["Name"], labels=one["Labels"])
        renamed = {one["Id"]: self._network(one) for one in kept.networks}
        renamed |= {one["Id"]: self._container(one, served) for one, served in kept.containers}
        self.begin(kept.calls)
        return renamed

    def containers(self) -> list[Any]:
        """All that there are, as Docker tells of them."""
        return [self.api.inspect_container(one["Id"]) for one in self.api.containers(all=True)]

    def has_served(self, id_: str) -> bool:
        """Whether its engine was proven."""
        with suppress(docker.errors.NotFound):
            self.api.get_archive(id_, f"/{_PROVEN}")
            return True
        return False

    def ids(self) -> set[str]:
        """Of everything that is there."""
        things = [*self.containers(), *self._networks()]
        return {one["Id"] for one in things} | {one["Name"] for one in self._volumes()}

    def passed(self, method: str, path: str, status: int) -> bool:
        """Note a write that was done, and kill where that is due; whether the asker is dead."""
        if status >= _REFUSED and not path.endswith("/start"):  # a proof never starts
            return False
        with self._lock:
            self.calls.append(f"{'DELETE' if method == 'DELETE' else 'PUT'} {path}")
            return self.is_asker_dead(f"within {method} {path}")

    def _networks(self) -> list[Any]:
        return list(self.api.networks(filters={"label": [labels.OWNER]}))

    def _volumes(self) -> list[Any]:
        return list(self.api.volumes()["Volumes"] or ())

    def _network(self, one: Any) -> str:
        made = self.api.create_network(
            one["Name"], driver=one["Driver"], options=one["Options"], labels=one["Labels"]
        )
        return str(made["Id"])

    def _container(self, one: Any, served: bool) -> str:
        settings = {**one["Config"], "HostConfig": one["HostConfig"], "Hostname": ""}
        made = self.api.create_container_from_config(settings, one["Name"].lstrip("/"))["Id"]
        self.api.disconnect_container_from_network(made, "bridge")
        for name in one["NetworkSettings"]["Networks"]:
            self.api.connect_container_to_network(made, name)
        if one["State"]["Running"]:
            self.api.start(made)
        if served:
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.addfile(tarfile.TarInfo(_PROVEN))
            self.api.put_archive(made, "/", packed.getvalue())
        return str(made)


@dataclass(frozen=True, kw_only=True)
class DockLab(LiveLab):
    """A lab on an engine that is lent to it."""

    live: LiveDock
    kept: Kept = Kept()

    @classmethod
    def empty(cls, *, folder: Path, environ: dict[str, str], dock: LiveDock) -> Self:
        """One without containers."""
        dock.restore(Kept())
        return cls(folder=folder, environ=environ, live=dock)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is in the container's environment, and what opens its engine."""
        return SECRETS

    @property
    def changing(self) -> tuple[str, ...]:
        """What another slot, or a container that was made again, is told by."""
        slot = ("claim", "name", "port", "deviceIds", "generation")
        return (*slot, "container", "containerId", "url", "startedAt")

    def lay_out(self, project: Path | None = None) -> None:
        """With the docker plugin that there is."""
        super().lay_out(project)
        path = (project or self.project) / "Pulumi.yaml"
        manifest = {**yaml.safe_load(path.read_text()), "plugins": {"providers": place.providers()}}
        path.write_text(yaml.safe_dump(manifest))

    def things(self) -> dict[str, Any]:
        """Slot and proof by what became of their container; all else that is there by its id."""
        found: dict[str, Any] = {}
        for one in self.live.containers():
            marks = one["Config"]["Labels"]
            owner, service = marks.get(labels.OWNER), marks.get(labels.SERVICE)
            slot = f"{owner}/{service}@{self.live.host}"
            found.setdefault(slot, []).append(_told(one))
            if self.live.has_served(one["Id"]):
                found.setdefault(f"{owner}@{self.live.host}", []).append(one["State"]["Status"])
        resources = self.deployment().get("resources", [])
        known = {one["id"] for one in resources if one["type"] in _DOCKER}
        there = self.live.ids()
        found |= dict.fromkeys(there - known, "known to no state")
        return found | dict.fromkeys(known - there, "only in the state")

    def copied(self, folder: Path) -> Self:
        """The engine is lent to the copy, whose state is told of the ids that are others now."""
        renamed = self.live.restore(self.kept)
        lab = super().copied(folder)
        for path in lab.home.rglob("*.json*"):
            text = path.read_text()
            path.write_text(_ID.sub(lambda found: renamed.get(found[0], found[0]), text))
        return lab


def _told(one: Any) -> Any:
    """What is the same of two containers that are made alike."""
    marks = one["Config"]["Labels"]
    networks = sorted(one["NetworkSettings"]["Networks"])
    return one["State"]["Status"], marks.get(labels.DIGEST), networks, labels.PROOF in marks


@contextmanager
def live_dock() -> Iterator[LiveDock]:
    """An engine that is listened to while the block runs."""
    with engines.running(gpus=_GPUS) as engine:
        image.load(engine)
        dock = LiveDock(engine=engine)
        with doors.opened(str(engine.place.socket), dock.passed) as path:
            dock.host = f"unix://{path}"
            yield dock
