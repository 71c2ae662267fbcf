"""The user data of an instance: what makes a fresh machine a service that runs one engine; pure.

Scripts and units are files of `templates/ec2`, the same for every engine; what differs stands in
one file of settings that they read. Secrets of a spec are no part of it: the machine fetches them.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from components.engines import Server
from moorage.errors import MoorageError

MOST_BYTES: Final = 16 * 1024  # EC2 takes no more
HOME: Final = "/var/lib/moorage"  # folders that outlive the container

_TEMPLATES: Final = Path(__file__).parent / "templates" / "ec2"
_SCRIPTS: Final = "/usr/local/lib/moorage"
_UNITS: Final = "/etc/systemd/system"
_JOURNAL: Final = "/etc/systemd/journald.conf.d/moorage.conf"
# What the container itself writes down is for `docker logs`; the journal keeps what is older.
_LOGS: Final = ("--log-driver", "json-file", "--log-opt", "max-size=50m", "--log-opt", "max-file=2")
_PATIENCE_S: Final = 30  # beyond the engine's own, until it is killed
_GPUS: Final = (
    *("--gpus", "all", "--ipc", "host"),
    *("--ulimit", "memlock=-1", "--ulimit", "stack=67108864"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """What a machine is told; nothing of it is secret."""

    region: str
    image: str
    server: Server
    has_gpus: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict)  # variable -> parameter of SSM
    is_spot: bool = False
    idle_s: int | None = None  # so long without a request, and the machine is stopped


def render(instance: Instance, *, key: str) -> str:
    """The cloud-config; `key` opens the engine, and only where the network lets one come to it."""
    text = "".join(_lines(instance, key))
    size = len(text.encode())
    if size > MOST_BYTES:
        message = (
            f"the user data of an instance is {size} bytes long, and EC2 takes {MOST_BYTES};"
            " say less in serving.args, serving.env or the chat template"
        )
        raise MoorageError(message)
    return text


def _lines(instance: Instance, key: str) -> Iterator[str]:
    services = list(_services(instance))
    yield "#cloud-config\nwrite_files:\n"
    yield _file("/etc/moorage/key", f"{instance.server.key_variable}={key}\n", mode="0600")
    yield _file("/etc/moorage/settings", _settings(instance))
    yield _file(_JOURNAL, _template("journal.conf"))
    for service in services:
        yield _file(f"{_SCRIPTS}/{service}", _template(service), mode="0755")
        yield _file(f"{_UNITS}/{_unit(service)}", _template(_unit(service)))
    yield "runcmd:\n- systemctl daemon-reload\n- systemctl restart systemd-journald\n"
    for service in services:
        yield f"- systemctl enable --now --no-block {_unit(service)}\n"


def _services(instance: Instance) -> Iterator[str]:
    """The scripts that the machine runs for as long as it is up."""
    yield "engine"
    if instance.is_spot:
        yield "spot"
    if instance.idle_s is not None:
        yield "idle"


def _unit(service: str) -> str:
    return f"moorage-{service}.service"


def _settings(instance: Instance) -> str:
    """Assignments, as the scripts read them."""
    server = instance.server
    secrets = [f"{variable}={parameter}" for variable, parameter in instance.secrets.items()]
    words = {
        "options": list(_options(instance)),
        "command": [*server.entrypoint[1:], *server.args],
        "secrets": sorted(secrets),
    }
    plain = {
        "region": instance.region,
        "image": instance.image,
        "port": str(server.port),
        "grace_s": str(server.shutdown_seconds + _PATIENCE_S),
        "idle_s": str(instance.idle_s or 0),
    }
    lines = [f"{name}={shlex.quote(text)}" for name, text in plain.items()]
    lines += [f"{name}=({shlex.join(each)})" for name, each in words.items()]
    return "\n".join(lines) + "\n"


def _options(instance: Instance) -> Iterator[str]:
    """How the container is run."""
    server = instance.server
    yield from ("--publish", f"{server.port}:{server.port}")
    yield from ("--security-opt", "no-new-privileges", *_LOGS)
    yield from _GPUS if instance.has_gpus else ()
    for folder, place in sorted(server.volumes.items()):
        yield from ("--volume", f"{HOME}/{folder}:{place}")
    for name, value in sorted(server.env.items()):
        yield from ("--env", f"{name}={value}")
    yield from ("--env", server.key_variable)
    if server.entrypoint:
        yield from ("--entrypoint", server.entrypoint[0])


def _file(path: str, text: str, *, mode: str = "0644") -> str:
    """One file of a cloud-config; every line of its text is indented, empty ones too."""
    head = f"- path: {path}\n  permissions: '{mode}'\n"
    if not all(one.isprintable() or one in "\n\t" for one in text):  # YAML may take it for a line
        return f"{head}  encoding: b64\n  content: {base64.b64encode(text.encode()).decode()}\n"
    body = text.removesuffix("\n").replace("\n", "\n    ")
    return f"{head}  content: |\n    {body}\n"


@cache
def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
