"""What `moorage test` and `moorage up --test` share: the services of a stack, measured in turn."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moorage.cli.outputs import whole
from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from loadtests.profiles import Target
    from loadtests.verdict import Verdict

Outputs = Mapping[str, Any]
Say = Callable[[str], None]

# Which verdict decides when several do not pass: the one that says most about the service.
_WORST_FIRST: Final = (Exit.UNANSWERED, Exit.PROBLEMS, Exit.FAILOVER, Exit.PROVES_NOTHING)
_VOLATILE: Final = ("pid", "startedAt")  # a healed process is the same deployment


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One stack's services under test; `heal` brings back what a failover test broke."""

    outputs: Outputs  # with secrets
    heal: Callable[[], object]
    folder: Path  # of the reports
    say: Say = print

    def run(self, *profiles: str) -> Exit:
        """Measure every service by every profile that fits it; the worst verdict decides."""
        verdicts = list(self._verdicts(profiles))
        codes = {verdict.exit_code for verdict in verdicts}
        if not verdicts:
            self.say("no service of this stack can be tested so")
            return Exit.PROVES_NOTHING
        return next((code for code in _WORST_FIRST if code in codes), Exit.FINE)

    def _verdicts(self, profiles: Iterable[str]) -> Iterator[Verdict]:
        for service, profile in product(self.outputs["services"], profiles):
            obstacle = self._obstacle(service) if profile == "failover" else None
            if obstacle:
                self.say(f"{service}: no failover test: {obstacle}")
                continue
            yield self._measure(service, profile)

    def _measure(self, service: str, profile: str) -> Verdict:
        from loadtests.report import to_text
        from loadtests.run import run

        self.say(f"{service}: {profile}")
        breaks = profile == "failover"
        verdict = run(
            profile,
            self._target(service),
            report_dir=self.folder / service / profile,
            fault=partial(self._break, service) if breaks else None,
            restore=self.heal if breaks else None,
            progress=lambda line: self.say(f"  {line}"),
        )
        self.say(to_text(verdict))
        return verdict

    def _obstacle(self, service: str) -> str | None:
        backends = self._details(service)["backends"]
        if len(backends) < 2:
            return "it has one backend only; add a second entry to `providers`"
        if "directory" not in backends[0]:
            return f"{backends[0]['name']} is somebody else's server, which is not ours to kill"
        return None

    def _break(self, service: str) -> None:
        """Kill the first backend's process, found by its marks: never a stranger's."""
        from moorage.provider.handlers import machine

        backend = self._details(service)["backends"][0]
        leader = machine.leader(backend["directory"])
        if leader is None:
            message = f"{service}: {backend['name']} does not run; `moorage up` heals it"
            raise MoorageError(message, exit_code=Exit.UNANSWERED)
        os.kill(leader.pid, signal.SIGKILL)

    def _target(self, service: str) -> Target:
        from loadtests.profiles import Target
        from moorage.spec.types import Failover, Load, Slo

        front = whole(service, self.outputs["services"][service])
        details = self._details(service)
        return Target(
            service=service,
            url=front["url"],
            api_key=front["api_key"],
            model=front["model"],
            task=details["task"],
            slo=Slo(**details["slo"]),
            failover=Failover(**details["failover"]),
            load=Load(**details["load"]),
            primary=details["backends"][0]["name"],
        )

    def _details(self, service: str) -> Any:
        return self.outputs["details"][service]


def fingerprint(outputs: Outputs) -> str:
    """What was deployed, in one word: the same again as long as only processes were healed."""
    text = json.dumps(_lasting(outputs), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if key not in _VOLATILE}
    return [_lasting(item) for item in value] if isinstance(value, list) else value
