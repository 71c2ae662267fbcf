"""Hostile files: each ends in a problem within two seconds and 200 MB, as a real process shows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.spec.support import HELLO, ROOT

LOCK = (ROOT / "specs" / "examples" / "hello.lock.json").read_text(encoding="utf-8")
SECONDS = 2.0  # of processor time: others may be busy on this machine
MEMORY_MB = 200


# It has imported what `moorage check` needs, and becomes a process for each file: the system tells
# what that one has used, and the time of its start counts as well.
FORKING = """
import os, signal, sys, time
import moorage.cli.check, moorage.plan.load, moorage.plan.project, moorage.plan.slugs
import moorage.spec.report
from moorage.cli import main
start_s = time.process_time()
for line in sys.stdin:
    path, said = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os.chdir(os.path.dirname(path))
        out = os.open(said, os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.exit(main(["check", "--offline", path]))
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    print(code, start_s + used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, flush=True)
"""
Check = Callable[[Path], "Ended"]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a `moorage check`."""

    code: int
    said: str
    seconds: float
    memory_mb: float


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Check]:
    """Run it as a process of its own, whose time and memory the system tells."""
    told_in = tmp_path_factory.mktemp("told") / "text"
    with subprocess.Popen(
        [sys.executable, "-c", FORKING],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forking:
        assert forking.stdin is not None
        assert forking.stdout is not None
        asked, told = forking.stdin, forking.stdout

        def run(path: Path) -> Ended:
            told_in.unlink(missing_ok=True)
            print(path, told_in, sep="\t", file=asked, flush=True)
            code, seconds, memory_mb = told.readline().split()
            return Ended(
                code=int(code),
                said=told_in.read_text(),
                seconds=float(seconds),
                memory_mb=float(memory_mb),
            )

        yield run
        asked.close()


def assert_a_problem(ended: Ended, says: str) -> None:
    assert says in ended.said, ended.said[:2000]
    assert ended.code in (1, 2), ended
    assert "Traceback" not in ended.said
    assert ended.seconds < SECONDS
    assert ended.memory_mb < MEMORY_MB


def bomb() -> str:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]\n"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)]
    return "".join(rows)


