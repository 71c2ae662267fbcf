"""What of this machine matters to AWS: whether it has credentials, and where it comes from."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_FILES: Final = {
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
    "AWS_CONFIG_FILE": "~/.aws/config",
}
_MAKER: Final = Path("/sys/devices/virtual/dmi/id/sys_vendor")
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")
_FAR_AWAY: Final = "192.0.2.1"  # nobody's; no packet is sent to find the way there


def has_credentials() -> bool:
    """Whether any of the usual sources may have some; none of them is asked."""
    files = (Path(os.environ.get(name) or usual).expanduser() for name, usual in _FILES.items())
    named = any(os.environ.get(name) for name in _VARIABLES)
    return named or any(file.is_file() for file in files) or _is_instance()


def own_address() -> str | None:
    """The address with which this machine comes to AWS; None where there is no way there."""
    named = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((urlsplit(named).hostname or _FAR_AWAY, 443))
        address: str = way.getsockname()[0]
        return address
    return None


def _is_instance() -> bool:
    """An instance asks its metadata for a role's credentials."""
    with suppress(OSError):
        return "Amazon EC2" in _MAKER.read_text(encoding="utf-8")
    return False
