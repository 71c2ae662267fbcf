"""ApiKey: drawn once, and imported from where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from moorage.errors import MoorageError
from moorage.provider.handler import Context
from moorage.provider.handlers import api_key

NewContext = Callable[..., Context]


def test_two_keys_are_two_secrets(context: NewContext) -> None:
    first, second = (api_key.create({"prefix": "sk"}, context()) for _ in range(2))
    assert first.state["value"] != second.state["value"]
    assert first.state["value"].startswith("sk-")
    assert first.id not in first.state["value"]


def test_a_key_of_the_environment_or_of_a_file_is_taken_over(
    context: NewContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = api_key.create({"prefix": "sk-team"}, context()).state["value"]
    monkeypatch.setenv("TEAM_KEY", drawn)
    file = tmp_path / "key"
    file.write_text("a key from elsewhere\n")
    for where, value, prefix in [
        ("env:TEAM_KEY", drawn, "sk-team"),
        (f"file:{file}", "a key from elsewhere", "sk-moorage"),
    ]:
        found = api_key.read(where, {}, {}, context())
        assert found is not None
        assert found.state == {"prefix": prefix, "value": value}
        assert found.inputs == {"prefix": prefix}
        assert found.id != where
        assert value not in str(found.id)


def test_a_key_that_lies_nowhere_is_absent(context: NewContext, tmp_path: Path) -> None:
    assert api_key.read("env:NO_SUCH_KEY", {}, {}, context()) is None
    assert api_key.read(f"file:{tmp_path / 'none'}", {}, {}, context()) is None


def test_what_is_no_place_of_a_key_is_one_line(context: NewContext, tmp_path: Path) -> None:
    with pytest.raises(MoorageError, match="a key is imported as env:NAME or file:PATH"):
        api_key.read("0123456789abcdef", {}, {}, context())
    with pytest.raises(MoorageError, match="cannot read the key: Is a directory"):
        api_key.read(f"file:{tmp_path}", {}, {}, context())
