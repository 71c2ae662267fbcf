"""A private registry with one image, on loopback, where Docker needs no TLS: pulls want a login."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

USER: Final = "us"
PASSWORD: Final = "secret-of-the-registry"
_REPOSITORY: Final = "acme/engine"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where it is, and what it has."""

    address: str
    image: str  # by its digest
    refused: list[str] = field(default_factory=list)  # what was asked without the login


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry while the block runs."""
    blobs, manifest = _blobs()
    refused: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _door({**blobs, "1": manifest}, refused)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        try:
            name = f"{address}/{_REPOSITORY}@{_digest(manifest)}"
            yield Registry(address=address, image=name, refused=refused)
        finally:
            server.shutdown()
            thread.join()


def settings(address: str) -> dict[str, Any]:
    """What `docker login` writes down."""
    return {"auths": {address: {"auth": _encoded()}}}


def _encoded() -> str:
    return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def _blobs() -> tuple[dict[str, bytes], bytes]:
    """An image with one empty layer."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w"):
        pass
    layer = packed.getvalue()
    rootfs = {"type": "layers", "diff_ids": [_digest(layer)]}
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _described(_CONFIG, config),
            "layers": [_described(_LAYER, layer)],
        }
    ).encode()
    return {_digest(one): one for one in (layer, config, manifest)}, manifest


def _described(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _door(blobs: Mapping[str, bytes], refused: list[str]) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            if self.headers.get("Authorization") != f"Basic {_encoded()}":
                refused.append(self.path)
                self._answer(401, b"{}", **{"WWW-Authenticate": 'Basic realm="acme"'})
            elif self.path == "/v2/":
                self._answer(200, b"{}")
            elif name in blobs:
                kind = _MANIFEST if "/manifests/" in self.path else "application/octet-stream"
                blob = blobs[name]
                self._answer(
                    200, blob, **{"Content-Type": kind, "Docker-Content-Digest": _digest(blob)}
                )
            else:
                self._answer(404, b"{}")

        do_HEAD = do_GET  # noqa: N815  as http.server wants it

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Door
