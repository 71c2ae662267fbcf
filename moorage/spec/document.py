"""YAML as a tree of values that know their place, read from the parser's events within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import yaml
from msgspec import Struct, field

from moorage.spec import source
from moorage.spec.problems import Place, Problem
from moorage.spec.syntax import explain

Scalar = str | int | float | bool | None
Children = tuple["Node", ...] | dict[str, "Node"]

DEPTH_LIMIT = 32
NODE_LIMIT = 20_000  # aliases counted as often as they are used

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_MERGE: Final = "<<"
_NUMERIC: Final = frozenset("-+.0123456789")  # what a number can begin with
_INT = re.compile(r"[-+]?[0-9]{1,30}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?")
_NUMBER_LENGTH = 30  # longer digits, such as a commit without letters, are text


class Node(Struct, frozen=True, eq=False):
    """A value of the document; the marks are the parser's, of it and of its key."""

    value: Scalar | Children
    mark: Any
    key_mark: Any  # its own in a list
    text: str = ""  # a scalar as it is written
    plain: bool = False  # a scalar without quotes
    size: int = 1  # nodes in it

    @property
    def at(self) -> Place:
        """Where it stands."""
        return _place(self.mark)

    @property
    def key(self) -> Place:
        """Where its key stands."""
        return _place(self.key_mark)

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
        hint = "`moorage new` begins one"
        empty = Problem(file=file, rule="empty-file", says=says, hint=hint)
        return None, [*builder.problems, empty]
    return builder.root, builder.problems


def step(node: Node | None, key: str | int) -> Node | None:
    """What lies under a key of a mapping, or at a place of a list."""
    if node is None:
        return None
    if isinstance(key, str):
        return node.get(key)
    return node.items[key] if key < len(node.items) else None


def nearest(tree: Node | None, *way: str | int) -> Node | None:
    """What the way leads to; where it ends too early, the last node on it."""
    for key in way:
        below = step(tree, key)
        if below is None:
            break
        tree = below
    return tree


def find(tree: Node | None, *way: str | int) -> Node | None:
    """What the way leads to; None where it ends too early."""
    for key in way:
        tree = step(tree, key)
        if tree is None:
            break
    return tree


def plain(node: Node) -> Any:
    """The tree as ordinary Python values."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def resolve(text: str) -> Scalar:
    """What a plain scalar means: YAML 1.1's words for true and false, numbers, or text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC or len(text) > _NUMBER_LENGTH:
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _TooMuchError(Exception):
    """Reading on would not be safe or would not help; the problem is noted."""


class _Open(Struct):
    """A mapping or list whose end has not come yet."""

    mark: Any
    key_mark: Any
    anchor: str | None
    entries: dict[str, Node] | None  # None for a list
    items: list[Node] = field(default_factory=list)
    name: str | None = None  # the key whose value comes next; None where it is no good
    name_mark: Any = None  # None: a key comes next
    size: int = 1


