"""All scenarios by name."""

from __future__ import annotations

from tests.scenarios.basics import BASICS

THEMES = (BASICS,)

SCENARIOS = {one.name: one for theme in THEMES for one in theme}
