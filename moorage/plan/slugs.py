"""Every slug that a check can print, with the one line that says what is asked."""

from __future__ import annotations

from typing import Final

from moorage.plan.fleet import FLEET_RULES
from moorage.plan.rules import RULES
from moorage.spec.slugs import SLUGS

SAID: Final[dict[str, str]] = {
    **SLUGS,
    **{slug: rule.says for slug, rule in RULES.items()},
    **{slug: rule.says for slug, rule in FLEET_RULES.items()},
}
