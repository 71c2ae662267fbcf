"""YAML as a tree of values that know their place, read from the parser's events within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from moorage.spec import source
from moorage.spec.problems import Place, Problem
from moorage.spec.syntax import explain

Scalar = str | int | float | bool | None
Children = tuple["Node", ...] | dict[str, "Node"]

DEPTH_LIMIT = 32
NODE_LIMIT = 20_000  # aliases counted as often as they are used

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}
_FALSE = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?")
_NUMBER_LENGTH = 30  # longer digits, such as a commit without letters, are text


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A value of the document; `key` is where its key stands (its own place in a list)."""

    value: Scalar | Children
    at: Place
    key: Place
    text: str = ""  # a scalar as it is written
    plain: bool = False  # a scalar without quotes
    size: int = 1  # nodes in it

    def get(self, key: str) -> Node | None:
        """The entry of a mapping, or None."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    @property
    def items(self) -> tuple[Node, ...]:
        """The entries of a list; empty for anything else."""
        return self.value if isinstance(self.value, tuple) else ()


def read(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of one document, with what is wrong with its YAML."""
    if len(text) > source.LIMIT_BYTES:
        return None, [source.too_large(file)]
    builder = _Builder(file=file)
    try:
        builder.take(yaml.parse(text, Loader=_LOADER))
    except _TooMuchError:
        return None, builder.problems
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        return None, [*builder.problems, explain(error, text, file)]
    if builder.root is None or builder.root.value is None:
        says = "the file holds no spec"
        return None, [*builder.problems, Problem(file=file, rule="empty-file", says=says)]
    return builder.root, builder.problems


def plain(node: Node) -> Any:
    """The tree as ordinary Python values."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def resolve(text: str) -> Scalar:
    """What a plain scalar means: YAML 1.1's words for true and false, numbers, or text."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) > _NUMBER_LENGTH:
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _TooMuchError(Exception):
    """Reading on would not be safe or would not help; the problem is noted."""


@dataclass(kw_only=True, slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    at: Place
    key: Place | None
    anchor: str | None
    entries: dict[str, Node] | None  # None for a list
    items: list[Node] = field(default_factory=list)
    name: str | None = None  # the key whose value comes next
    name_at: Place | None = None
    size: int = 1


@dataclass(kw_only=True, slots=True)
class _Builder:
    file: str
    problems: list[Problem] = field(default_factory=list)
    root: Node | None = None
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)  # None while it is being read
    count: int = 0
    documents: int = 0

    def take(self, events: Iterable[Any]) -> None:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.DocumentStartEvent):
                self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            says = "a second document begins here; a file holds one spec"
            self._stop(_place(event), "yaml-documents", says, "move it to a file of its own")

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        bare = event.style in (None, "")
        node = Node(
            value=resolve(event.value) if bare else event.value,
            at=_place(event),
            key=self._key_of_next(event),
            text=event.value,
            plain=bare,
        )
        self._add(node, event.anchor)

    def _alias(self, event: Any) -> None:
        node = self.anchors.get(event.anchor)
        if node is None:
            inside = event.anchor in self.anchors
            says = f"'*{event.anchor}' " + ("lies inside itself" if inside else "has no '&' before")
            self._stop(_place(event), "yaml-alias", says, "write the value out")
        else:
            self._add(node, None)

    def _start(self, event: Any) -> None:
        self._refuse_tag(event)
        if len(self.open) >= DEPTH_LIMIT:
            says = f"values lie more than {DEPTH_LIMIT} levels deep"
            self._stop(_place(event), "yaml-too-deep", says, "")
        if event.anchor:
            self.anchors[event.anchor] = None
        mapping = isinstance(event, yaml.MappingStartEvent)
        self.open.append(
            _Open(
                at=_place(event),
                key=self._key_of_next(event),
                anchor=event.anchor,
                entries={} if mapping else None,
            )
        )

    def _end(self) -> None:
        done = self.open.pop()
        value: Children = tuple(done.items) if done.entries is None else done.entries
        node = Node(value=value, at=done.at, key=done.key or done.at, size=done.size)
        self._add(node, done.anchor, counted=True)

    def _add(self, node: Node, anchor: str | None, *, counted: bool = False) -> None:
        if anchor:
            self.anchors[anchor] = node
        self.count += 1 if counted else node.size
        if self.count > NODE_LIMIT:
            says = f"the document unfolds to more than {NODE_LIMIT} values"
            self._stop(node.at, "yaml-too-many", says, "write it without so many aliases")
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.size += node.size
        if parent.entries is None:
            parent.items.append(node)
        elif parent.name_at is None:
            self._name(parent, node)
        else:
            self._enter(parent, node)

    def _name(self, parent: _Open, node: Node) -> None:
        parent.name_at = node.at
        if isinstance(node.value, str):
            parent.name = node.value
            return
        parent.name = None
        hint = f'write "{node.text}"' if node.text else ""
        says = f"a key must be text, not {node.text or 'this'}"
        self._note(node.at, "yaml-key", says, hint)

    def _enter(self, parent: _Open, node: Node) -> None:
        name, at = parent.name, parent.name_at
        parent.name = parent.name_at = None
        if name is None or at is None or parent.entries is None:
            return
        if (first := parent.entries.get(name)) is not None:
            says = f"{name[:60]!r} is given twice, first in line {first.key.line}"
            self._note(at, "duplicate-key", says, "keep one of them")
            return
        parent.entries[name] = node

    def _key_of_next(self, event: Any) -> Place:
        parent = self.open[-1] if self.open else None
        return parent.name_at if parent and parent.name_at else _place(event)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            says = "tags (words that begin with '!') are not part of the language"
            self._note(_place(event), "yaml-tag", says, "remove it, or put the text in quotes")

    def _note(self, at: Place, rule: str, says: str, hint: str) -> None:
        problem = Problem(
            file=self.file, line=at.line, column=at.column, rule=rule, says=says, hint=hint
        )
        self.problems.append(problem)

    def _stop(self, at: Place, rule: str, says: str, hint: str) -> None:
        self._note(at, rule, says, hint)
        raise _TooMuchError


def _place(event: Any) -> Place:
    return Place(line=event.start_mark.line + 1, column=event.start_mark.column + 1)
