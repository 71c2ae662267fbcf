"""Pulumi's wire values as plain Python: dicts, the paths of what is secret, and `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value

Path = tuple[str | int, ...]

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a marker, not a secret
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_TEXTS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # of any kind: the one that we send
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    }
)


class Unknown(Enum):
    """A value that only the real run can tell."""

    UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


UNKNOWN: Final = Unknown.UNKNOWN
_HOLDERS: Final = (dict, list)  # tuples: to ask of a union of types takes several times as long
_NUMBERS: Final = (int, float)
_SEQUENCES: Final = (list, tuple)


@dataclass(frozen=True, kw_only=True, slots=True)
class Properties:
    """The properties of a resource, and where in them the secrets are."""

    plain: dict[str, Any]
    secrets: frozenset[Path]

    def __repr__(self) -> str:
        return f"Properties({', '.join(self.plain)})"


def decode(struct: Struct) -> Properties:
    """Read what the engine sent; null members count as absent."""
    secrets: set[Path] = set()
    plain = _decode_fields(struct.fields, (), secrets)
    assert isinstance(plain, dict)
    return Properties(plain=plain, secrets=frozenset(secrets))


def decode_one(struct: Struct, name: str) -> Any:
    """Read one property alone; None where it is absent."""
    return _decode(struct.fields[name], (), _HERE, set()) if name in struct.fields else None


def decode_beside(struct: Struct, other: Struct, known: dict[str, Any]) -> dict[str, Any]:
    """Read a message that says nearly what another one says, of which it is known what it says."""
    fields, others = struct.fields, other.fields
    plain = {}
    for key in fields:
        value = fields[key]
        is_known = key in known and value == others[key]
        found = known[key] if is_known else _decode(value, (), key, set())
        if found is not None:
            plain[key] = found
    return plain


def encode(plain: Mapping[str, Any], secrets: Iterable[Path] = ()) -> Struct:
    """Write what the engine shall get, with the given paths marked secret."""
    struct = Struct()
    _put_fields(struct.fields, plain, _marks(secrets))
    return struct


def amend(struct: Struct, known: Properties, plain: Mapping[str, Any], secrets: Set[Path]) -> None:
    """Make of a message that says what is known one that says more or marks more as secret.

    What stays is not touched: most inputs leave a check as they came.
    """
    new = {key for key, value in plain.items() if known.plain.get(key) != value}
    new.update(str(path[0]) for path in secrets - known.secrets)
    marks = _marks(secrets) if new else _NO_MARKS
    for key in new:
        struct.fields.pop(key, None)  # what it held would be mixed with what it shall hold
        _put(struct.fields[key], plain[key], marks.get(key, _NO_MARKS))


def drop_hollow(struct: Struct) -> None:
    """Take out secrets without a value, as which the engine tells in a real run what is unknown.

    It happens after a failure, to what depends on it. Of what is unknown and no secret the engine
    tells nothing, and so must we: it takes no such secret back.
    """
    fields = struct.fields
    for key in [key for key in fields if _is_hollow(fields[key])]:
        del fields[key]
    for key in fields:
        _drop_within(fields[key])


def has_unknown(value: Any) -> bool:
    """Whether a value, or anything within it, is unknown."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return value is UNKNOWN
    for item in value:
        if item is UNKNOWN or (isinstance(item, _HOLDERS) and has_unknown(item)):
            return True
    return False


# --- read: most values are texts, and which of its kinds a value has is the slowest question

_HERE: Final = None  # the step that ends a path
_EMPTY: Final[Mapping[str | None, Any]] = {
    "string_value": "",
    "number_value": 0,
    "bool_value": False,
    "null_value": None,
    None: None,
}


def _decode_fields(fields: Any, path: Path, secrets: set[Path]) -> Any:
    if _SIGNATURE in fields:
        return _decode_special(fields, path, secrets)
    plain = {}
    for key in fields:  # by key: items() of such a map is several times as slow
        value = _decode(fields[key], path, key, secrets)
        if value is not None:
            plain[key] = value
    return plain


def _is_hollow(value: Value) -> bool:
    fields = value.struct_value.fields
    is_secret = _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET
    return is_secret and "value" not in fields


def _drop_within(value: Value) -> None:
    if value.HasField("struct_value"):
        drop_hollow(value.struct_value)
    elif value.HasField("list_value"):
        values = value.list_value.values
        for number in reversed(range(len(values))):
            if _is_hollow(values[number]):
                del values[number]
            else:
                _drop_within(values[number])


def _decode_special(fields: Any, path: Path, secrets: set[Path]) -> Any:
    signature = fields[_SIGNATURE].string_value
    if signature not in (_SECRET, _OUTPUT):
        return {key: _decode(fields[key], path, key, secrets) for key in fields}
    if signature == _SECRET or fields["secret"].bool_value:
        secrets.add(path)
    if "value" not in fields:
        return UNKNOWN
    return _decode(fields["value"], path, _HERE, secrets)


def _decode(value: Value, above: Path, step: str | int | None, secrets: set[Path]) -> Any:
    """What holds no other value needs no path of its own."""
    if text := value.string_value:
        return UNKNOWN if text in _UNKNOWN_TEXTS else text
    if number := value.number_value:
        return int(number) if number.is_integer() else number
    if value.bool_value:
        return True
    kind = value.WhichOneof("kind")
    if kind in _EMPTY:
        return _EMPTY[kind]
    path = above if step is _HERE else (*above, step)
    if kind == "struct_value":
        return _decode_fields(value.struct_value.fields, path, secrets)
    items = enumerate(value.list_value.values)
    return [_decode(item, path, number, secrets) for number, item in items]


# --- written: in place, as every message that is copied is made twice

_Marks = dict[Any, Any]  # by the next step of a path, the marks below it
_NO_MARKS: Final[_Marks] = {}


def _marks(paths: Iterable[Path]) -> _Marks:
    root: _Marks = {}
    for path in paths:
        at = root
        for step in (*path, _HERE):
            at = at.setdefault(step, {})
    return root


def _put_fields(fields: Any, plain: Mapping[str, Any], marks: _Marks) -> None:
    for key, value in plain.items():
        if value is not None:
            _put(fields[key], value, marks.get(key, _NO_MARKS))


def _put(target: Value, value: Any, marks: _Marks) -> None:
    if _HERE in marks:
        fields = target.struct_value.fields
        fields[_SIGNATURE].string_value = _SECRET
        # What lies below is covered by this mark, so no mark is repeated there.
        _put(fields["value"], value, _NO_MARKS)
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, _NUMBERS):
        target.number_value = value
    elif isinstance(value, _SEQUENCES):
        _put_items(target.list_value, value, marks)
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        _put_fields(target.struct_value.fields, value, marks)
    elif value is None:
        target.null_value = NULL_VALUE
    else:
        target.string_value = UNKNOWN.value if value is UNKNOWN else str(value)


def _put_items(target: ListValue, items: Sequence[Any], marks: _Marks) -> None:
    target.SetInParent()
    for number, item in enumerate(items):
        _put(target.values.add(), item, marks.get(number, _NO_MARKS))
