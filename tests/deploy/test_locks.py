"""Locks of the living are respected, locks of the dead are cleared, and one run holds a stack."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from moorage.deploy import place
from moorage.deploy.locking import leases, locks, owners
from moorage.deploy.place import Place
from moorage.errors import Exit, MoorageError


@pytest.fixture
def where(tmp_path: Path) -> Place:
    return Place(
        root=tmp_path,
        stack="local",
        project="demo",
        backend=f"file://{tmp_path}/.moorage/state",
        environ={},
        settings={},
        manifest={},
    )


def lock(where: Place, *, pid: int, host: str = "", age: timedelta = timedelta()) -> Path:
    """A lock file as Pulumi writes it."""
    assert where.backend_folder is not None
    folder = where.backend_folder / "locks" / "organization" / "demo" / "local"
    folder.mkdir(parents=True)
    since = datetime.now().astimezone() - age
    said = {
        "pid": pid,
        "username": "ann",
        "hostname": host or socket.gethostname(),
        "timestamp": since.isoformat().replace("+", "789+"),  # nanoseconds, as Go prints them
    }
    path = folder / "0b5f.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    return path


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_the_lock_of_a_dead_run_is_cleared_with_one_line(where: Place, dead_pid: int) -> None:
    path = lock(where, pid=dead_pid)
    said: list[str] = []
    locks.settle(where, said.append)
    assert not path.exists()
    assert said == [s for s in said if "cleared the lock of a run that died" in s]
    assert f"ann@{socket.gethostname()}, pid {dead_pid}" in said[0]


def test_a_pid_that_was_given_to_another_process_does_not_own_the_lock(where: Place) -> None:
    path = lock(where, pid=os.getpid(), age=timedelta(days=30))
    locks.settle(where, lambda _: None)
    assert not path.exists()


def test_the_lock_of_a_living_run_is_respected(where: Place) -> None:
    path = lock(where, pid=os.getpid())
    with pytest.raises(MoorageError) as fault:
        locks.settle(where, lambda _: None, grace_s=0.0)
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    assert f"pid {os.getpid()}" in str(fault.value)
    assert f"kill -INT {os.getpid()}" in str(fault.value)
    assert path.exists()


def test_a_run_that_is_ending_is_waited_for(where: Place) -> None:
    process = subprocess.Popen(["sleep", "60"])
    path = lock(where, pid=process.pid)
    said: list[str] = []

    def its_end(_seconds: float) -> None:
        process.kill()
        process.wait()

    locks.settle(where, said.append, sleep=its_end)
    assert not path.exists()
    assert "waiting for it" in said[0]


def test_the_lock_of_another_host_is_never_cleared(where: Place, dead_pid: int) -> None:
    path = lock(where, pid=dead_pid, host="elsewhere")
    with pytest.raises(MoorageError) as fault:
        locks.settle(where, lambda _: None)
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    assert "ann@elsewhere" in str(fault.value)
    command = f"`moorage cancel --stack local --dead-owner elsewhere:{dead_pid}`"
    assert f"free the stack with {command} once you know" in str(fault.value)
    assert path.exists()


def test_a_backend_that_only_pulumi_can_open_keeps_its_own_locks(where: Place) -> None:
    locks.settle(replace(where, backend="gs://bucket"), pytest.fail)


def test_a_second_run_is_told_who_works_on_the_stack(where: Place) -> None:
    where.home.mkdir()
    program = (
        "import fcntl, os, sys; f = open(sys.argv[1], 'a+'); fcntl.flock(f, fcntl.LOCK_EX);"
        "f.write(f'{os.getpid()} moorage up --stack local'); f.flush(); print('held', flush=True);"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(where.home / "local.lock")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(MoorageError) as fault, locks.held(where, "moorage destroy"):
            pytest.fail("two runs at once")
        other.communicate()
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    assert f"`moorage up --stack local` (pid {other.pid}, for 0 s) works on it" in str(fault.value)


def test_our_lock_leaves_no_file_and_can_be_taken_again(where: Place) -> None:
    for _ in range(2):
        with locks.held(where, "moorage up"):
            assert (where.home / "local.lock").exists()
        assert not (where.home / "local.lock").exists()


def test_our_lock_does_not_outlive_its_process(where: Place) -> None:
    """A killed holder leaves the file, which then is no lock."""
    where.home.mkdir()
    program = (
        "import fcntl, os, sys; f = open(sys.argv[1], 'a+'); fcntl.flock(f, fcntl.LOCK_EX);"
        "f.write('1 moorage up'); f.flush(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(where.home / "local.lock")], check=False)
    with locks.held(where, "moorage up"):
        assert (where.home / "local.lock").read_text().startswith(f"{os.getpid()} moorage up\n")


def test_an_operation_inside_a_longer_run_of_this_process_is_covered(where: Place) -> None:
    with locks.held(where, "moorage test"):
        with locks.held(where, "moorage up"):
            pass
        assert list(where.home.glob("*.lock")), "the inner one must not free the outer one's lock"
    assert not list(where.home.glob("*.lock"))


HOLDER = """
import sys
from pathlib import Path
from moorage.deploy.locking import leases, locks, owners
from moorage.deploy import place
where = place.locate(Path(sys.argv[1]), "local")
with locks.held(where, "moorage up --stack local"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Place]:
    """Checkouts whose states lie in one folder."""
    (tmp_path / "states").mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/states")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of the team")

    def checkout(name: str) -> Place:
        (tmp_path / name).mkdir()
        (tmp_path / name / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
        (tmp_path / name / "Pulumi.local.yaml").write_text("config: {}\n")
        return place.locate(tmp_path / name, "local")

    return checkout


@contextmanager
def held_by_another_process(where: Place) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLDER, str(where.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        yield other
        if other.poll() is None:
            other.communicate()


def refused(where: Place) -> str:
    with pytest.raises(MoorageError) as fault, locks.held(where, "moorage destroy"):
        pytest.fail("two runs at once")
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    return str(fault.value)


def test_a_run_in_another_checkout_is_told_with_its_owner(shared: Callable[[str], Place]) -> None:
    one, two = shared("one"), shared("two")
    with held_by_another_process(one) as other:
        told = refused(two)
        assert "stack local is held by `moorage up --stack local` of " in told
        assert f"@{socket.gethostname()}, pid {other.pid}, for " in told
        assert "its process lives: wait for it to end, or interrupt it with `kill -INT " in told
    with locks.held(two, "moorage destroy"):
        pass
    assert one.backend_folder is not None
    assert not list(one.backend_folder.parent.iterdir())


def test_a_stopped_run_holds_what_it_held(shared: Callable[[str], Place]) -> None:
    one, two = shared("one"), shared("two")
    with held_by_another_process(one) as other:
        other.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, other.pid, os.WSTOPPED)
        assert f"let it go on with `kill -CONT {other.pid}`" in refused(two)
        assert f"let it go on with `kill -CONT {other.pid}`" in refused(one)
        other.send_signal(signal.SIGCONT)


def test_a_killed_run_in_another_checkout_is_taken_over(shared: Callable[[str], Place]) -> None:
    one, two = shared("one"), shared("two")
    said: list[str] = []
    with held_by_another_process(one) as other:
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # a zombie still
        with locks.held(two, "moorage up", say=said.append):
            pass
    assert "took the stack over from a run that died (`moorage up --stack local` of " in said[0]
    assert f"pid {other.pid}; its process is gone)" in said[0]


def test_a_run_is_waited_for_as_long_as_one_likes(shared: Callable[[str], Place]) -> None:
    one, two = shared("one"), shared("two")
    said: list[str] = []
    with held_by_another_process(one) as other:

        def say(text: str) -> None:
            said.append(text)
            assert other.stdin is not None
            other.stdin.close()

        with locks.held(two, "moorage up", wait_s=60.0, say=say):
            assert other.wait() == 0
    assert said[0].startswith("waiting at most 60 s: stack local is held by `moorage up")


def test_an_unfinished_takeover_keeps_what_is_known_of_the_dead(
    shared: Callable[[str], Place],
) -> None:
    """Else nobody could judge the locks that its engine left behind."""
    one, two = shared("one"), shared("two")
    with held_by_another_process(one) as other:
        other.kill()
        other.wait()
    said: list[str] = []
    for _ in range(2):
        with locks.held(two, "moorage up", say=said.append):
            pass  # it failed before it settled anything
        assert f"pid {other.pid}; its process is gone" in said.pop()
    with locks.held(two, "moorage up", say=said.append):
        locks.settle(two, said.append)
    with locks.held(two, "moorage up", say=pytest.fail):
        pass


def test_a_lock_that_says_nothing_blocks_until_a_person_names_it(where: Place) -> None:
    """Pulumi itself refuses every run while such a file is there."""
    path = lock(where, pid=1)
    path.write_text("")
    with pytest.raises(MoorageError) as fault:
        locks.settle(where, lambda _: None)
    assert "`moorage cancel --stack local --dead-owner 0b5f`" in str(fault.value)
    where.home.mkdir(exist_ok=True)
    locks.free(where, "moorage cancel", "0b5f")
    assert not path.exists()


def test_the_next_attempt_of_a_job_takes_over_from_a_machine_that_is_gone(
    shared: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the machine nor its engine can be asked any more; the attempt's number tells."""
    where = shared("one")
    assert where.backend_folder is not None
    attempt = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": "http://ci.invalid",
        "GITHUB_REPOSITORY": "team/models",
        "GITHUB_RUN_ID": "77",
        "GITHUB_JOB": "deploy",
    }
    for name, value in {**attempt, "GITHUB_RUN_ATTEMPT": "1"}.items():
        monkeypatch.setenv(name, value)
    gone = owners.here("moorage up --stack local", where.root)
    gone = replace(gone, host="fv-az1", pid=7, boot="gone", checkout="", machine="m")
    lease = where.backend_folder.parent / leases.key("demo", "local")
    lease.parent.mkdir(parents=True)
    lease.write_text(owners.write(gone))
    path = lock(where, pid=8, host="fv-az1")
    assert "CI job deploy (https://github.com/team/models/actions/runs/77/att" in refused(where)
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    said: list[str] = []
    with locks.held(where, "moorage up", say=said.append):
        locks.settle(where, said.append)
    assert "attempt 2 of its run goes on in its place" in said[0]
    assert "cleared the lock of a run that died (ann@fv-az1, pid 8" in said[1]
    assert not path.exists()
    assert not lease.exists()
