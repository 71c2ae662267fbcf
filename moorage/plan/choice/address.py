"""How far away a URL's host is: this machine, one's own network, or anywhere."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

_OWN_SUFFIXES = (".local", ".lan", ".internal", ".home.arpa", ".test")


def reach(url: str) -> str:
    """`loopback`, `private` (an address that the internet does not route) or `public`."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return "public"
    if host == "localhost" or host.endswith(".localhost"):
        return "loopback"
    try:
        address = ip_address(host)
    except ValueError:
        own = "." not in host or host.endswith(_OWN_SUFFIXES)
        return "private" if own else "public"
    if address.is_loopback:
        return "loopback"
    return "private" if address.is_private and not address.is_unspecified else "public"
