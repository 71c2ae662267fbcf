"""The contract of handlers finds every fault, each by the clause that forbids it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from moorage.provider.contract import HandlerContract
from tests.provider.faulty import FAULTS, token_of

CLAUSES = frozenset(name for name in vars(HandlerContract) if name.startswith("test_"))


FILE = Path(__file__).with_name("faulty.py")


def broken(report: Path, *selected: str) -> Mapping[str, set[str]]:
    """Handler -> the clauses that it breaks, as a pytest of its own tells."""
    words = ["-q", "--noconftest", "-p", "no:cacheprovider", f"--junitxml={report}", *selected]
    subprocess.run([sys.executable, "-m", "pytest", *words], capture_output=True, check=False)
    told: dict[str, set[str]] = {}
    for case in ET.parse(report).iter("testcase"):
        failed = told.setdefault(case.attrib["classname"].rpartition(".Test")[2], set())
        assert case.find("error") is None, case.attrib
        if case.find("failure") is not None:
            failed.add(case.attrib["name"])
    return told


def class_of(fault: str) -> str:
    return token_of(fault).rpartition(":")[2]


def clauses(parts: Iterable[str]) -> set[str]:
    return {next(name for name in CLAUSES if part in name) for part in parts}


def test_a_sound_handler_breaks_no_clause_and_each_fault_its_own(tmp_path: Path) -> None:
    own = {fault: clauses(parts) for fault, parts in FAULTS.items()}
    asked = [f"{FILE}::Test{class_of(fault)}::{one}" for fault in own for one in own[fault]]
    told = broken(tmp_path / "report.xml", f"{FILE}::Test{class_of('')}", *asked)
    assert told == {class_of(fault): own[fault] for fault in FAULTS}


@pytest.fixture(scope="module")
def broken_of_all(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    return broken(tmp_path_factory.mktemp("faulty") / "report.xml", str(FILE))


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_its_own_clause_and_no_other(
    broken_of_all: Mapping[str, set[str]], fault: str
) -> None:
    assert broken_of_all[class_of(fault)] == clauses(FAULTS[fault])


def test_every_clause_is_broken_by_a_fault_of_its_own() -> None:
    assert clauses(parts[0] for parts in FAULTS.values() if parts) == CLAUSES
