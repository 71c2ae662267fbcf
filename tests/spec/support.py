"""What the tests of the language share: the schema of the real catalogue, and a good spec."""

from __future__ import annotations

from pathlib import Path

from moorage.plan.catalogue import catalog
from moorage.spec.parse import Parsed, parse

ROOT = Path(__file__).parent.parent.parent
SCHEMA = catalog.spec_schema(catalog.read(ROOT / "catalog"))
HELLO = (ROOT / "specs" / "examples" / "hello.yaml").read_text(encoding="utf-8")


def parsed(text: str) -> Parsed:
    return parse(text, "spec.yaml", schema=SCHEMA)


def said(text: str) -> list[str]:
    """The problems of a text without the file's name."""
    return [str(problem).removeprefix("spec.yaml:") for problem in parsed(text).problems]
