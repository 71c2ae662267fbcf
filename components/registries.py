"""Who this machine is for registries of images: Docker's own logins, which no state ever holds.

Pulumi's docker plugin looks them up itself when it starts, in Docker's configuration and by its
credential helpers, for the registries that it is told. A look-up that fails would end the run, so
it is told only those that somebody has logged in to here.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi_docker as docker

_USUAL: Final = "~/.docker"  # as text: then state is the same, whoever deploys next
_FILE: Final = "config.json"
_HUB: Final = "registry-1.docker.io"  # where the plugin looks for images that name no registry
_HUBS: Final = frozenset({_HUB, "docker.io", "index.docker.io", "registry.hub.docker.com"})


def logins(images: Iterable[str]) -> list[docker.ProviderRegistryAuthArgs]:
    """What the plugin is told of the registries of these images, without any password.

    Empty names keep it from those of its environment, which would stand in plain state.
    """
    file = f"{os.environ.get('DOCKER_CONFIG') or _USUAL}/{_FILE}"
    settings = _read(Path(file).expanduser())
    return [
        # Of a dict the SDK would not write `configFile`.
        docker.ProviderRegistryAuthArgs(address=one, username="", password="", config_file=file)
        for one in sorted({registry(image) for image in images})
        if _has_login(one, settings)
    ]


def registry(image: str) -> str:
    """Where an image is pulled from, as the plugin reads its name."""
    first, *rest = image.split("/")
    is_address = len(rest) > 1 or bool(rest and ({*first} & {*".:"} or first == "localhost"))
    return first if is_address else _HUB


def _has_login(address: str, settings: Mapping[str, Any]) -> bool:
    called = _HUBS if address in _HUBS else {address}
    helpers = _part(settings, "credHelpers")
    if not called & {_host(one) for one in (*_part(settings, "auths"), *helpers)}:
        return False
    helper = helpers.get(address) or settings.get("credsStore")
    return not helper or shutil.which(f"docker-credential-{helper}") is not None


def _part(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}


def _host(address: str) -> str:
    """Docker writes its own Hub's as a whole URL."""
    return address.rpartition("://")[2].partition("/")[0]


def _read(file: Path) -> Mapping[str, Any]:
    """Docker's configuration; none where it cannot be read, for then nobody is logged in."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, Mapping) else {}
