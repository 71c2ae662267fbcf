"""Faults: what Pulumi and the program print when something fails, boiled down to one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from moorage.errors import Exit

COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|<\{%.*?%\}>")
GRPC = re.compile(r"rpc error: code = \w+ desc = ")
WRAPPINGS = (
    re.compile(r"^(?:error: )+"),
    re.compile(r"^an unhandled error occurred: "),
    re.compile(r"^python inline source runtime error: "),
    re.compile(r"^\d+ errors? occurred:\s*\*?\s*"),
    re.compile(r"^(?:creat|updat|delet|refresh|read)ing urn:\S+: "),
    re.compile(r"^\S+ resource '[^']*' has a problem: "),
)
# A property that a provider refuses; its value may be long, and everybody has it before them.
REFUSED = re.compile(r"^\S+ resource '[^']*': property (\S+) value .* has a problem: ")
ECHOES = re.compile(
    r"^(?:update failed|preview failed|refresh failed|destroy failed|resource .* failed"
    r"|Resource monitor has terminated.*|update canceled|preview canceled|BAIL: .*"
    r"|code = Canceled.*|context canceled|error reading from server: EOF"
    r"|transport is closing|connection error: .*)$"
)
PLUGIN_DIED = re.compile(r"Detected that (\S.*?) exited prematurely")
TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
FOREIGN = ("/site-packages/", "/asyncio/", "/lib/python3", "<frozen")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that went wrong: the line for a person, and the traceback behind it, if any."""

    line: str
    traceback: str = ""


def clean(text: str) -> str:
    """The text without colour codes and outer white space."""
    return COLOURS.sub("", text).strip()


def distil(text: str) -> Fault | None:
    """What one error message says; None when it only echoes another or is an interrupt's noise."""
    text = clean(text)
    if "KeyboardInterrupt" in text:
        return None
    if TRACEBACK in text:
        return from_traceback(text)
    if PLUGIN_DIED.search(text):
        return Fault(
            line="the provider plugin died in the middle; run it again, it goes on from there"
        )
    line = one_line(text)
    return None if not line or ECHOES.match(line) else Fault(line=line)


def one_line(text: str) -> str:
    """The text on one line, without the wrappings that say nothing."""
    text = GRPC.sub("", " ".join(clean(text).split()))
    before = ""
    while before != text:
        before = text
        for wrapping in WRAPPINGS:
            text = wrapping.sub("", text)
        text = REFUSED.sub(r"\1: ", text)
    return text


def from_traceback(text: str) -> Fault:
    """A program's exception: its type, message, and the innermost line that is not a library's."""
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    frames = [(match["file"], match["line"]) for match in FRAME.finditer(text)]
    ours = [frame for frame in frames if not any(part in frame[0] for part in FOREIGN)]
    file, number = (ours or frames or [("the program", "?")])[-1]
    said = last.strip().removeprefix("moorage.errors.MoorageError: ")
    where = "" if said != last.strip() else f" ({file}:{number})"
    return Fault(line=f"{said}{where}", traceback=text)


def distinct(faults: Iterable[Fault]) -> list[Fault]:
    """The faults in order, each said once; a line that another one contains is an echo of it."""
    kept: list[Fault] = []
    for fault in faults:
        if any(fault.line in other.line for other in kept):
            continue
        kept = [other for other in kept if other.line not in fault.line]
        kept.append(fault)
    return kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A failure of the CLI that has a meaning of its own for us."""

    sign: re.Pattern[str]
    says: str
    exit_code: Exit


NOTHING_DEPLOYED = "nothing is deployed as stack {stack}; run `moorage up --stack {stack}`"
KNOWN = (
    Known(
        sign=re.compile("incorrect passphrase|passphrase must be set|unable to find.*passphrase"),
        says="the passphrase does not open stack {stack}: it is read from {passphrase}",
        exit_code=Exit.NEEDS_PERSON,
    ),
    Known(
        sign=re.compile("stack config: (?:bad value|cipher: message authentication failed)"),
        says="a `secure:` value in the settings of stack {stack} is not one that was sealed for "
        "it; set it anew with `pulumi config set --secret` on the same backend",
        exit_code=Exit.USAGE,
    ),
    Known(
        sign=re.compile("the stack is currently locked by|Another update is currently in progress"),
        says="stack {stack} is locked by another run ({detail}); wait for it to end, or once you "
        "know that it is dead, `moorage cancel --stack {stack} --dead-owner HOST:PID`",
        exit_code=Exit.NEEDS_PERSON,
    ),
    Known(
        sign=re.compile(
            "invalid access token|401.*[Uu]nauthorized|PULUMI_ACCESS_TOKEN must be set"
        ),
        says="the backend does not take the login ({detail}): run `pulumi login`, or renew "
        "PULUMI_ACCESS_TOKEN",
        exit_code=Exit.NEEDS_PERSON,
    ),
    Known(
        sign=re.compile("no stack named .* found"),
        says=NOTHING_DEPLOYED,
        exit_code=Exit.USAGE,
    ),
    Known(
        sign=re.compile("no space left on device"),
        says="the disk that keeps the state is full ({detail}); free some space, run it again",
        exit_code=Exit.NEEDS_PERSON,
    ),
    Known(
        sign=re.compile("permission denied|read-only file system"),
        says="the state cannot be written ({detail}); see the rights of the state's folder",
        exit_code=Exit.NEEDS_PERSON,
    ),
)


def recognise(stderr: str) -> tuple[Known, str] | None:
    """The known failure that a CLI's stderr tells of, with the line that tells it."""
    text = clean(stderr)
    for known in KNOWN:
        if known.sign.search(text):
            lines = [one_line(line) for line in text.splitlines()]
            telling = [line for line in lines if "created by" in line or known.sign.search(line)]
            return known, next((line for line in telling if "created by" in line), telling[0])
    return None