class _Builder(Struct, kw_only=True):
    """A document while it is read."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    root: Node | None = None
    open: list[_Open] = field(default_factory=list)
    inner: _Open | None = None  # the innermost of them
    anchors: dict[str, Node | None] = field(default_factory=dict)  # None while it is being read
    count: int = 0
    documents: int = 0

    def take(self, events: Iterable[Any]) -> None:
        steps: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        for event in events:
            step = steps.get(event.__class__)
            if step is not None:
                step(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            says = "a second document begins here; a file holds one spec"
            self._stop(event.start_mark, "yaml-documents", says, "move it to a file of its own")

    def _scalar(self, event: Any) -> None:
        if event.tag is not None:
            self._refuse_tag(event)
        text, mark, inner = event.value, event.start_mark, self.inner
        plain = not event.style
        key_mark = mark if inner is None or inner.name_mark is None else inner.name_mark
        node = Node(resolve(text) if plain else text, mark, key_mark, text, plain)
        if event.anchor:
            self.anchors[event.anchor] = node
        self._count(1, mark)
        self._add(node)

    def _alias(self, event: Any) -> None:
        node = self.anchors.get(event.anchor)
        if node is None:
            inside = event.anchor in self.anchors
            says = f"'*{event.anchor}' " + ("lies inside itself" if inside else "has no '&' before")
            self._stop(event.start_mark, "yaml-alias", says, "write the value out")
        else:
            self._count(node.size, event.start_mark)
            self._add(node)

    def _mapping(self, event: Any) -> None:
        self._start(event, {})

    def _list(self, event: Any) -> None:
        self._start(event, None)

    def _start(self, event: Any, entries: dict[str, Node] | None) -> None:
        if event.tag is not None:
            self._refuse_tag(event)
        mark, inner = event.start_mark, self.inner
        if len(self.open) >= DEPTH_LIMIT:
            says = f"values lie more than {DEPTH_LIMIT} levels deep"
            self._stop(mark, "yaml-too-deep", says, "nothing of the language lies so deep")
        if event.anchor:
            self.anchors[event.anchor] = None
        self._count(1, mark)
        key_mark = mark if inner is None or inner.name_mark is None else inner.name_mark
        self.inner = _Open(mark, key_mark, event.anchor, entries)
        self.open.append(self.inner)

    def _end(self, _event: Any) -> None:
        done = self.open.pop()
        self.inner = self.open[-1] if self.open else None
        value: Children = tuple(done.items) if done.entries is None else done.entries
        node = Node(value, done.mark, done.key_mark, size=done.size)
        if done.anchor:
            self.anchors[done.anchor] = node
        self._add(node)

    def _count(self, size: int, mark: Any) -> None:
        self.count += size
        if self.count > NODE_LIMIT:
            says = f"the document unfolds to more than {NODE_LIMIT} values"
            self._stop(mark, "yaml-too-many", says, "write it without so many aliases")

    def _add(self, node: Node) -> None:
        inner = self.inner
        if inner is None:
            self.root = node
            return
        inner.size += node.size
        if inner.entries is None:
            inner.items.append(node)
        elif inner.name_mark is None:
            self._name(inner, node)
        else:
            self._enter(inner, inner.entries, node)

    def _name(self, inner: _Open, node: Node) -> None:
        inner.name_mark = node.mark
        if isinstance(node.value, str) and not (node.plain and node.value == _MERGE):
            inner.name = node.value
            return
        inner.name = None
        if node.text == _MERGE:
            says = "merge keys ('<<') are not part of the language"
            self._note(node.mark, "yaml-merge", says, "write the keys out")
        else:
            says = f"a key must be text, not {node.text[:60] or 'this'}"
            hint = f'write "{node.text[:60]}"' if node.text else ""
            self._note(node.mark, "yaml-key", says, hint)

    def _enter(self, inner: _Open, entries: dict[str, Node], node: Node) -> None:
        name, mark = inner.name, inner.name_mark
        inner.name_mark = None
        if name is None:
            return
        if name in entries:
            says = f"{name[:60]!r} is given twice, first in line {entries[name].key.line}"
            self._note(mark, "duplicate-key", says, "keep one of them")
            return
        entries[name] = node

    def _refuse_tag(self, event: Any) -> None:
        says = "tags (words that begin with '!') are not part of the language"
        hint = "remove it, or put the text in quotes"
        self._note(event.start_mark, "yaml-tag", says, hint)

    def _note(self, mark: Any, rule: str, says: str, hint: str) -> None:
        at = _place(mark)
        problem = Problem(
            file=self.file, line=at.line, column=at.column, rule=rule, says=says, hint=hint
        )
        self.problems.append(problem)

    def _stop(self, mark: Any, rule: str, says: str, hint: str) -> None:
        self._note(mark, rule, says, hint)
        raise _TooMuchError


def _place(mark: Any) -> Place:
    return Place(line=mark.line + 1, column=mark.column + 1)
