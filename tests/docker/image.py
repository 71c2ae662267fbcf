"""An image around the twin's engine, made of what this machine has: nothing is pulled.

Two layers: the interpreter with aiohttp, kept in a cache for the next run, and moorage on top.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.docker import rootfs
from tests.docker.engine import Engine

NAME: Final = "moorage-test/engine"
PORT: Final = 8000
_ENTRYPOINT: Final = ["-u", "-m", "moorage.twin.engine"]  # what `vllm serve` is in vLLM's image
_KEPT_S: Final = 24 * 3600.0
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def load(engine: Engine, tag: str = "1") -> str:
    """Have the engine know the image; its id."""
    name = f"{NAME}:{tag}"
    with tempfile.TemporaryFile() as archive:
        _write(archive, name)
        archive.seek(0)
        engine.client.images.load(archive)
    return str(engine.client.images.get(name).id)


def another(engine: Engine, tag: str) -> str:
    """An image of another id that behaves the same; the first must have been loaded."""
    text = f"FROM {NAME}:1\nLABEL edition={tag}\n".encode()
    built, _ = engine.client.images.build(fileobj=io.BytesIO(text), tag=f"{NAME}:{tag}")
    return str(built.id)


def _write(archive: Any, name: str) -> None:
    """The image as `docker load` takes it."""
    layers = {_digest(layer): layer for layer in (_base(), _moorage())}
    config = json.dumps(_config([*layers]), sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    files = [f"{digest}.tar" for digest in layers]
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": files}]
    with tarfile.open(fileobj=archive, mode="w") as image:
        for file, layer in zip(files, layers.values(), strict=True):
            image.add(layer, file)
        _add(image, config_name, config)
        _add(image, "manifest.json", json.dumps(manifest).encode())


def _add(image: tarfile.TarFile, name: str, text: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text)
    image.addfile(entry, io.BytesIO(text))


def _config(digests: list[str]) -> dict[str, Any]:
    machine = platform.machine()
    return {
        "architecture": _MACHINES.get(machine, machine),
        "os": "linux",
        "config": {
            "Entrypoint": [rootfs.INTERPRETER, *_ENTRYPOINT],
            "Env": [f"PYTHONPATH={rootfs.PACKAGES}", "HOME=/tmp"],
            "ExposedPorts": {f"{PORT}/tcp": {}},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }


def _base() -> Path:
    """The layer that stays the same for as long as Python and aiohttp do."""
    told = [sys.version, sys.base_prefix, *rootfs.versions(), _digest(Path(rootfs.__file__))]
    return _cached("base", "\n".join(told), rootfs.write_base)


def _moorage() -> Path:
    told = [f"{path} {path.stat().st_mtime_ns}" for path in rootfs.moorage_files()]
    return _cached("moorage", "\n".join(told), rootfs.write_moorage)


def _cached(what: str, told: str, write: Callable[[Path], None]) -> Path:
    """A layer by what it is made of; those that nobody has used for a day are removed."""
    folder = _cache() / what
    folder.mkdir(parents=True, exist_ok=True)
    layer = folder / f"{hashlib.sha256(told.encode()).hexdigest()[:24]}.tar"
    if layer.exists():
        layer.touch()
        return layer
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - _KEPT_S:
            old.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as half:
        write(Path(half.name))
    return Path(half.name).replace(layer)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "moorage-test-image"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
