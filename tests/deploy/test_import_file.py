"""A file of what is to be imported: what it names is proven before the engine sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.deploy.imports import from_file
from moorage.errors import MoorageError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"resources": [{"type": 5, "name": "x", "id": "y"}]}', "needs `type`, `name` and `id`"),
        ('{"resources": [{"type": "a:b:C", "name": "x", "id": "y", "parent": 7}]}', "no text"),
        ('{"nameTable": {"a": 5}, "resources": [{}]}', "names nothing to import"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
def test_a_file_that_names_something_else_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(MoorageError) as fault:
        from_file(tmp_path / "file.json")
    assert says in str(fault.value)
