"""The gateway as the app of a Docker Space: its routes come from a secret of the Space."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VARIABLE = "MOORAGE_ROUTES"
PORT = 7860  # where a Space expects its app
REACHABLE = frozenset({80, 443, 8080})  # no other port goes out of a Space
USAGE = 2


def main() -> None:
    """Write the routes, then become the gateway."""
    try:
        text = routes(os.environ.get(VARIABLE, ""))
    except ValueError as error:
        print(f"{VARIABLE}: {error}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    path = Path(os.environ.get("HOME", "/tmp"), "routes.json")  # noqa: S108  only this app lives there
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "moorage.gateway", "--routes", str(path)]
    os.execv(command[0], command)  # noqa: S606  its own interpreter, no shell


def routes(text: str) -> str:
    """The routes as they hold here: listening to the Space, asking only what it can reach."""
    try:
        told: Any = json.loads(text)
        backends = [backend for service in told["services"] for backend in service["backends"]]
        unreachable = [backend["name"] for backend in backends if not _is_reachable(backend["url"])]
    except (ValueError, LookupError, TypeError):
        raise ValueError("set this secret to the gateway's routes, as JSON") from None
    if unreachable:
        message = f"{', '.join(unreachable)}: a Space reaches the ports 80, 443 and 8080 only"
        raise ValueError(message)
    port = int(os.environ.get("PORT", PORT))
    return json.dumps({**told, "listen": {"host": "0.0.0.0", "port": port}})


def _is_reachable(url: str) -> bool:
    parts = urlsplit(url)
    return (parts.port or {"http": 80, "https": 443}.get(parts.scheme)) in REACHABLE


if __name__ == "__main__":
    main()
