"""Failures: from what a failed CLI, its events and the program left behind to one error of ours."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import traceback
from collections.abc import Callable, Sequence

import pulumi
from pulumi.automation import PulumiFn

from moorage.deploy import dependents, sdk
from moorage.deploy.advice import aftermath, meaning
from moorage.deploy.cli.command import CliFailed
from moorage.deploy.events import Said
from moorage.deploy.faults import Fault, distil, distinct, from_traceback, recognise
from moorage.deploy.place import Place
from moorage.deploy.steps import Steps
from moorage.deploy.stored import snapshot
from moorage.deploy.urns import is_internal, label
from moorage.errors import Exit, MoorageError


class Program:
    """The stack's program, which remembers how it failed.

    It may ask for the setting `moorage:standing`: the URNs of what stood `before`. What of this
    `is_gone` was taken away meanwhile.
    """

    def __init__(
        self,
        program: PulumiFn,
        before: snapshot.Deployment | None = None,
        is_gone: Callable[[str], bool] = lambda _urn: False,
    ) -> None:
        self._program, self._before, self._is_gone = program, before, is_gone
        self.fault: MoorageError | Fault | None = None

    async def __call__(self) -> None:
        """Run the program; the engine is told of a failure, and so are we."""
        if self._before is not None:
            standing = snapshot.standing(self._before)
            pulumi.runtime.set_config("moorage:standing", json.dumps(list(standing)))
            dependents.watch(standing, snapshot.superseded(self._before), self._is_gone)
        try:
            more = self._program()
            if more is not None:
                await more
        except MoorageError as error:
            self.fault = error
            raise
        except BaseException as error:
            self.fault = from_traceback("".join(traceback.format_exception(error)))
            raise
        await sdk.settled()


def explain(
    where: Place,
    failed: CliFailed,
    operation: str,
    said: Sequence[Said] = (),
    program: Program | None = None,
    left: Sequence[str] = (),
    steps: Steps | None = None,
) -> MoorageError:
    """The one error that a person gets: the program's own, a known one, or what the events said."""
    if program is not None and isinstance(program.fault, MoorageError):
        return program.fault
    if failed.result.code < 0:
        return _killed(where, failed, operation, left)
    known = recognise(failed.result.stderr)
    if known is not None:
        kind, detail = known
        line = kind.says.format(
            stack=where.stack, passphrase=where.passphrase_source, detail=detail
        )
        return MoorageError(line, exit_code=kind.exit_code)
    lines = _lines(where, operation, said, program, steps)
    if not lines:
        lines = [meaning(f.line) for f in distinct(_of_stderr(failed))] or [_unexplained(failed)]
    if steps is not None and steps.failed and steps.left_out and not _broke(program):
        why = "left out, as they depend on what failed" if steps.goes_on else "not begun"
        lines.append(f"{why}: {', '.join(steps.left_out)}")
    told = f" {lines[0]}" if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)
    message = where.of_team(f"{operation} of stack {where.stack} failed:{told}")
    return MoorageError(message, exit_code=Exit.PROBLEMS)


def _broke(program: Program | None) -> bool:
    return program is not None and program.fault is not None


def _lines(
    where: Place,
    operation: str,
    said: Sequence[Said],
    program: Program | None,
    steps: Steps | None,
) -> list[str]:
    failed = {step.urn: step for step in steps.failed} if steps is not None else {}
    found = []
    for one in said:
        fault = distil(one.text)
        if fault is not None and fault.traceback and program is not None:
            fault = program.fault if isinstance(program.fault, Fault) else fault
        if fault is not None:
            found.append((one.urn, fault))
    kept = distinct(fault for _, fault in found)
    lines = []
    for fault in kept:
        urn = next((urn for urn, other in found if other == fault), "")
        log = f" (traceback: {_keep_traceback(where, operation, fault)})" if fault.traceback else ""
        speaks = meaning(fault.line) == fault.line
        step = failed.get(urn)
        after = aftermath(step, steps) if speaks and step is not None and steps is not None else ""
        lines.append(f"{_about(urn, fault)}{log}{f'; {after}' if after else ''}")
    return lines


def _about(urn: str, fault: Fault) -> str:
    """What happened, and to whom, unless it says so itself."""
    means = meaning(fault.line)
    name = label(urn) if urn and not is_internal(urn) else ""
    return means if not name or means.startswith(name) else f"{name}: {means}"


def _of_stderr(failed: CliFailed) -> list[Fault]:
    text = failed.result.stderr or failed.result.stdout
    starts = re.split(r"(?m)^(?=error: )", text)
    return [fault for fault in map(distil, starts) if fault is not None]


def _unexplained(failed: CliFailed) -> str:
    return f"the Pulumi CLI ended with {failed.result.code} and said nothing of why"


def _killed(where: Place, failed: CliFailed, operation: str, left: Sequence[str]) -> MoorageError:
    name = signal.Signals(-failed.result.code).name
    unfinished = f" during the {', '.join(left)}" if left else ""
    return MoorageError(
        f"the Pulumi CLI was killed ({name}){unfinished}, so {operation} of stack {where.stack} "
        "did not finish: run it again, it settles what was under way and goes on",
        exit_code=Exit.PROBLEMS,
    )


def _keep_traceback(where: Place, operation: str, fault: Fault) -> str:
    folder = where.home / "log"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{operation}-{where.stack}-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(fault.traceback + "\n")
    return str(path.relative_to(where.root))
