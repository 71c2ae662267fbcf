"""The one family of errors that may end a command, each with its exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# The variable by which whoever drives a run tells its providers that one failure is not its end.
GOES_ON: Final = "MOORAGE_GOES_ON"


class Exit(IntEnum):
    """Exit codes, the same for every command (docs: README, "Exit codes")."""

    FINE = 0
    PROBLEMS = 1  # problems in a spec, or a service level missed
    USAGE = 2  # wrong usage or an unreadable file
    UNANSWERED = 3  # a service that must answer did not
    FAILOVER = 4  # a failover criterion missed
    PROVES_NOTHING = 5  # the run is invalid or inconclusive
    NEEDS_PERSON = 6  # the stack is locked, or only a person can go on
    CHANGES = 7  # changes where none were expected; Pulumi's own number for it
    INTERRUPTED = 130


class MoorageError(Exception):
    """A foreseeable fault: one line that says what, where and what to do."""

    def __init__(self, message: str, *, exit_code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code
