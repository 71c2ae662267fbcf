"""Small projects made of files, judged with the prices of one day.

The kinds, GPUs and engines are those of the catalogue; its prices are refreshed again and again, so
`tests/prices` holds them as they were on 2026-11-24. No refresh breaks a story.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from moorage.plan.load import Loaded, load

TESTS = Path(__file__).parent.parent
CATALOG = TESTS.parent / "catalog"
PRICES = TESTS / "prices"


def furnish(root: Path) -> None:
    """Give a project the catalogue with those prices."""
    catalog = root / "catalog"
    catalog.mkdir()
    for path in CATALOG.glob("*.yaml"):
        (catalog / path.name).symlink_to(path)
    (catalog / "prices").symlink_to(PRICES)


def judge(root: Path) -> Loaded:
    """What moorage says of the specs of a project, on the day of its `today.txt`."""
    furnish(root)
    day = root / "today.txt"
    today = date.fromisoformat(day.read_text(encoding="utf-8").strip()) if day.exists() else None
    return load(specs(root), root=root, today=today)


def specs(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*.yaml") if path.name != "policy.yaml")
