"""Wire values keep their secrets and unknowns both ways."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from moorage.provider.values import (
    UNKNOWN,
    Properties,
    amend,
    decode,
    decode_beside,
    decode_one,
    drop_hollow,
    encode,
    has_unknown,
)
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


@given(
    st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=2), st.data()
)
def test_what_is_amended_is_as_if_it_were_written_anew(
    before: dict[str, Any], more: dict[str, Any], data: st.DataObject
) -> None:
    marks = st.frozensets(
        st.sampled_from(sorted({**before, **more}) or ["none"]).map(lambda k: (k,))
    )
    after = {**before, **more}
    old = data.draw(marks) & {(name,) for name in before}
    new = (old | data.draw(marks)) & {(name,) for name in after}
    struct = encode(before, old)
    amend(struct, decode(struct), after, new)
    assert decode(struct) == decode(encode(after, new))


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_read_beside_another_message_is_as_if_it_were_read_alone(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    struct, beside = encode(one, [(name,) for name in one]), encode(other)
    assert decode_beside(struct, beside, decode(beside).plain) == decode(struct).plain
    assert decode_beside(encode(one), beside, decode(beside).plain) == decode(encode(one)).plain
    assert decode(beside).plain == other, "the other message was touched"


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


def test_secrets_without_a_value_are_unknown_and_can_be_taken_out() -> None:
    hollow = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    struct = Struct()
    struct.update({"key": hollow, "env": {"A": hollow, "B": "b"}, "list": [hollow, "x", hollow]})
    assert decode(struct).plain["key"] is UNKNOWN
    drop_hollow(struct)
    assert decode(struct).plain == {"env": {"B": "b"}, "list": ["x"]}
    kept = encode({"key": "sk-1", "unknown": UNKNOWN}, [("key",), ("unknown",)])
    before = kept.SerializeToString(deterministic=True)
    drop_hollow(kept)
    assert kept.SerializeToString(deterministic=True) == before


def test_unknowns_are_found_wherever_they_are() -> None:
    assert has_unknown({"a": [1, {"b": UNKNOWN}]})
    assert not has_unknown({"a": [1, {"b": "x"}]})


def test_the_repr_shows_no_value() -> None:
    assert "sk-1" not in repr(Properties(plain={"key": "sk-1"}, secrets=frozenset()))


def test_one_property_is_read_alone() -> None:
    struct = encode({"drift": "ended", "key": "sk-1", "none": UNKNOWN}, [("key",)])
    assert decode_one(struct, "drift") == "ended"
    assert decode_one(struct, "key") == "sk-1"
    assert decode_one(struct, "none") is UNKNOWN
    assert decode_one(struct, "absent") is None
    assert "absent" not in struct.fields


def test_numbers_flags_and_empty_containers_keep_their_kind() -> None:
    plain = {"half": 0.5, "whole": 2.0, "flag": False, "map": {}, "list": [], "nulls": [None, 1]}
    read = decode(encode(plain)).plain
    assert read == plain
    kinds = {"half": float, "whole": int, "flag": bool, "map": dict, "list": list, "nulls": list}
    assert {name: type(value) for name, value in read.items()} == kinds


def test_absent_members_are_left_out_and_any_mapping_will_do() -> None:
    plain = {"a": None, "b": MappingProxyType({"c": None, "d": ("x", "y")})}
    assert decode(encode(plain)).plain == {"b": {"d": ["x", "y"]}}
