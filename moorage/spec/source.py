"""The text of a file, or the problem why there is none: no file can hang, flood or crash us."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from moorage.spec.problems import Problem

LIMIT_BYTES = 1 << 20  # a spec is a page; nobody reviews a megabyte
UNREADABLE = "unreadable-file"
_PIECE_BYTES = 1 << 16  # a buffer of the limit's size would take longer to get than to fill
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the marks that such files begin with


def text(path: Path, *, file: str) -> str | Problem:
    """Read a UTF-8 text; `file` is the name that a problem shows."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  half the time of Path.stat
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            return _problem(file, UNREADABLE, f"this is {kind}", "give a YAML file")
        content = _read(path)
    except OSError as error:
        return _problem(file, UNREADABLE, _reason(error), "")
    except ValueError:  # a NUL in the name
        return _problem(file, UNREADABLE, "this is not the name of a file", "")
    return _decode(content, file)


def _read(path: Path) -> bytes:
    """As much as tells whether it is too much; what became a pipe meanwhile does not block."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = os.read(opened, _PIECE_BYTES)
        while len(content) <= LIMIT_BYTES and (more := os.read(opened, _PIECE_BYTES)):
            content += more
        return content
    finally:
        os.close(opened)


def _decode(content: bytes, file: str) -> str | Problem:
    if len(content) > LIMIT_BYTES:
        return too_large(file)
    if content.startswith(_UTF_16):
        return _problem(file, "not-text", "the file is UTF-16", "save the file as UTF-8")
    if b"\0" in content:
        return _problem(file, "not-text", "the file is binary, not YAML", "")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        return Problem(
            file=file,
            line=before.count(b"\n") + 1,
            column=len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1,
            rule="not-text",
            says=f"byte 0x{content[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8",
        )


def too_large(file: str) -> Problem:
    """The problem of a file that nobody would review."""
    says = f"the file is larger than {LIMIT_BYTES >> 20} MiB"
    return _problem(file, "too-large", says, "a spec describes one model service")


def _reason(error: OSError) -> str:
    known = {
        errno.ENOENT: "there is no such file",
        errno.EACCES: "no permission to read it",
        errno.ELOOP: "its symbolic links go round in a circle",
        errno.ENAMETOOLONG: "its name is too long",
    }
    return known.get(error.errno or 0, f"it cannot be read: {error.strerror or error}")


def _problem(file: str, rule: str, says: str, hint: str) -> Problem:
    return Problem(file=file, rule=rule, says=says, hint=hint)
