"""Every file that is not a text becomes a problem, and none holds us up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from moorage.spec import source
from moorage.spec.problems import Problem


def said(path: Path) -> str:
    answer = source.text(path, file="f")
    assert isinstance(answer, Problem)
    return str(answer)


def test_a_file_of_50_mb_is_too_large_at_once(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    start = time.monotonic()
    assert " too-large: " in said(path)
    assert time.monotonic() - start < 0.5


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\x7fELF\0\0")
    assert said(path) == "f:1:1 not-text: the file is binary, not YAML"


def test_a_broken_character_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes("a: 1\nü: ".encode() + b"\xff\n")
    assert said(path).startswith("f:2:4 not-text: byte 0xff is not UTF-8")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert source.text(path, file="f") == "a: 1\n"


def test_a_folder_a_link_in_a_circle_a_pipe_and_nothing_are_problems(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    assert said(tmp_path).startswith("f:1:1 unreadable-file: this is a folder")
    assert "go round in a circle" in said(tmp_path / "loop")
    assert "not a regular file" in said(tmp_path / "pipe")
    assert "no such file" in said(tmp_path / "none")
    assert "not the name of a file" in said(Path("a\0b"))
    assert "too long" in said(tmp_path / ("x" * 5000))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    assert "no permission" in said(path)
