"""The pages of docs/rules as values: their words, their files, and what moorage says of them.

A fenced block whose words after the language are `bad`, `good` or `both` and a file's name is that
file of the project in which the mistake is made, or put right; a block of `sh` makes files that
cannot be shown. A comment says as JSON what else the example depends on: `today`; `locks`, where a
side needs other facts than those of tests/facts; `ask`, where `moorage lock` says it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from moorage.plan.locks import lock
from moorage.spec.problems import Problem
from tests.plan.projects import TESTS

PAGES: Final = TESTS.parent / "docs" / "rules"

_BLOCK = re.compile(r"^```(\w+) (bad|good|both) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NEEDS = re.compile(r"^<!-- (\{.*\}) -->$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    slug: str
    text: str
    blocks: tuple[tuple[str, str, str, str], ...]  # language, side, file, content
    said: str  # what moorage says of the bad example
    needs: Mapping[str, Any] = field(default_factory=dict)


@cache
def read(slug: str) -> Page:
    text = (PAGES / f"{slug}.md").read_text(encoding="utf-8")
    said, needs = _SAID.search(text), _NEEDS.search(text)
    return Page(
        slug=slug,
        text=text,
        blocks=tuple(_BLOCK.findall(text)),
        said=said[1] if said else "",
        needs=json.loads(needs[1]) if needs else {},
    )


def build(page: Page, side: str, root: Path) -> None:
    """Write the files of one side of a page."""
    root.mkdir()
    for language, of, name, content in page.blocks:
        if of not in (side, "both"):
            continue
        if language == "sh":
            subprocess.run(["sh", "-c", content], cwd=root, check=True)
        else:
            (root / name).write_text(content, encoding="utf-8")
    if "today" in page.needs:
        (root / "today.txt").write_text(page.needs["today"], encoding="utf-8")
    how = page.needs.get("locks", {}).get(side, {})
    for spec in sorted(root.glob("*.yaml")):
        beside = lock.beside(spec)
        if how is not None and not beside.exists() and (text := locked(spec, how)):
            beside.write_text(text, encoding="utf-8")


def locked(spec: Path, how: Mapping[str, Any]) -> str:
    """The lock of a spec: real facts, and what `how` says otherwise; empty where there are none."""
    facts = known(how["facts"]) if "facts" in how else _found(spec)
    if facts is None:
        return ""
    changed = {**facts, **{key: how[key] for key in ("offers",) if key in how}}
    changed["model"] = {**facts["model"], **how.get("model", {})}
    found = lock.read(json.dumps(changed), spec.name)
    assert not isinstance(found, Problem), found
    return lock.render(found)


def known(name: str) -> dict[str, Any]:
    path = TESTS / "facts" / f"{name}.lock.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@cache
def _all() -> dict[tuple[str, ...], str]:
    names = [path.name.removesuffix(".lock.json") for path in (TESTS / "facts").glob("*.json")]
    rows = {name: known(name)["model"] for name in names}
    return {(row["id"], row["revision"], row["quantization"]): name for name, row in rows.items()}


def _found(spec: Path) -> dict[str, Any] | None:
    """The facts of the model that a spec names, at its commit and quantization."""
    try:
        model = yaml.safe_load(spec.read_text(encoding="utf-8"))["model"]
        wanted = model["id"], model["revision"], model.get("quantization", "none")
    except (yaml.YAMLError, UnicodeDecodeError, OSError, KeyError, TypeError):
        return None
    name = _all().get(wanted)
    return None if name is None else known(name)
