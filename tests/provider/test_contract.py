"""The contract of handlers finds every fault, each by the clause that forbids it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from moorage.provider.contract import HandlerContract
from tests.provider.faulty import FAULTS, token_of

CLAUSES = frozenset(name for name in vars(HandlerContract) if name.startswith("test_"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """Handler -> the clauses that it breaks, as a pytest of its own tells."""
    report = tmp_path_factory.mktemp("faulty") / "report.xml"
    file = Path(__file__).with_name("faulty.py")
    words = ["-q", "--noconftest", "-p", "no:cacheprovider", f"--junitxml={report}", str(file)]
    subprocess.run([sys.executable, "-m", "pytest", *words], capture_output=True, check=False)
    told: dict[str, set[str]] = {}
    for case in ET.parse(report).iter("testcase"):
        failed = told.setdefault(case.attrib["classname"].rpartition(".Test")[2], set())
        assert case.find("error") is None, case.attrib
        if case.find("failure") is not None:
            failed.add(case.attrib["name"])
    return told


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_its_own_clause_and_no_other(
    broken: Mapping[str, set[str]], fault: str
) -> None:
    told = broken[token_of(fault).rpartition(":")[2]]
    assert told == {next(name for name in CLAUSES if part in name) for part in FAULTS[fault]}


def test_every_clause_is_broken_by_a_fault_of_its_own() -> None:
    first = [parts[0] for parts in FAULTS.values() if parts]
    assert {next(name for name in CLAUSES if part in name) for part in first} == CLAUSES
