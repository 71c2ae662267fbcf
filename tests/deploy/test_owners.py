"""Whether the owner of a stack lives is judged by what proves it, and by nothing less."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moorage.deploy.locking import engine_locks, owners, processes
from moorage.deploy.locking.engine_locks import EngineLock
from moorage.deploy.locking.jobs import Answer, Job
from moorage.deploy.locking.owners import FIRST_PID_NAMESPACE, Fate, Owner
from moorage.deploy.locking.processes import Found
from moorage.deploy.stored.stores import Entry, Folder

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
HERE = Owner(
    host="box",
    user="ann",
    pid=100,
    start_ticks=5000,
    boot="boot-1",
    pid_namespace=FIRST_PID_NAMESPACE,
    machine="machine-1",
    checkout="8:1",
    command="moorage up",
    since=NOW,
    token="t1",
)
OTHER = replace(HERE, pid=200, start_ticks=4000, checkout="8:2", token="t2")
CONTAINER = FIRST_PID_NAMESPACE + 7
JOB = Job(kind="github", api="https://ci", project="o/r", run="1", attempt="1")

SAYS = {True: "it has ended", False: "it goes on", None: "nobody knows"}


def fate(
    owner: Owner, here: Owner = HERE, *, found: Found | None = None, ended: bool | None = None
) -> Fate:
    """The judgement; the process table may only be asked where `found` is given."""

    def process(pid: int, start: int) -> Found:
        assert found is not None, "the process table says nothing of this owner"
        assert (pid, start) == (owner.pid, owner.start_ticks)
        return found

    def ask(_job: Job, _ours: Job | None) -> Answer:
        return Answer(ended=ended, why=SAYS[ended])

    return owners.judge(owner, here, process=process, ask=ask).fate


@pytest.mark.parametrize(
    ("found", "expected"),
    [(Found.LIVES, Fate.LIVES), (Found.STOPPED, Fate.LIVES), (Found.GONE, Fate.DEAD)],
)
def test_on_the_same_machine_the_process_table_decides(found: Found, expected: Fate) -> None:
    assert fate(OTHER, found=found) is expected
    assert fate(replace(OTHER, job=JOB), found=found, ended=None) is expected
    assert fate(replace(OTHER, host="renamed since"), found=found) is expected


ELSEWHERE: dict[str, tuple[Owner, Owner, Fate]] = {
    "another machine": (replace(OTHER, host="b", boot="2", machine="m2"), HERE, Fate.UNKNOWN),
    "this machine before its restart": (replace(OTHER, boot="boot-0"), HERE, Fate.DEAD),
    "a machine of the same name": (replace(OTHER, boot="2", machine="m2"), HERE, Fate.UNKNOWN),
    "a machine of the same image": (replace(OTHER, boot="2", host="b"), HERE, Fate.UNKNOWN),
    "sandboxes that tell no boot": (replace(OTHER, boot=""), replace(HERE, boot=""), Fate.UNKNOWN),
    "machines without ids": (
        replace(OTHER, boot="2", machine=""),
        replace(HERE, machine=""),
        Fate.UNKNOWN,
    ),
    "machines that are all called localhost": (
        replace(OTHER, boot="2", host="localhost"),
        replace(HERE, host="localhost"),
        Fate.UNKNOWN,
    ),
    "another container of the same name": (
        replace(OTHER, pid_namespace=CONTAINER),
        replace(HERE, pid_namespace=CONTAINER + 1),
        Fate.UNKNOWN,
    ),
    "a container seen from its machine": (
        replace(OTHER, pid_namespace=CONTAINER),
        HERE,
        Fate.UNKNOWN,
    ),
    "a container of the same image on another boot": (
        replace(OTHER, pid_namespace=CONTAINER, boot="2"),
        replace(HERE, pid_namespace=CONTAINER),
        Fate.UNKNOWN,
    ),
    "the container that this one replaced, in the same checkout": (
        replace(OTHER, pid_namespace=CONTAINER, checkout=HERE.checkout),
        replace(HERE, pid_namespace=CONTAINER + 1),
        Fate.DEAD,
    ),
    "the same numbers of a folder on another machine": (
        replace(OTHER, boot="2", machine="m2", checkout=HERE.checkout),
        HERE,
        Fate.UNKNOWN,
    ),
    "a fresh machine of CI from the image of the last one": (
        replace(OTHER, boot="boot-0"),
        replace(HERE, job=JOB),
        Fate.UNKNOWN,
    ),
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_from_elsewhere_only_proof_counts(where: str) -> None:
    owner, here, expected = ELSEWHERE[where]
    assert fate(owner, here) is expected


@pytest.mark.parametrize(
    ("ended", "expected"), [(True, Fate.DEAD), (False, Fate.LIVES), (None, Fate.UNKNOWN)]
)
def test_a_job_of_ci_is_as_dead_as_its_ci_says(ended: bool | None, expected: Fate) -> None:
    job = replace(OTHER, boot="boot-0", machine="", job=JOB)
    assert fate(job, replace(HERE, job=JOB), ended=ended) is expected


def test_an_owner_is_read_as_it_was_written(tmp_path: Path) -> None:
    me = replace(owners.here("moorage up --stack local", tmp_path), job=JOB)
    assert owners.read(owners.write(me)) == me
    assert me.pid == os.getpid()
    assert owners.judge(me, me).fate is Fate.LIVES


def test_what_others_wrote_is_shown_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    evil = replace(owners.here("up", tmp_path), user="ann\x1b[2J\nall is well", host="b\r\u202eox")
    told = owners.read(owners.write(evil))
    assert told is not None
    assert (told.user, told.host) == ("ann[2Jall is well", "box")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"host": "box"}', "\x00\x00"])
def test_a_lease_that_cannot_be_read_names_nobody(text: str) -> None:
    assert owners.read(text) is None


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_found_by_its_pid_and_its_start(process: subprocess.Popen[bytes]) -> None:
    start = processes.start_ticks(process.pid)
    assert start is not None
    assert processes.look(process.pid, start) is Found.LIVES
    assert processes.look(process.pid, start - 1) is Found.GONE, "the pid was given anew"


def test_a_stopped_process_lives(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    assert processes.look(process.pid) is Found.STOPPED
    process.send_signal(signal.SIGCONT)
    os.waitid(os.P_PID, process.pid, os.WCONTINUED)
    assert processes.look(process.pid) is Found.LIVES


def test_a_zombie_is_gone(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}").exists()
    assert processes.look(process.pid) is Found.GONE


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
def test_a_process_of_another_user_lives_even_where_it_may_not_be_looked_at() -> None:
    child = os.fork()
    if child == 0:  # the one that looks, as somebody else
        libc = ctypes.CDLL(None)
        os.setgid(65534)
        os.setuid(65534)
        libc.prctl(4, 1)
        found = processes.look(os.getppid(), processes.start_ticks(os.getppid()))
        os._exit(0 if found is Found.LIVES else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 2**70])
def test_a_pid_that_cannot_be_is_gone(pid: int) -> None:
    assert processes.look(pid) is Found.GONE


def engine_lock(*, pid: int, host: str = "box", since: datetime = NOW) -> EngineLock:
    entry = Entry(key="locks/1.json", data=b"{}", tag="", touched_at=since)
    return EngineLock(entry=entry, pid=pid, host=host, user="ann", since=since)


@pytest.fixture
def gone_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


BEFORE = replace(OTHER, since=NOW - timedelta(seconds=5))


def test_a_dead_run_s_engine_is_judged_with_its_run(gone_pid: int) -> None:
    """Its lease tells what Pulumi's lock does not: machine, boot and container."""
    lock = engine_lock(pid=gone_pid, host="elsewhere")
    ended = replace(BEFORE, host="elsewhere", boot="2")
    assert engine_locks.judge(lock, HERE, ended, is_own=False).fate is Fate.DEAD
    assert engine_locks.judge(lock, HERE, None, is_own=False).fate is Fate.UNKNOWN
    younger = replace(ended, since=NOW + timedelta(seconds=5))
    assert engine_locks.judge(lock, HERE, younger, is_own=False).fate is Fate.UNKNOWN
    boxed = engine_lock(pid=gone_pid)
    container = replace(BEFORE, pid_namespace=CONTAINER)
    assert engine_locks.judge(boxed, HERE, container, is_own=False).fate is Fate.UNKNOWN
    assert engine_locks.judge(boxed, HERE, BEFORE, is_own=False).fate is Fate.DEAD


