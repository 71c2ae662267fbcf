"""The driver runs one stack's operations on Pulumi's engine, and tells of them in our own words."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any

from pulumi.automation import PulumiFn

from moorage.deploy import imports, names, place, plans, plugins, sdk
from moorage.deploy.advice import foreword
from moorage.deploy.beside import Beside
from moorage.deploy.cli import automation, pulumi_cli
from moorage.deploy.cli.command import CliFailed, Command, Interrupted, interruptible
from moorage.deploy.cli.hanging import Ending
from moorage.deploy.events import Began, Ended, Event, Note, Started
from moorage.deploy.failures import Program, explain
from moorage.deploy.locking import locks
from moorage.deploy.options import DEFAULT, Options, arguments
from moorage.deploy.place import Place
from moorage.deploy.record import UNCHANGED_STEPS, Record
from moorage.deploy.session import Session, nothing_deployed
from moorage.deploy.steps import Steps, told
from moorage.deploy.stored import checkpoint, recover, snapshot, stores
from moorage.deploy.urns import is_internal
from moorage.errors import GOES_ON, Exit, MoorageError

PLUGIN = (sys.executable, "-m", "moorage.provider")

_Call = Callable[[automation.Stack, dict[str, Any]], object]


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


_RUN_THE_PROGRAM = frozenset({"preview", "up"})
_RUN_WHAT_IS_DECLARED = frozenset({"preview", "up", "refresh", "import"})
# What each operation calls of the Automation API.
_CALLS: dict[str, _Call] = {
    "preview": lambda stack, kw: stack.preview(**kw),
    "up": lambda stack, kw: stack.up(**kw, show_secrets=False),
    "refresh": lambda stack, kw: stack.refresh(**kw, show_secrets=False),
    "preview of a refresh": lambda stack, kw: stack.refresh(
        **kw, show_secrets=False, preview_only=True
    ),
    "destroy": lambda stack, kw: stack.destroy(**kw, show_secrets=False),
}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack of one checkout, driven through Pulumi's Automation API."""

    root: Path
    name: str
    program: PulumiFn
    plugin: tuple[str, ...] = PLUGIN
    others: tuple[plugins.Plugin, ...] = ()  # plugins of other providers that the program needs
    meanwhile: Callable[[], None] = lambda: None  # what may be done while the CLI starts
    attached: Beside = field(default_factory=Beside)  # for a preview
    display: Callable[[Event], None] = lambda _event: None
    wait_s: float = 0.0  # so long at most an operation waits for another run on the stack

    def preview(self, options: Options = DEFAULT, *, save: Path | None = None) -> Result:
        """Show what an up would change, and keep it for an up to be bound to; changes nothing."""
        with self.opened("preview") as session:
            self._ensure(session)
            steps, options = Steps(), self._resolved("preview", session, options)
            result = self._judged("preview", session, options, steps)
            if save is not None:
                plans.write(save, plans.draw(session, options, steps))
            return result

    def up(self, options: Options = DEFAULT, *, plan: Path | None = None) -> Result:
        """Make the stack what the program says; with a plan, only if that is what was reviewed."""
        reviewed = plans.read(plan) if plan is not None else None
        with self.opened("up") as session:
            self._ensure(session)
            if plan is not None and reviewed is not None:
                options = self._bound(session, options, plan, reviewed)
            else:
                options = self._resolved("up", session, options)
            if options.expect_no_changes:
                return self._judged("up", session, options, Steps())
            return self._run("up", session, options)

    def refresh(self, options: Options = DEFAULT) -> Result:
        """Compare the state with what really runs, and take over what differs."""
        with self.opened("refresh") as session:
            session.require()
            plugins.fetch_missing(session, (), session.deployment())
            options = self._resolved("refresh", session, options)
            if options.expect_no_changes:
                return self._judged("refresh", session, options, Steps())
            return self._run("refresh", session, options)

    def destroy(self, options: Options = DEFAULT) -> Result:
        """Delete every resource, then the stack itself and what only its runs needed."""
        with self.opened("destroy") as session:
            try:
                if session.exists():
                    return self._destroyed(session, options)
            except MoorageError as error:
                # The last command of a run that was killed may outlive it, and end the stack now.
                if str(error) != str(nothing_deployed(self.name)):
                    raise
            self._note(f"nothing is deployed as stack {self.name}")
            self._tidy(session)
            return Result(operation="destroy", stack=self.name, changes={}, duration_s=0.0)

    def _destroyed(self, session: Session, options: Options) -> Result:
        standing = session.deployment()
        if not options.is_partial:
            recover.refuse_protected(standing, self.name)
        plugins.fetch_missing(session, (), standing)
        result = self._run("destroy", session, self._resolved("destroy", session, options))
        if not options.is_partial:
            recover.refuse_owed(session.where, session.command)
            session.of_stack("stack", "rm", "--yes", "--remove-backups")
            self._tidy(session)
        return result

    def adopt(self, batch: imports.Batch, types: Sequence[str] = ()) -> Result:
        """Take over what exists, by its id alone, and tell what the next up would make of it."""
        with self.opened("import") as session:
            batch = imports.planned(batch, self._ensure(session), types)
            for line in batch.known:
                self._note(line)
            if not batch.wanted:
                return Result(operation="import", stack=self.name, changes={}, duration_s=0.0)
            with imports.written(batch, session.where.work) as file:

                def take(stack: automation.Stack, kw: dict[str, Any]) -> None:
                    stack.adopt(file, kw["on_event"], parallel=kw["parallel"])

                result = self._run("import", session, DEFAULT, call=take)
            self._outlook(session, batch)
            # The engine counts the stack itself too, where it is new.
            return replace(result, changes={"import": result.changes.get("import", 0)})

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets read `[secret]` unless asked for."""
        session = self.at_hand()
        args = ["stack", "output", "--json", *(["--show-secrets"] if show_secrets else [])]
        outputs: dict[str, Any] = json.loads(session.of_stack(*args))
        if not outputs and any(not is_internal(urn) for urn in session.urns()):
            message = f"stack {self.name} has no outputs; run `moorage up --stack {self.name}`"
            raise MoorageError(message)
        if not outputs:
            raise nothing_deployed(self.name)
        return outputs

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Keep other runs off the stack for longer than one operation."""
        where = place.locate(self.root, self.name, may_be_undeclared=True)
        with locks.held(where, command, wait_s=self.wait_s, say=self._note):
            yield

    def cancel(self, dead_owner: str | None = None) -> None:
        """Free the stack of the locks of runs that died; a run that lives is refused.

        `dead_owner` (HOST:PID) is one that cannot be asked, and that a person declares dead.
        """
        where = place.locate(self.root, self.name, may_be_undeclared=True)
        with stores.refusals(where.home):
            locks.free(where, f"moorage cancel --stack {self.name}", dead_owner, say=self._note)
        if dead_owner is not None and not locks.are_known(where):
            place.prepare(where, self.plugin)
            self._in_hand(where).of_stack("cancel", "--yes")

    def at_hand(self) -> Session:
        """A session that only reads, so it waits for nobody and holds nobody up."""
        where = place.locate(self.root, self.name, may_be_undeclared=True)
        if where.state_file is not None and not where.has_state:
            raise nothing_deployed(self.name)
        with stores.refusals(where.home):
            place.prepare(where, self.plugin)
            checkpoint.settle(where, self._note)
        return self._in_hand(where)

    @contextmanager
    def opened(self, operation: str) -> Iterator[Session]:
        """Everything around an operation: locks, work folder, interrupts, what a dead run left."""
        undeclared = operation not in _RUN_WHAT_IS_DECLARED
        where = place.locate(self.root, self.name, may_be_undeclared=undeclared)
        command = f"moorage {operation} --stack {self.name}"
        hold = locks.held(where, command, wait_s=self.wait_s, say=self._note)
        with stores.refusals(where.home), hold:
            session = self._in_hand(where)
            place.prepare(where, self.plugin)
            locks.settle(where, self._note)
            checkpoint.settle(where, self._note, restore=operation == "state repair")
            with interruptible(session.command, self._note):
                try:
                    if operation != "preview":
                        ends = operation == "destroy"
                        recover.settle(where, session.command, self.plugin, self._note, ends=ends)
                    yield session
                except Interrupted:
                    raise self._interrupted(operation, session.command, []) from None
                except CliFailed as failed:
                    if session.command.interrupted:
                        raise self._interrupted(operation, session.command, []) from None
                    raise explain(where, failed, operation) from None

    def _resolved(self, operation: str, session: Session, options: Options) -> Options:
        """The options with names looked up in the state, and in the program if they are not there.

        Both are looked at only if there is a name.
        """
        if not options.names_resources:
            return options
        urns = session.urns()
        try:
            return names.resolve_options(options, urns)
        except MoorageError:
            if operation not in _RUN_THE_PROGRAM:
                raise
        steps = Steps()
        self._note("not deployed yet; asking the program")
        self._run("preview", session, DEFAULT, steps)
        return names.resolve_options(options, [*urns, *(urn for urn, _ in steps.found)])

    def _outlook(self, session: Session, batch: imports.Batch) -> None:
        """What the next up would do to what was imported; a program may not run yet at all."""
        steps = Steps()
        try:
            self._run("preview", session, DEFAULT, steps)
        except MoorageError as error:
            self._note(f"what the next up would make of it is not known: {error}")
            return
        for line in imports.outlook(batch, steps.found.values()):
            self._note(line)

    def _bound(
        self, session: Session, options: Options, path: Path, reviewed: plans.Plan
    ) -> Options:
        """Preview once more, under the lock, and refuse what was not reviewed."""
        plans.prove_place(session, path, reviewed)
        options, steps = reviewed.bound(options), Steps()
        self._judged("preview", session, options, steps)
        now = plans.draw(session, options, steps, salt=reviewed.salt)
        plans.compare(path, reviewed, now)
        return options

    def _judged(self, operation: str, session: Session, options: Options, steps: Steps) -> Result:
        """Only look; where nothing was expected to change, a change is a failure."""
        call = "preview of a refresh" if operation == "refresh" else "preview"
        result = self._run(call, session, options, steps)
        if options.expect_no_changes and steps.changes:
            raise _unexpected(operation, session, steps)
        return result

    def _run(
        self,
        operation: str,
        session: Session,
        options: Options,
        steps: Steps | None = None,
        call: _Call | None = None,
    ) -> Result:
        steps = Steps() if steps is None else steps
        steps.goes_on = options.continue_on_error and operation == "up"
        # Of what shall be made anew, secrets have to be known too.
        anew = bool(options.replace)
        before = session.deployment(show_secrets=anew) if steps.goes_on else None
        run = Record(self._watched(steps))
        program = Program(self.program, before, steps.has_made_room)
        call, takes = call or _CALLS[operation], operation.rsplit(" ", 1)[-1]
        operation = operation.split(" ", 1)[0]
        began_s = time.monotonic()
        self.display(Began(operation=operation, stack=self.name))
        fine = False
        try:
            sdk.quiet(run.display)
            stack = self._stack(session, options, takes, program)
            if takes in _RUN_THE_PROGRAM:
                Thread(target=self.meanwhile, daemon=True).start()
            with closing(Ending(end=session.command.cancel, run=run)) as ending:
                on_event = ending.on_event if steps.goes_on else run.on_event
                call(stack, {"on_event": on_event, **arguments(options, takes)})
            if run.broken is not None:
                raise run.broken
            fine = True
        except CliFailed as failed:
            if session.command.interrupted:
                raise self._interrupted(operation, session.command, run.left()) from None
            self._rescue(session, run)
            raise explain(
                session.where, failed, operation, run.errors, program, run.left(), steps
            ) from None
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

    def _watched(self, steps: Steps) -> Callable[[Event], None]:
        """The display, with the steps collected and what surprises explained beside it."""

        def show(event: Event) -> None:
            before = foreword(
                event, replaced=isinstance(event, Started) and steps.replaced(event.urn)
            )
            steps.watch(event)
            if before:
                self.display(Note(text=before))
            self.display(event)

        return show

    def _stack(
        self, session: Session, options: Options, takes: str, program: Program
    ) -> automation.Stack:
        runs = takes in _RUN_THE_PROGRAM
        goes_on = {GOES_ON: "1"} if runs and options.goes_on else {}
        attached = self.attached.settings if takes == "preview" else {}
        workspace = automation.Workspace(
            work_dir=str(session.where.work),
            program=program if runs else None,
            env_vars={**session.where.environ, **goes_on, **attached},
            pulumi_command=session.command,
        )
        return automation.Stack(self.name, workspace)

    def _in_hand(self, where: Place) -> Session:
        recipe = self.root / "tools" / "pulumi-cli"
        cli = pulumi_cli.obtain(self._note, python=lambda: Path(sys.executable), recipe=recipe)
        return Session(where=where, command=Command(cli), plugin=tuple(self.plugin), say=self._note)

    def _ensure(self, session: Session) -> snapshot.Deployment:
        """Create the stack where the backend does not know it, and have its plugins."""
        if not session.exists():
            session.create()
        standing = session.deployment()
        self.attached.expect(standing)
        plugins.fetch_missing(session, self.others, standing)
        return standing

    def _tidy(self, session: Session) -> None:
        recover.sweep(session.where, self.plugin, self._note)
        place.tidy(session.where)

    def _rescue(self, session: Session, run: Record) -> None:
        where, command = session.where, session.command
        try:
            recover.rescue(where, command, self.plugin, run.failed_creates, self._note)
        except (MoorageError, CliFailed, Interrupted) as error:
            # The failure itself is what a person has to know first.
            self._note(f"what the failed creates left behind is not in the state: {error}")

    def _note(self, text: str) -> None:
        self.display(Note(text=text))

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


def _unexpected(operation: str, session: Session, steps: Steps) -> MoorageError:
    return MoorageError(
        f"{operation} of stack {session.where.stack}: no change was expected, but "
        f"{told(steps.changes)}; nothing was done",
        exit_code=Exit.CHANGES,
    )