TEXTS: dict[str, tuple[Callable[[], str], str]] = {
    "a billion laughs": (bomb, " yaml-too-many: "),
    "a megabyte of aliases": (lambda: "a: &a x\nb: [" + "*a," * 340_000 + "]", " yaml-too-many: "),
    "a megabyte of anchors": (lambda: "".join(f"- &a{n} x\n" for n in range(80_000)), "too-many"),
    "brackets nested deeply": (lambda: "[" * 100_000, " yaml-too-deep: "),
    "braces nested deeply": (lambda: "{a: " * 100_000, " yaml-too-deep: "),
    "lists nested deeply": (lambda: "- " * 100_000, " yaml-too-deep: "),
    "keys nested deeply": (lambda: "? " * 100_000, " yaml-too-deep: "),
    "a huge key": (lambda: "k" * 900_000 + ": 1\n", " yaml-syntax: "),
    "a huge key in quotes": (lambda: '? "' + "k" * 900_000 + '"\n: 1\n', " unknown-key: "),
    "a huge text": (lambda: HELLO.replace("hello", "h" * 900_000, 1), " wrong-value: "),
    "twenty thousand keys": (lambda: "".join(f"k{n}: 1\n" for n in range(20_000)), "too-many"),
    "nine thousand keys": (lambda: "".join(f"k{n}: 1\n" for n in range(9_000)), " unknown-key: "),
    "one key nine thousand times": (lambda: "a: 1\n" * 9_000, " duplicate-key: "),
    "nine thousand providers": (
        lambda: HELLO.split("providers:")[0] + "providers:\n" + "  - {kind: x}\n" * 4_000,
        "it may have 1 to 16",
    ),
    "a number without an end": (lambda: HELLO.replace("rps: 4", "rps: " + "9" * 10_000), "wrong-"),
    "a number of a googol": (lambda: HELLO.replace("rps: 4", "rps: 1e999"), " wrong-value: "),
    "a pattern that backtracks": (
        lambda: HELLO.replace("team: examples", "team: " + "a-" * 400_000 + "!"),
        " wrong-value: ",
    ),
    "a secret that never ends": (lambda: "a: '://" + "a:" * 400_000 + "'", "team"),
    "many beginnings of a private key": (lambda: "a: " + "-----BEGIN " * 80_000, "team"),
    "tags": (lambda: "a: !!python/object/apply:os.system [ls]\n", " yaml-tag: "),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_a_problem_in_time(name: str, check: Check, tmp_path: Path) -> None:
    make, says = TEXTS[name]
    path = tmp_path / "spec.yaml"
    path.write_text(make(), encoding="utf-8")
    assert_a_problem(check(path), says)


def test_a_file_of_50_mb_is_a_problem_in_time(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"a: 1\n" * 10_000_000)
    assert_a_problem(check(path), " too-large: ")


def test_what_is_no_file_is_a_problem_in_time(check: Check, tmp_path: Path) -> None:
    """A pipe that nobody writes, a device that never ends, a link to itself: none is waited for."""
    (tmp_path / "circle.yaml").symlink_to(tmp_path / "circle.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "random.yaml").symlink_to("/dev/urandom")
    os.mkfifo(tmp_path / "pipe.yaml")
    ended = check(tmp_path)
    assert_a_problem(ended, "4 specs, 4 problems")
    assert ended.code == 2


def test_a_folder_whose_links_go_in_a_circle_is_walked_once(check: Check, tmp_path: Path) -> None:
    (tmp_path / "specs" / "team").mkdir(parents=True)
    (tmp_path / "specs" / "team" / "again").symlink_to(tmp_path / "specs")
    (tmp_path / "specs" / "team" / "bad.yaml").write_text("a: 1")
    assert_a_problem(check(tmp_path / "specs"), "1 spec, ")


def test_a_binary_file_is_a_problem_in_time(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(Path(sys.executable).resolve().read_bytes()[:900_000])
    assert_a_problem(check(path), " not-text: ")


def nested(depth: int) -> str:
    return LOCK.replace('"quantization":', f'"config": {"[" * depth}{"]" * depth}, "quantization":')


LOCKS: dict[str, Callable[[], str]] = {
    "50 MB": lambda: LOCK + " " * 50_000_000,
    "nested deeply": lambda: nested(100_000),
    "nested by forty": lambda: nested(40),
    "a number without an end": lambda: LOCK.replace('size_bytes": ', 'size_bytes": ' + "9" * 9000),
    "a number of a googol": lambda: LOCK.replace('size_bytes": ', 'size_bytes": 1e999'),
    "half a character": lambda: LOCK.replace("bartowski", "\\ud800"),
    "a megabyte of nothing": lambda: "{" + '"a":1,' * 160_000,
    "many files": lambda: LOCK.replace('"files": [', '"files": [' + "{}," * 300_000),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_hostile_lock_is_a_problem_in_time(name: str, check: Check, tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(HELLO)
    (tmp_path / "hello.lock.json").write_text(LOCKS[name]())
    ended = check(tmp_path / "hello.yaml")
    assert_a_problem(ended, "hello.lock.json:")


@pytest.mark.parametrize("letter", ["\u202e", "\x1b[31m", "\u2066", "\x9b31m", "\u2028", "\x07"])
def test_no_message_carries_letters_that_change_how_it_is_shown(
    letter: str, check: Check, tmp_path: Path
) -> None:
    """A name in a file must not colour a terminal, or turn a line around."""
    escaped = "".join(f"\\U{ord(one):08x}" for one in letter)
    path = tmp_path / "spec.yaml"
    path.write_text(
        HELLO.replace("name: hello", f'name: "x{escaped}y"').replace("rps:", f'"r{escaped}s":')
    )
    ended = check(path)
    assert_a_problem(ended, " unknown-key: ")
    assert letter[0] not in ended.said
