"""The generated models are the same to the byte, and arrive whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.engine import tiny


@pytest.mark.parametrize("task", tiny.TASKS)
def test_every_machine_generates_the_same_bytes(task: str, tmp_path: Path) -> None:
    tiny.write(task, tmp_path / "one")
    tiny.write(task, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    digest = hashlib.sha256((tmp_path / "one").read_bytes()).hexdigest()
    assert digest == tiny.SHA256[tiny.flavour(task)]
    assert digest[:16] in tiny.file_name(task)


def test_a_failed_generation_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(kind: str) -> Iterator[tuple[str, object]]:
        yield from ()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tiny, "_tensors", fail)
    with pytest.raises(OSError, match="No space left"):
        tiny.write(tiny.CHAT_TASK, tmp_path / "model.gguf")
    assert list(tmp_path.iterdir()) == []
