"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from moorage.plan.subject import Subject
from moorage.spec.problems import Problem


class Rule(NamedTuple):
    """What is asked of every spec, in one line, and how grave a breach is."""

    says: str
    check: Callable[[Subject], Iterable[Problem]]
    severity: str = "error"  # a policy may change it
