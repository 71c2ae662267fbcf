"""A Vault for tests: it seals the one key that Pulumi keeps a stack's secrets with.

Pulumi makes a key of a passphrase by a million rounds of hashing, at every run of its CLI: half of
what a small deployment costs. Where neither passphrases nor the sealing are what is proven, the
key is kept by this instead; the secrets themselves are sealed by Pulumi in either case.
"""

from __future__ import annotations

import functools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PROVIDER: Final = "hashivault://moorage"
ADDRESS: Final = "VAULT_SERVER_URL"
_MARK: Final = "vault:v1:"


class _Transit(BaseHTTPRequestHandler):
    """Vault's engine `transit`, by its HTTP API."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        verb = self.path.split("/")[-2]
        told = json.dumps({"data": _sealed(asked) if verb == "encrypt" else _opened(asked)})
        self.send_response(200)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _sealed(asked: dict[str, str]) -> dict[str, str]:
    return {"ciphertext": _MARK + asked["plaintext"][::-1]}


def _opened(asked: dict[str, str]) -> dict[str, str]:
    return {"plaintext": asked["ciphertext"].removeprefix(_MARK)[::-1]}


@functools.cache
def environment() -> dict[str, str]:
    """What the CLI needs to find it; it runs as long as this process does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Transit)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    return {ADDRESS: url, "VAULT_SERVER_TOKEN": "token-of-nobody"}
