"""docs/providers.md to the letter: its provider keeps the contract and lives on the real engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.provider.stacked import ROOT
from tests.provider.test_real_engine import pulumi_root

PAGE = ROOT / "docs" / "providers.md"
FILE = re.compile(r"^\*\*`([\w./-]+)`\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the page, in a folder outside the checkout, and what it has made from them."""
    for name, text in FILE.findall(PAGE.read_text()):
        path = tmp_path / "port" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "port" / "plugin" / "pulumi-resource-harbour").chmod(0o755)
    classes = python(tmp_path / "port", "-m", "harbour", "resources").stdout
    (tmp_path / "port" / "harbour_resources.py").write_text(classes)
    return tmp_path / "port"


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in that folder; a failure is shown in full."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        (("-k", "not killed"), "17 passed, 3 deselected"),
        pytest.param((), "20 passed", marks=pytest.mark.thorough),
    ],
)
def test_its_handler_keeps_the_contract(folder: Path, words: tuple[str, ...], passed: str) -> None:
    done = python(folder, "-m", "pytest", "test_berth.py", "-q", "-p", "no:cacheprovider", *words)
    assert re.search(rf"\b{passed} in", done.stdout), done.stdout


def test_its_locate_answers_whoever_asks_by_hand(folder: Path) -> None:
    [line] = re.findall(r"`(echo .* \| python -m harbour locate)`", PAGE.read_text())
    asked = f"""
import os, subprocess
from harbour_server import serve
with serve() as harbour:
    harbour.answer("POST", "", {{"name": "north", "owner": "port/dev", "length": 9}})
    env = {{**os.environ, "HARBOUR_URL": harbour.url}}
    subprocess.run({line.replace("python", sys.executable)!r}, shell=True, check=True, env=env)
"""
    assert json.loads(python(folder, "-c", asked).stdout) == {"urn": "x", "id": "b-1"}


@pytest.mark.thorough
@pytest.mark.engine
@pytest.mark.slow
def test_its_berth_lives_a_life_on_the_real_engine(folder: Path) -> None:
    root = pulumi_root()
    if root is None:
        pytest.skip("no Pulumi CLI on PATH or in ~/.pulumi/versions; make setup gets one")
    done = subprocess.run(
        [sys.executable, "-m", "tests.provider.harbour_steps", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PULUMI_ROOT_OF_TEST": str(root)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert told == [
        ["created", {"create": 2}, ["b-1"], []],
        ["attached", {"same": 2}, 1],
        ["changed", {"import": 1, "same": 1, "update": 1}, 40],
        ["refreshed", {"same": 2, "update": 1}, 3],
        ["destroyed", {"delete": 3}, []],
    ]


def test_it_is_one_page() -> None:
    assert len(PAGE.read_text().splitlines()) < 420
