"""All scenarios by name."""

from __future__ import annotations

from tests.scenarios.basics import BASICS
from tests.scenarios.editions import EDITIONS
from tests.scenarios.failures import FAILURES
from tests.scenarios.imports import IMPORTS
from tests.scenarios.keeping import KEEPING
from tests.scenarios.parts import PARTS
from tests.scenarios.refreshes import REFRESHES
from tests.scenarios.replaces import REPLACES
from tests.scenarios.secrets import SECRETS
from tests.scenarios.unknowns import UNKNOWNS
from tests.scenarios.waiting import WAITS

THEMES = (
    *(BASICS, REPLACES, KEEPING, PARTS, SECRETS, UNKNOWNS),
    *(FAILURES, WAITS, REFRESHES, IMPORTS, EDITIONS),
)

SCENARIOS = {one.name: one for theme in THEMES for one in theme}
