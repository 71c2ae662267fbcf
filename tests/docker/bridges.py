"""Network bridges, made and removed as the kernel's own interface has it."""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

# Numbers of linux/sockios.h and linux/if.h.
_ADD_BRIDGE: Final = 0x89A0
_REMOVE_BRIDGE: Final = 0x89A1
_SET_ADDRESS: Final = 0x8916
_SET_NETMASK: Final = 0x891C
_SET_FLAGS: Final = 0x8914
_IS_UP: Final = 0x1


def make(name: str, address: str) -> None:
    """A bridge that is up, with an address in a network of 256."""
    with _asking() as asked:
        fcntl.ioctl(asked, _ADD_BRIDGE, _named(name))
        fcntl.ioctl(asked, _SET_ADDRESS, _named(name) + _addressed(address))
        fcntl.ioctl(asked, _SET_NETMASK, _named(name) + _addressed("255.255.255.0"))
        fcntl.ioctl(asked, _SET_FLAGS, struct.pack("16sh14x", name.encode(), _IS_UP))


def remove(name: str) -> None:
    """Take a bridge away; it must be down for that."""
    with _asking() as asked, suppress(OSError):
        fcntl.ioctl(asked, _SET_FLAGS, struct.pack("16sh14x", name.encode(), 0))
        fcntl.ioctl(asked, _REMOVE_BRIDGE, _named(name))


def there() -> list[str]:
    """The names of all bridges."""
    return [found.parent.name for found in Path("/sys/class/net").glob("*/bridge")]


def _asking() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _named(name: str) -> bytes:
    return struct.pack("16s", name.encode())


def _addressed(address: str) -> bytes:
    return struct.pack("hh4s8x", socket.AF_INET, 0, socket.inet_aton(address))
