"""Which Docker engine an address means: of this machine, of another by ssh, or at a port."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

LOCAL: Final = "local"
_DEFAULT: Final = "unix:///var/run/docker.sock"
_KINDS: Final = ("ssh", "unix", "tcp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A host as it is written, and where its engine is."""

    written: str
    address: str

    @property
    def is_local(self) -> bool:
        """Whether the environment decides where it is."""
        return self.written == LOCAL

    @property
    def is_ssh(self) -> bool:
        """Whether it is reached through the system's ssh."""
        return self.address.startswith("ssh://")

    def __str__(self) -> str:
        return f"the local engine ({self.address})" if self.is_local else self.written


def fault(host: str) -> str | None:
    """What is wrong with an address; None for a good one."""
    if host == LOCAL:
        return None
    try:
        parts = urlsplit(host)
        _ = parts.port
    except ValueError:
        return "must be an address"
    if parts.scheme not in _KINDS:
        return "must be `local`, or begin with ssh://, unix:// or tcp://"
    if parts.password:
        return "must not have a password in it; ssh takes keys"
    where = parts.path if parts.scheme == "unix" else parts.hostname
    good = where and not where.startswith("-") and not (parts.username or "").startswith("-")
    return None if good else f"names no {'socket' if parts.scheme == 'unix' else 'host'}"


def of(written: str, environ: Mapping[str, str] = os.environ) -> Host:
    """The host; a local engine is where the environment says, as for Docker's own client."""
    address = environ.get("DOCKER_HOST") or _DEFAULT if written == LOCAL else written
    return Host(written=written, address=address)
