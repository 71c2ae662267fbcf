"""Changes of files, counted as they happen: the moments in which a process writes."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

# From <sys/inotify.h>: modified, closed after writing, moved away, moved here, created, deleted.
_EVENTS: Final = 0x2 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200
_IS_FOLDER: Final = 0x40000000
_HEAD: Final = struct.Struct("iIII")
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_WAIT_S: Final = 0.2


class Watch:
    """Counts what happens to the files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = _LIBC.inotify_init1(os.O_NONBLOCK)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "the kernel gives no watch on files")
        self._folders: dict[int, Path] = {}
        self._add(folder)

    def count(self, goes_on: Callable[[], bool], until: int | None = None) -> int:
        """Count until that many have happened or nothing more is going on."""
        seen = 0
        while until is None or seen < until:
            ready, _, _ = select.select([self._descriptor], [], [], _WAIT_S)
            if ready:
                seen += self._read()
            elif not goes_on():
                break
        return seen

    def close(self) -> None:
        """Let go of the kernel's queue."""
        os.close(self._descriptor)

    def _add(self, folder: Path) -> None:
        number = _LIBC.inotify_add_watch(self._descriptor, os.fsencode(folder), _EVENTS)
        if number < 0:
            return  # it is gone already
        self._folders[number] = folder
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if path.is_dir():
                self._add(path)

    def _read(self) -> int:
        # One event at a time would be lost in the queue, so what comes together counts together.
        data, seen = os.read(self._descriptor, 4096), 0
        while data:
            number, mask, _, length = _HEAD.unpack_from(data)
            name = os.fsdecode(data[_HEAD.size : _HEAD.size + length].rstrip(b"\0"))
            data = data[_HEAD.size + length :]
            seen += 1
            if mask & _IS_FOLDER and mask & 0x100 and number in self._folders:
                self._add(self._folders[number] / name)
        return seen
