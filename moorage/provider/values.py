"""Pulumi's wire values as plain Python: dicts, the paths of what is secret, and `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value

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
    plain = _decode_fields(struct, (), secrets)
    assert isinstance(plain, dict)
    return Properties(plain=plain, secrets=frozenset(secrets))


def encode(plain: Mapping[str, Any], secrets: Iterable[Path] = ()) -> Struct:
    """Write what the engine shall get, with the given paths marked secret."""
    return _encode_fields(plain, (), frozenset(secrets))


def has_unknown(value: Any) -> bool:
    """Whether a value, or anything within it, is unknown."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def _decode_fields(struct: Struct, path: Path, secrets: set[Path]) -> Any:
    fields = struct.fields
    if _SIGNATURE in fields:
        return _decode_special(fields, path, secrets)
    return {
        key: _decode(value, (*path, key), secrets)
        for key, value in fields.items()
        if value.WhichOneof("kind") != "null_value"
    }


def _decode_special(fields: Any, path: Path, secrets: set[Path]) -> Any:
    signature = fields[_SIGNATURE].string_value
    if signature not in (_SECRET, _OUTPUT):
        return {key: _decode(value, (*path, key), secrets) for key, value in fields.items()}
    if signature == _SECRET or fields["secret"].bool_value:
        secrets.add(path)
    if "value" not in fields:
        return UNKNOWN
    return _decode(fields["value"], path, secrets)


def _decode(value: Value, path: Path, secrets: set[Path]) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            text = value.string_value
            return UNKNOWN if text in _UNKNOWN_TEXTS else text
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _decode_fields(value.struct_value, path, secrets)
        case "list_value":
            items = enumerate(value.list_value.values)
            return [_decode(item, (*path, number), secrets) for number, item in items]
        case _:
            return None


def _encode_fields(plain: Mapping[str, Any], path: Path, secrets: frozenset[Path]) -> Struct:
    struct = Struct()
    for key, value in plain.items():
        if value is not None:
            struct.fields[key].CopyFrom(_encode(value, (*path, key), secrets))
    return struct


def _encode(value: Any, path: Path, secrets: frozenset[Path]) -> Value:
    if path not in secrets:
        return _encode_plain(value, path, secrets)
    wrapped = Value()
    fields = wrapped.struct_value.fields
    fields[_SIGNATURE].string_value = _SECRET
    # What lies below is covered by this mark, so no mark is repeated there.
    fields["value"].CopyFrom(_encode_plain(value, path, frozenset()))
    return wrapped


def _encode_plain(value: Any, path: Path, secrets: frozenset[Path]) -> Value:
    if value is None:
        return Value(null_value=0)
    if value is UNKNOWN:
        return Value(string_value=UNKNOWN.value)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int | float):
        return Value(number_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=_encode_fields(value, path, secrets))
    if isinstance(value, list | tuple):
        result = Value()
        result.list_value.values.extend(
            _encode(item, (*path, number), secrets) for number, item in enumerate(value)
        )
        return result
    return Value(string_value=str(value))