def test_without_a_lease_a_name_is_proof_in_the_checkout_s_own_backend_only(gone_pid: int) -> None:
    lock = engine_lock(pid=gone_pid)
    assert engine_locks.judge(lock, HERE, None, is_own=True).fate is Fate.DEAD
    assert engine_locks.judge(lock, HERE, None, is_own=False).fate is Fate.UNKNOWN


def test_an_engine_that_lives_though_its_run_died_is_respected(
    process: subprocess.Popen[bytes],
) -> None:
    lock = engine_lock(pid=process.pid, since=datetime.now(UTC))
    before = replace(BEFORE, since=lock.since)
    for is_own in (True, False):
        assert engine_locks.judge(lock, HERE, before, is_own=is_own).fate is Fate.LIVES
        assert engine_locks.judge(lock, HERE, None, is_own=is_own).fate is Fate.LIVES


def test_a_garbage_lock_is_dead_only_when_the_machine_was_restarted_since() -> None:
    """Pulumi writes its locks whole, so nothing less than the machine cut it short."""
    lock = engine_lock(pid=0, since=datetime.fromtimestamp(time.time() - 60, UTC))
    boots = {True: time.time(), False: time.time() - 120}
    for restarted, boot_s in boots.items():
        expected = Fate.DEAD if restarted else Fate.UNKNOWN
        judged = engine_locks.judge(lock, HERE, None, is_own=True, boot_s=boot_s)
        assert judged.fate is expected
        shared = engine_locks.judge(lock, HERE, None, is_own=False, boot_s=boot_s)
        assert shared.fate is Fate.UNKNOWN


@pytest.mark.parametrize(
    "said",
    [
        '{"pid": 1e999, "hostname": "b", "timestamp": "2026-08-20T12:00:00Z"}',
        '{"pid": 7, "hostname": "b"}',
        "[]",
        "",
    ],
)
def test_a_lock_that_makes_no_sense_may_be_anybodys(tmp_path: Path, said: str) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "demo" / "local"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(said)
    [lock] = engine_locks.read(Folder(tmp_path), "demo", "local")
    assert not lock.is_readable
    found = engine_locks.judge(lock, HERE, None, is_own=False, boot_s=0.0)
    assert found.fate is Fate.UNKNOWN
