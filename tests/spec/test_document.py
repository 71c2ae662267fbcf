"""YAML is read with places, within bounds, and its faults are put in plain words."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.spec.document import plain, read, resolve


def said(text: str) -> list[str]:
    return [str(problem) for problem in read(text, "f")[1]]


def test_every_value_knows_its_place_and_the_place_of_its_key() -> None:
    tree, _ = read("a:\n  - b: x\n    ü: [1, y]\n", "f")
    assert tree is not None
    entry = tree.get("a").items[0]  # type: ignore[union-attr]
    umlaut = entry.get("ü")
    assert umlaut is not None
    assert (umlaut.key.line, umlaut.key.column) == (3, 5)
    assert (umlaut.items[1].at.line, umlaut.items[1].at.column) == (3, 12)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c", "f:1:5 yaml-syntax: a second ': ' in one line"),
        ("a:\n\tb: 1", "f:2:1 yaml-syntax: a tab is used for indentation"),
        ("a: [1, 2", "f:1:4 yaml-syntax: a list or mapping in brackets is not closed"),
        ("a: 1\nb: 'x", "f:2:4 yaml-syntax: the file ends inside a quoted text"),
        ("a: @x", "f:1:4 yaml-syntax: this character cannot begin a value"),
        ("a: \x07", "f:1:4 yaml-syntax: a control character"),
        ("a: \ud800", "f:1:1 yaml-syntax: a character that UTF-8 cannot hold"),
        ("a:\n  - b\n c: 1", "f:3:2 yaml-syntax: the indentation does not fit"),
        ("a: 1\na: 2", "f:2:1 duplicate-key: 'a' is given twice, first in line 1"),
        ("a: 1\n---\nb: 2", "f:2:1 yaml-documents: a second document begins here"),
        ("a: &x [*x]", "f:1:8 yaml-alias: '*x' lies inside itself"),
        ("a: *z", "f:1:4 yaml-alias: '*z' has no '&' before"),
        ("a: !!python/object:os.system x", "f:1:4 yaml-tag: tags"),
        ("no: 1", "f:1:1 yaml-key: a key must be text, not no"),
        ("? [1]\n: 2", "f:1:3 yaml-key: a key must be text, not this"),
        ("# nothing", "f:1:1 empty-file: the file holds no spec"),
    ],
)
def test_a_fault_is_told_in_plain_words_at_its_place(text: str, problem: str) -> None:
    assert said(text)[0].startswith(problem)


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (BOMB, "yaml-too-many"),
        ("[" * 100_000, "yaml-too-deep"),
        ("{" * 100_000, "yaml-too-deep"),
        ("- " * 100_000, "yaml-too-deep"),
        ("{" + "a: b," * 200_000 + "}", "duplicate-key"),
        ("[" + "a," * 400_000 + "]", "yaml-too-many"),
        ("a" * 2_000_000, "too-large"),
        ('"' + "\\x41" * 250_000, "yaml-syntax"),
    ],
)
def test_a_hostile_text_is_a_problem_within_two_seconds(text: str, rule: str) -> None:
    start = time.process_time()  # of the processor: others may be busy on this machine
    assert f" {rule}: " in said(text)[0]
    assert time.process_time() - start < 2


@pytest.mark.parametrize("text", ["1", "-5", "1.5", "true", "no", "~", "null", "on", "abc", "1.x"])
def test_a_plain_scalar_means_what_the_yaml_package_makes_of_it(text: str) -> None:
    assert resolve(text) == yaml.safe_load(text)


def test_digits_too_long_for_a_number_are_text() -> None:
    """A commit of 40 digits stays what it is, and no huge number is ever built."""
    assert resolve("1" * 40) == "1" * 40


# The YAML package leaves 0E0 and 08 bare, as YAML 1.1 has it; to us, as in 1.2, they are numbers.
LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
TEXT = st.sampled_from(["no", "1", "~", "0x1"]) | st.text(LETTERS, max_size=12).filter(
    lambda text: isinstance(resolve(text), str)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=5))
def test_what_the_yaml_package_writes_is_read_back(value: dict[str, object]) -> None:
    tree, problems = read(yaml.safe_dump(value, allow_unicode=True), "f")
    assert problems == []
    assert tree is not None
    assert plain(tree) == value


@settings(max_examples=100)
@given(
    st.text(alphabet=st.sampled_from("abn:-?,[]{}&*!|>'\"%@`# \t\n\\0~<\ud800\x00é"), max_size=60)
)
def test_no_text_makes_reading_fail(text: str) -> None:
    tree, problems = read(text, "f")
    assert tree is not None or problems
