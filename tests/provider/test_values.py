"""Wire values keep their secrets and unknowns both ways."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from moorage.provider.values import UNKNOWN, Properties, decode, encode, has_unknown
from moorage.provider.values import Path as ValuePath

LEAVES = st.one_of(
    st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8), st.just(UNKNOWN)
)
KEYS = st.text("abcXYZ_.-", min_size=1, max_size=4)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_written_is_read_back(plain: dict[str, Any]) -> None:
    top: frozenset[ValuePath] = frozenset((name,) for name in plain)
    assert decode(encode(plain)) == Properties(plain=plain, secrets=frozenset())
    assert decode(encode(plain, top)) == Properties(plain=plain, secrets=top)


def test_secrets_below_the_top_keep_their_place() -> None:
    plain = {"command": ["run", "--key", "sk-1"], "files": {"a.json": "x"}}
    paths: frozenset[ValuePath] = frozenset({("command", 2), ("files", "a.json")})
    assert decode(encode(plain, paths)).secrets == paths


def test_an_output_value_of_the_engine_is_understood() -> None:
    struct = Struct()
    struct.update(
        {
            "known": {
                "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4",
                "value": "v",
                "secret": True,
            },
            "unknown": {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"},
            "absent": None,
        }
    )
    read = decode(struct)
    assert read.plain == {"known": "v", "unknown": UNKNOWN}
    assert read.secrets == {("known",)}


def test_unknowns_are_found_wherever_they_are() -> None:
    assert has_unknown({"a": [1, {"b": UNKNOWN}]})
    assert not has_unknown({"a": [1, {"b": "x"}]})


def test_the_repr_shows_no_value() -> None:
    assert "sk-1" not in repr(Properties(plain={"key": "sk-1"}, secrets=frozenset()))
