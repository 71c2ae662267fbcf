"""The Docker engine of one host: what it is asked, each with a deadline and each fault one line."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.provider.docker_host import faults, hosts, labels, ssh
from moorage.provider.docker_host.faults import Refusal
from moorage.provider.docker_host.hosts import Host
from moorage.provider.handler import Context

_CALL_S: Final = 60.0  # to start a container on a busy disk, its GPUs woken first
_STOP_S: Final = 10
_FIRST_API: Final = "1.44"  # only to ask which one is spoken
_LEAST_S: Final = 1.0
_BEHIND_SSH: Final = "unix:///ssh"  # what stands for the socket that ssh ends at
_MARK: Final = ".moorage-proven"
# What engines have said of themselves: a plugin lives for one run, and looks at many containers.
_SPEAKS: Final[dict[str, str]] = {}
_RUNNING: Final = frozenset({"running", "restarting", "paused"})  # it holds what it was given

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A container of the host, as far as it matters to others."""

    id: str
    name: str
    labels: Mapping[str, str]
    is_running: bool
    ports: frozenset[int]  # of the host; those it is to have, too, where it bears our labels
    device_ids: tuple[str, ...] = ()

    @property
    def owner(self) -> str | None:
        """Whose it is; None where no mark of ours says so."""
        return self.labels.get(labels.OWNER)

    def is_of(self, owner: str, service: str) -> bool:
        """Whether it is a container of this service of ours."""
        return self.owner == owner and self.labels.get(labels.SERVICE) == service


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """Its methods raise Unreachable and Refusal, and nothing else that is foreseeable."""

    host: Host
    client: Any = field(repr=False)
    line: ssh.Line | None = field(default=None, repr=False)

    def version(self) -> str:
        """Docker's own; to tell that it runs its parts, so it is asked only where it is shown."""
        told = self._asked("reaching it", lambda: self.client.version(api_version=False))
        return str(told["Version"])

    def containers(self) -> list[Container]:
        """All of the host; those with our labels are looked at closely."""
        listed = self._asked("listing containers", lambda: self.client.containers(all=True))
        return [one for summary in listed if (one := self._known(summary)) is not None]

    def inspect(self, id_: str) -> Record | None:
        """All about a container; None when it is not there."""
        try:
            found: Record = self._asked(
                f"looking at {id_[:12]}", lambda: self.client.inspect_container(id_)
            )
        except Refusal as refusal:
            if refusal.is_absence:
                return None
            raise
        return found

    def start(self, id_: str, what: str) -> None:
        """Start it; one that runs already is fine. `what` that is for, in words."""
        self._asked(what, lambda: self.client.start(id_))

    def unpause(self, id_: str, name: str) -> None:
        """Let it go on."""
        self._asked(f"unpausing {name}", lambda: self.client.unpause(id_))

    def stop(self, id_: str, name: str) -> None:
        """Stop one that serves nobody; Docker does not start it again by itself then."""
        self._asked(f"stopping {name}", lambda: self.client.stop(id_, timeout=_STOP_S))

    def throw_away(self, id_: str) -> None:
        """Remove a container that proved something; one that is gone is fine."""
        try:
            self._asked(
                f"removing {id_[:12]}",
                lambda: self.client.remove_container(id_, v=True, force=True),
            )
        except Refusal as refusal:
            if not refusal.is_absence and "already in progress" not in refusal.says:
                raise

    def create(self, what: str, settings: Record) -> str:
        """A container that is not started; its id."""
        made = self._asked(what, lambda: self.client.create_container_from_config(settings))
        return str(made["Id"])

    def log_tail(self, id_: str, lines: int) -> str:
        """The end of what it wrote."""
        raw = self._asked(
            f"reading the log of {id_[:12]}",
            lambda: self.client.logs(id_, stdout=True, stderr=True, tail=lines),
        )
        return bytes(raw).decode(errors="replace")

    def mark(self, id_: str) -> None:
        """Have a container remember that it has served: the mark goes when it goes."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.addfile(tarfile.TarInfo(_MARK))
        self._asked(
            f"marking {id_[:12]}", lambda: self.client.put_archive(id_, "/", packed.getvalue())
        )

    def is_marked(self, id_: str) -> bool:
        """Whether it has served."""
        try:
            stream, _ = self._asked(
                f"looking into {id_[:12]}", lambda: self.client.get_archive(id_, f"/{_MARK}")
            )
        except Refusal as refusal:
            if refusal.is_absence:
                return False
            raise
        stream.close()
        return True

    def networks(self, label: str) -> list[Record]:
        """Those with this label, as `name=value`."""
        found: list[Record] = self._asked(
            "listing networks", lambda: self.client.networks(filters={"label": [label]})
        )
        return found

    def remove_network(self, id_: str, name: str) -> None:
        """Remove one that nothing is in."""
        self._asked(f"removing {name}", lambda: self.client.remove_network(id_))

    def volumes(self, label: str) -> list[Record]:
        """Those with this label, as `name=value`."""
        told = self._asked(
            "listing volumes", lambda: self.client.volumes(filters={"label": [label]})
        )
        return list(told["Volumes"] or ())

    def remove_volume(self, name: str) -> None:
        """Remove one that no container has."""
        self._asked(f"removing {name}", lambda: self.client.remove_volume(name))

    def _known(self, summary: Record) -> Container | None:
        if not summary["Labels"] or labels.OWNER not in summary["Labels"]:
            return _of_summary(summary)
        found = self.inspect(summary["Id"])
        return None if found is None else of_record(found)

    def _asked(self, what: str, call: Callable[[], Any]) -> Any:
        return asked(self.host, what, call, self.line)


def asked(host: Host, what: str, call: Callable[[], Any], line: ssh.Line | None) -> Any:
    """The answer; what goes wrong is one line."""
    import docker.errors
    import requests

    try:
        return call()
    except docker.errors.APIError as error:
        raise faults.refused(host, what, error) from None
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise faults.unreachable(host, error, line.last_words() if line else "") from None


@contextmanager
def reached(written: str, context: Context) -> Iterator[Engine]:
    """The engine of a host, asked which API it speaks."""
    host = hosts.of(written)
    timeout_s = max(_LEAST_S, min(_CALL_S, context.remaining_s()))
    with ExitStack() as ends:
        line = ssh.Line(host.address) if host.is_ssh else None
        if line is not None:
            ends.callback(line.close)
        client = asked(host, "reaching it", lambda: _client(host, line, timeout_s), line)
        ends.callback(client.close)
        if line is not None or host.address not in _SPEAKS:
            with line.turn() if line is not None else nullcontext():
                # Asked by the SDK itself, it would be before a line of ours is laid.
                _SPEAKS[host.address] = asked(host, "reaching it", lambda: _spoken(client), line)
        client._version = _SPEAKS[host.address]  # noqa: SLF001
        yield Engine(host=host, client=client, line=line)


def _spoken(client: Any) -> str:
    """The newest API of the engine, as its answer to a ping says without any work."""
    import docker.errors

    answer = client.get(f"{client.base_url}/_ping", timeout=client.timeout)
    client._raise_for_status(answer)  # noqa: SLF001  in the SDK's own words
    api: str | None = answer.headers.get("Api-Version")
    if api is None:
        message = "what answers there is no Docker engine"
        raise docker.errors.DockerException(message)
    return api


def _client(host: Host, line: ssh.Line | None, timeout_s: float) -> Any:
    import docker
    from docker.utils import kwargs_from_env

    where = _BEHIND_SSH if line is not None else host.address
    settings = kwargs_from_env() if host.is_local and line is None else {}
    client = docker.APIClient(
        **{**settings, "base_url": where}, version=_FIRST_API, timeout=timeout_s
    )
    client.trust_env = False  # an engine is never behind the proxy of the environment
    if line is not None:
        client.mount("http+docker://", ssh.adapter(line, timeout_s))
    return client


def _of_summary(summary: Record) -> Container:
    return Container(
        id=summary["Id"],
        name=str(next(iter(summary["Names"] or ()), summary["Id"])).lstrip("/"),
        labels=summary["Labels"] or {},
        is_running=summary["State"] in _RUNNING,
        ports=frozenset(port["PublicPort"] for port in summary["Ports"] if "PublicPort" in port),
    )


def of_record(record: Record) -> Container:
    """A container as it was looked at closely."""
    settings = record["HostConfig"]
    bound = (one for bindings in (settings["PortBindings"] or {}).values() for one in bindings)
    return Container(
        id=record["Id"],
        name=record["Name"].lstrip("/"),
        labels=record["Config"]["Labels"] or {},
        is_running=record["State"]["Status"] in _RUNNING,
        ports=frozenset(int(one["HostPort"]) for one in bound if one["HostPort"]),
        device_ids=_device_ids(settings["DeviceRequests"] or ()),
    )


def _device_ids(requests: Sequence[Record]) -> tuple[str, ...]:
    return tuple(str(id_) for request in requests for id_ in request["DeviceIDs"] or ())
