"""What a stack tells of its services, also of those that did not come up whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.cli.outputs import as_text, key_of
from moorage.cli.trial import Trial
from moorage.errors import Exit, MoorageError

WHOLE = {"url": "http://127.0.0.1:1/v1", "api_key": "sk-1", "model": "hello"}
HALF = {"api_key": "sk-1", "model": "hello"}


def test_a_service_tells_its_key() -> None:
    assert key_of({"hello": WHOLE}, "hello") == "sk-1"
    with pytest.raises(MoorageError, match="there is no service 'hallo' in this stack; there are"):
        key_of({"hello": WHOLE}, "hallo")


def test_one_that_did_not_come_up_is_told_as_that(tmp_path: Path) -> None:
    says = "hello did not come up, it has no url; `moorage up` goes on with it"
    with pytest.raises(MoorageError, match=says) as fault:
        key_of({"hello": HALF}, "hello")
    assert fault.value.exit_code == Exit.UNANSWERED
    outputs = {"services": {"hello": HALF}, "details": {"hello": {}}}
    trial = Trial(outputs=outputs, heal=lambda: None, folder=tmp_path, say=lambda _: None)
    with pytest.raises(MoorageError, match=says):
        trial.run("ready")
    assert "url" not in as_text({"hello": HALF})
