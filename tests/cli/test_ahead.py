"""What a stack's settings say of its specs is read as the stack program reads it, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.cli import ahead
from moorage.deploy.driver import Stack
from moorage.errors import MoorageError


def patterns(root: Path, told: str) -> list[str]:
    (root / "Pulumi.yaml").write_text("{name: demo, runtime: python}")
    (root / "Pulumi.local.yaml").write_text(f"config:\n  moorage:specs: {told}\n")
    return ahead._patterns(Stack(root=root, name="local", program=lambda: None))


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("[specs/a.yaml, 'specs/b*']", ["specs/a.yaml", "specs/b*"]),
        ("""'["specs/a.yaml"]'""", ["specs/a.yaml"]),  # as `pulumi config set` writes it
        ("", []),
        ("[]", []),
    ],
)
def test_specs_are_a_list(tmp_path: Path, told: str, read: list[str]) -> None:
    assert patterns(tmp_path, told) == read


@pytest.mark.parametrize("told", ["specs/a.yaml", "[1]", "[~]", "{a: b}", "5", "'{}'", "'7'"])
def test_what_is_no_list_of_specs_is_one_line(tmp_path: Path, told: str) -> None:
    with pytest.raises(MoorageError) as fault:
        patterns(tmp_path, told)
    assert str(fault.value) == (
        "Pulumi.local.yaml: moorage:specs must list files, folders or globs: [specs/*.yaml]"
    )
