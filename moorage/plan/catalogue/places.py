"""Where in a catalogue's files things stand, and what is wrong with their YAML: for messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from moorage.plan.catalogue import catalog
from moorage.spec import document, source
from moorage.spec.document import Node
from moorage.spec.problems import Place, Problem

_LISTS = ("rows", "prices", "extras")  # the keys under which rows of prices stand


def trees(folder: Path) -> tuple[dict[str, Node], list[Problem]]:
    """Every file that is read as a tree with places, named as messages show it, and its faults."""
    found: dict[str, Node] = {}
    problems: list[Problem] = []
    for path in sorted((*folder.glob("*.yaml"), *(folder / catalog.PRICES).glob("*.yaml"))):
        name = path.relative_to(folder.parent).as_posix()
        text = source.text(path, file=name)
        if isinstance(text, str) and not catalog.is_read(text):
            continue
        tree, faults = (None, [text]) if isinstance(text, Problem) else document.read(text, name)
        problems += faults
        if tree is not None:
            found[name] = tree
    return found, problems


def placed(problems: Iterable[Problem], files: dict[str, Node]) -> list[Problem]:
    """Problems whose words begin with a row's key, at the place of that row."""
    places = {key: (file, at) for file, tree in files.items() for key, at in _rows(tree)}
    return sorted(_at(problem, places) for problem in problems)


def _at(problem: Problem, places: dict[str, tuple[str, Place]]) -> Problem:
    found = places.get(problem.says.partition(" ")[0])
    if found is None:
        return problem
    file, place = found
    return replace(problem, file=file, line=place.line, column=place.column)


def _rows(tree: Node) -> Iterator[tuple[str, Place]]:
    kind = _word(tree, "kind") or _word(tree, "prices")
    for name in _LISTS:
        for row in node.items if (node := tree.get(name)) else ():
            market = _word(row, "market")
            parts = [kind, *(_word(row, key) for key in ("vendor", "region", "offer"))]
            parts.append("" if market == "on-demand" else market)
            yield "/".join(part for part in parts if part), row.at


def _word(node: Node, key: str) -> str:
    own = node.get(key)
    return own.text if own is not None else ""
