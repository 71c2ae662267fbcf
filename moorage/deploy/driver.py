"""The driver runs one stack's operations on Pulumi's engine, and tells of them in our own words."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from moorage.deploy import locks, place, pulumi_cli, recover
from moorage.deploy.command import CliFailed, Command, Interrupted, interruptible
from moorage.deploy.events import Began, Ended, Event, Note
from moorage.deploy.failures import Program, explain
from moorage.deploy.place import Place
from moorage.deploy.record import UNCHANGED_STEPS, Record, quiet_sdk
from moorage.errors import Exit, MoorageError

PLUGIN = (sys.executable, "-m", "moorage.provider")
PARALLEL = 64  # waiting for a model to load costs nothing, so many may wait at once

_Call = Callable[[auto.Stack, dict[str, Any]], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one operation did."""

    operation: str
    stack: str
    changes: Mapping[str, int]  # resources per step, in Pulumi's words
    duration_s: float

    @property
    def changed(self) -> bool:
        """Whether anything differs from before (or would, for a preview)."""
        return any(n for step, n in self.changes.items() if step not in UNCHANGED_STEPS)


class _Stack(auto.Stack):
    """Without the three further CLI runs that an `up` of the Automation API ends with."""

    def outputs(self) -> auto.OutputMap:
        """Nothing: who wants the outputs asks for them."""
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:  # noqa: ARG002
        """Nothing worth a look into the history: the events told it all."""
        now = datetime.now().astimezone()
        return auto.UpdateSummary("update", now, "", {}, {}, "succeeded")


