"""A session is one stack in hand: held against other runs, its folder written, the CLI found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from moorage.deploy.cli.command import CliFailed, Command, Interrupted
from moorage.deploy.failures import explain
from moorage.deploy.faults import NOTHING_DEPLOYED
from moorage.deploy.place import Place
from moorage.deploy.stored import snapshot
from moorage.errors import MoorageError


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """What every operation on a stack works with."""

    where: Place
    command: Command
    plugin: tuple[str, ...]
    say: Callable[[str], None]

    def cli(self, args: Sequence[str]) -> str:
        """What a command of the CLI prints; its failure is explained."""
        where = self.where
        with self._explained(" ".join(args[:2])):
            return self.command.run([*args], str(where.work), where.environ).stdout

    def of_stack(self, *args: str) -> str:
        """The same, of a command that takes `--stack`."""
        return self.cli([*args, "--stack", self.where.stack])

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        if self.where.state_file is not None:
            return self.where.has_state
        told = json.loads(self.cli(["stack", "ls", "--json"]))
        return any(one["name"].rsplit("/", 1)[-1] == self.where.stack for one in told)

    def create(self) -> None:
        """Have the backend know the stack, its secrets kept as the team says."""
        args = ["stack", "init", self.where.stack, "--no-select"]
        provider = self.where.settings.get("secretsprovider")
        self.cli([*args, "--secrets-provider", str(provider)] if provider else args)

    def require(self) -> None:
        """Refuse to go on where there is no such stack."""
        if not self.exists():
            raise nothing_deployed(self.where.stack)

    def deployment(self, *, show_secrets: bool = False) -> snapshot.Deployment:
        """What the state holds now; secrets are sealed unless asked for."""
        with self._explained("stack export"):
            return snapshot.deployment(self.where, self.command, show_secrets=show_secrets)

    @contextmanager
    def _explained(self, operation: str) -> Iterator[None]:
        try:
            yield
        except CliFailed as failed:
            if self.command.interrupted:
                raise Interrupted from None
            raise explain(self.where, failed, operation) from None

    def urns(self) -> list[str]:
        """The URNs of what the state holds now."""
        return snapshot.urns(self.deployment())


def nothing_deployed(stack: str) -> MoorageError:
    """The refusal of what needs a deployment, where there is none."""
    return MoorageError(NOTHING_DEPLOYED.format(stack=stack))
