"""Run the checks and tell, one line each, what holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from tests.contract import (
    checks_catalogue,
    checks_create,
    checks_engine,
    checks_files,
    checks_hub,
    checks_life,
    checks_process,
    checks_put,
    checks_router,
    checks_sleep,
    checks_space,
)
from tests.contract.behaviours import Behaviour, behaviours
from tests.contract.place import FallsShortError, Place, UnansweredError
from tests.contract.register import CHECKS, Check, twin

HOLDS, SHORT, UNCHECKED = "holds", "FALLS SHORT", "not checked"
MODULES: Final = (
    checks_create,
    checks_catalogue,
    checks_life,
    checks_put,
    checks_sleep,
    checks_space,
    checks_engine,
    checks_process,
    checks_files,
    checks_router,
    checks_hub,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What came of the check of one behaviour."""

    behaviour: Behaviour
    verdict: str
    says: str = ""


def on_the_twin(chosen: Iterable[Behaviour]) -> Iterator[Finding]:
    """Each on a twin of its own."""
    for behaviour in chosen:
        check = CHECKS[behaviour.id]
        with twin(check.scenario) as place:
            yield judged(behaviour, check, place)


def judged(behaviour: Behaviour, check: Check, place: Place) -> Finding:
    """The verdict on one behaviour."""
    try:
        check.run(place)
    except FallsShortError as short:
        return Finding(behaviour=behaviour, verdict=SHORT, says=str(short))
    except UnansweredError as missing:
        return Finding(behaviour=behaviour, verdict=UNCHECKED, says=str(missing))
    except (KeyError, IndexError, TypeError, StopIteration) as error:
        says = f"an answer has another shape: {type(error).__name__}: {error}"
        return Finding(behaviour=behaviour, verdict=SHORT, says=says)
    except httpx.HTTPError as error:
        says = f"no answer: {type(error).__name__}: {error}"
        return Finding(behaviour=behaviour, verdict=SHORT, says=says)
    return Finding(behaviour=behaviour, verdict=HOLDS)


def chosen(words: str = "") -> tuple[Behaviour, ...]:
    """The behaviours whose id has these words."""
    return tuple(one for one in behaviours() if words in one.id)


def line(finding: Finding) -> str:
    """A row of the table."""
    behaviour = finding.behaviour
    says = f"  {finding.says}" if finding.says else ""
    verdict, confidence = finding.verdict, behaviour.confidence
    return f"{verdict:12} {confidence:11} {behaviour.id:40} {behaviour.what}{says}"


def total(findings: Sequence[Finding]) -> str:
    """The last line; what could not be checked here is not counted."""
    checked = [finding for finding in findings if finding.verdict != UNCHECKED]
    held = sum(finding.verdict == HOLDS for finding in checked)
    return f"contract: {len(checked)} behaviours, {held} hold"