class _Workspace(auto.LocalWorkspace):
    """Selects nothing: every command names its stack, and the user's own selection is not ours."""

    def select_stack(self, stack_name: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack of one checkout, driven through Pulumi's Automation API."""

    root: Path
    name: str
    program: Callable[[], None]
    plugin: tuple[str, ...] = PLUGIN
    display: Callable[[Event], None] = lambda _event: None

    def preview(self) -> Result:
        """Show what an up would change; changes nothing."""
        return self._operate("preview", lambda stack, kw: stack.preview(**kw))

    def up(self) -> Result:
        """Make the stack what the program says."""
        return self._operate("up", lambda stack, kw: stack.up(**kw, show_secrets=False))

    def refresh(self) -> Result:
        """Compare the state with what really runs, and take over what differs."""
        return self._operate("refresh", lambda stack, kw: stack.refresh(**kw, show_secrets=False))

    def destroy(self) -> Result:
        """Delete every resource, then the stack itself and what only its runs needed."""
        with self._session("destroy") as (where, command):
            if not self._exists(where, command):
                self.display(Note(text=f"nothing is deployed as stack {self.name}"))
                self._tidy(where)
                return Result(operation="destroy", stack=self.name, changes={}, duration_s=0.0)
            result = self._run(
                "destroy", where, command, lambda stack, kw: stack.destroy(**kw, show_secrets=False)
            )
            self._forget(where, command)
            return result

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets read `[secret]` unless asked for."""
        where = place.locate(self.root, self.name, may_be_undeclared=True)
        if where.state_file is not None and not where.has_state:
            raise self._nothing_deployed()
        place.prepare(where, self.plugin)
        args = ["stack", "output", "--json", "--stack", self.name]
        command = self._command()
        told = self._plain(where, command, [*args, "--show-secrets"] if show_secrets else args)
        outputs: dict[str, Any] = json.loads(told)
        if not outputs:
            raise self._nothing_deployed()
        return outputs

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Keep other runs off the stack for longer than one operation."""
        with locks.held(place.locate(self.root, self.name, may_be_undeclared=True), command):
            yield

    def cancel(self) -> None:
        """Free the stack of the locks of runs that died; a run that lives is refused."""
        where = place.locate(self.root, self.name, may_be_undeclared=True)
        with locks.held(where, "moorage cancel"):
            locks.settle(where, self._note)

    def _operate(self, operation: str, call: _Call) -> Result:
        with self._session(operation) as (where, command):
            if not self._exists(where, command):
                if operation == "refresh":
                    raise self._nothing_deployed()
                self._create(where, command)
            return self._run(operation, where, command, call)

    @contextmanager
    def _session(self, operation: str) -> Iterator[tuple[Place, Command]]:
        """Everything around an operation: locks, work folder, interrupts, what a dead run left."""
        where = place.locate(self.root, self.name, may_be_undeclared=operation == "destroy")
        with locks.held(where, f"moorage {operation} --stack {self.name}"):
            command = self._command()
            place.prepare(where, self.plugin)
            locks.settle(where, self._note)
            with interruptible(command, self._note):
                try:
                    if operation != "preview":
                        recover.settle(where, command, self.plugin, self._note)
                    yield where, command
                except Interrupted:
                    raise self._interrupted(operation, command, []) from None
                except CliFailed as failed:
                    raise explain(where, failed, operation) from None

    def _run(self, operation: str, where: Place, command: Command, call: _Call) -> Result:
        run, program = Record(self.display), Program(self.program)
        began_s = time.monotonic()
        self.display(Began(operation=operation, stack=self.name))
        fine = False
        try:
            quiet_sdk()
            stack = _Stack.select(self.name, self._workspace(where, command, operation, program))
            call(stack, {"on_event": run.on_event, "parallel": PARALLEL, "color": "never"})
            if run.broken is not None:
                raise run.broken
            fine = True
        except CliFailed as failed:
            if command.interrupted:
                raise self._interrupted(operation, command, run.left()) from None
            self._rescue(where, command, run)
            raise explain(where, failed, operation, run.errors, program, run.left()) from None
        finally:
            took_s = time.monotonic() - began_s
            self.display(
                Ended(
                    operation=operation,
                    stack=self.name,
                    fine=fine,
                    changes=run.changes,
                    duration_s=took_s,
                )
            )
        return Result(operation=operation, stack=self.name, changes=run.changes, duration_s=took_s)

    def _workspace(
        self, where: Place, command: Command, operation: str, program: Program
    ) -> _Workspace:
        runs_program = operation in {"preview", "up"}
        return _Workspace(
            work_dir=str(where.work),
            program=program if runs_program else None,
            env_vars=where.environ,
            pulumi_command=command,
        )

    def _command(self) -> Command:
        recipe = self.root / "tools" / "pulumi-cli"
        return Command(
            pulumi_cli.obtain(self._note, python=lambda: Path(sys.executable), recipe=recipe)
        )

    def _plain(self, where: Place, command: Command, args: list[str]) -> str:
        try:
            return command.run(args, str(where.work), where.environ).stdout
        except CliFailed as failed:
            raise explain(where, failed, " ".join(args[:2])) from None

    def _exists(self, where: Place, command: Command) -> bool:
        if where.state_file is not None:
            return where.has_state
        told = command.run(["stack", "ls", "--json"], str(where.work), where.environ).stdout
        return any(one["name"].rsplit("/", 1)[-1] == self.name for one in json.loads(told))

    def _create(self, where: Place, command: Command) -> None:
        args = ["stack", "init", self.name, "--no-select"]
        provider = where.settings.get("secretsprovider")
        if provider:
            args += ["--secrets-provider", str(provider)]
        self._plain(where, command, args)

    def _forget(self, where: Place, command: Command) -> None:
        self._plain(where, command, ["stack", "rm", self.name, "--yes", "--remove-backups"])
        self._tidy(where)

    def _tidy(self, where: Place) -> None:
        recover.sweep(where, self.plugin, self._note)
        place.tidy(where)

    def _rescue(self, where: Place, command: Command, run: Record) -> None:
        try:
            recover.rescue(where, command, self.plugin, run.failed_creates, self._note)
        except (MoorageError, CliFailed, Interrupted) as error:
            # The failure itself is what a person has to know first.
            self._note(f"what the failed creates left behind is not in the state: {error}")

    def _note(self, text: str) -> None:
        self.display(Note(text=text))

    def _nothing_deployed(self) -> MoorageError:
        return MoorageError(
            f"nothing is deployed as stack {self.name}; run `moorage up --stack {self.name}`"
        )

    def _interrupted(self, operation: str, command: Command, left: list[str]) -> MoorageError:
        state = "what was done is kept, nothing is locked"
        if command.killed:
            unfinished = f" ({', '.join(left)})" if left else ""
            state = f"Pulumi was killed{unfinished}; the next run settles what was under way"
        return MoorageError(
            f"{operation} of stack {self.name} was interrupted; {state}; "
            "`moorage up` goes on from here, `moorage destroy` takes it all away",
            exit_code=Exit.INTERRUPTED,
        )
