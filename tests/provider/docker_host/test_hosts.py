"""Every way in which a Docker host cannot be used ends in one line that says what to do."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moorage.errors import Exit, MoorageError
from moorage.provider.docker_host import container_slot, engine, engine_ready, faults, hosts
from moorage.provider.handler import Context, State
from tests.docker import image
from tests.docker.engine import Engine
from tests.docker.engine import running as docker_running
from tests.e2e.checkout import free_port
from tests.provider.docker_host import ssh_host
from tests.provider.docker_host.harbour import Harbour
from tests.provider.docker_host.ssh_host import SshHost

Contexts = Callable[..., Context]


def reached(host: str, context: Context) -> str:
    """The version of the engine there."""
    with engine.reached(host, context) as there:
        return there.version()


def unreachable(host: str, context: Context) -> str:
    """The line that says why it cannot be reached."""
    with pytest.raises(MoorageError) as failure:
        reached(host, context)
    assert failure.value.exit_code == Exit.UNANSWERED
    return str(failure.value)


@pytest.fixture
def behind_ssh(
    docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SshHost]:
    if reason := ssh_host.unavailable():
        pytest.skip(reason)
    with ssh_host.running(tmp_path, docker_engine) as there:
        monkeypatch.setenv("PATH", there.path)
        yield there


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("local", None),
        ("ssh://gpu-box-1", None),
        ("ssh://root@[::1]:2222", None),
        ("unix:///run/docker.sock", None),
        ("tcp://127.0.0.1:2375", None),
        ("gpu-box-1", "must be `local`, or begin with ssh://, unix:// or tcp://"),
        ("https://gpu-box-1", "must be `local`, or begin with ssh://, unix:// or tcp://"),
        ("ssh://", "names no host"),
        ("ssh://-oProxyCommand=x", "names no host"),
        ("ssh://-oProxyCommand=x@host", "names no host"),
        ("unix://", "names no socket"),
        ("ssh://box:port", "must be an address"),
        ("ssh://me:secret@box", "must not have a password in it; ssh takes keys"),
    ],
)
def test_an_address_is_judged_before_anything_is_asked(host: str, reason: str | None) -> None:
    assert hosts.fault(host) == reason


def test_local_is_where_the_environment_says() -> None:
    told = hosts.of("local", {"DOCKER_HOST": "ssh://gpu-box-1"})
    assert (str(told), told.is_ssh) == ("the local engine (ssh://gpu-box-1)", True)
    assert str(hosts.of("local", {})) == "the local engine (unix:///var/run/docker.sock)"


def test_the_local_engine_is_that_of_the_environment(
    docker_engine: Engine, context: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_engine.host)
    assert reached("local", context()) == docker_engine.client.version()["Version"]


def test_no_docker_at_a_socket(context: Contexts, tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/docker.sock"
    line = f"{host}: no Docker is there; install and start it, or correct `host`"
    assert unreachable(host, context()) == line


def test_a_daemon_that_does_not_run_at_its_port(context: Contexts) -> None:
    host = f"tcp://127.0.0.1:{free_port()}"
    start = "start it, as by `systemctl start docker`"
    assert unreachable(host, context()) == f"{host}: Docker's daemon does not run; {start}"


@pytest.mark.thorough
def test_a_daemon_that_is_silent(context: Contexts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        message = unreachable(host, context(seconds=1))
    line = "Docker there does not answer in time; see that its daemon is well"
    assert message == f"{host}: {line}"


@pytest.mark.thorough
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root, to become somebody else")
def test_a_socket_that_the_user_may_not_use(docker_engine: Engine, context: Contexts) -> None:
    reached(docker_engine.host, context())  # all modules are loaded while that may be
    docker_engine.place.folder.parent.chmod(0o755)
    os.seteuid(65534)
    try:
        message = unreachable(docker_engine.host, context())
    finally:
        os.seteuid(0)
    advice = "join the group docker, or use rootless Docker"
    assert message == f"{docker_engine.host}: you may not use Docker's socket; {advice}"


def test_a_host_is_reached_by_ssh_along_one_connection(
    behind_ssh: SshHost, harbour: Harbour, context: Contexts
) -> None:
    inputs = harbour.slot_inputs(host=behind_ssh.host, devices=[["0"]])
    slot = container_slot.create(inputs, context()).state
    container = harbour.run(slot)
    ready = harbour.ready_inputs(container, slot["port"], host=behind_ssh.host)
    assert engine_ready.create(ready, context()).state["status"] == "running"
    log = (behind_ssh.folder / "log").read_text(encoding="utf-8")
    assert log.count("Accepted publickey") == 2, "each call may connect once"


def test_a_wrong_ssh_key(behind_ssh: SshHost, context: Contexts) -> None:
    behind_ssh.use_key("wrong")
    assert unreachable(behind_ssh.host, context()) == (
        f"{behind_ssh.host}: it refuses the ssh key; name the right one in ~/.ssh/config,"
        " or have yours let in there (root@127.0.0.1: Permission denied (publickey).)"
    )


@pytest.mark.thorough
def test_a_host_key_that_nobody_knows(behind_ssh: SshHost, context: Contexts) -> None:
    behind_ssh.forget_host_key()
    assert unreachable(behind_ssh.host, context()).startswith(
        f"{behind_ssh.host}: its host key is not the one known here;"
        " compare it, then add it to ~/.ssh/known_hosts ("
    )


@pytest.mark.thorough
def test_a_daemon_that_does_not_run_behind_ssh(
    behind_ssh: SshHost, second_docker_engine: Engine, context: Contexts
) -> None:
    behind_ssh.lead_to(second_docker_engine.host)
    second_docker_engine.stop()
    try:
        message = unreachable(behind_ssh.host, context())
    finally:
        second_docker_engine.start()
    start = "start it there, as by `systemctl start docker`"
    assert message.startswith(f"{behind_ssh.host}: Docker's daemon does not run; {start} (")


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs an ssh client")
def test_nobody_who_takes_ssh_there(context: Contexts) -> None:
    host = f"ssh://127.0.0.1:{free_port()}"
    line = (
        f"{host}: it cannot be reached; check that it is up and takes ssh from here (ssh: connect"
    )
    assert unreachable(host, context()).startswith(line)


def test_no_ssh_on_this_machine(context: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MoorageError) as failure:
        reached("ssh://gpu-box-1", context())
    line = "ssh is not on this machine; install OpenSSH's client to reach hosts by ssh"
    assert str(failure.value) == line


def test_a_host_without_nvidias_runtime(second_docker_engine: Engine, context: Contexts) -> None:
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    second_docker_engine.client.api.import_image_from_data(empty.getvalue(), repository="empty")
    there = Harbour(engine=second_docker_engine, image="empty")
    with pytest.raises(MoorageError) as failure:
        container_slot.create(there.slot_inputs(devices=[["0"]], port=20999), context())
    assert str(failure.value) == (
        f"{second_docker_engine.host}: proving GPU 0 and port 20999 of 127.0.0.1 for chat:"
        " Docker has no NVIDIA runtime; install the NVIDIA Container Toolkit there, restart Docker"
        ' (could not select device driver "nvidia" with capabilities: [[gpu]])'
    )
    assert not there.containers()


@pytest.mark.thorough
def test_a_daemon_that_hangs_while_it_is_waited_for(harbour: Harbour, context: Contexts) -> None:
    started, pid = _loading(harbour), _daemon(harbour.engine)
    threading.Timer(0.5, os.kill, (pid, signal.SIGSTOP)).start()
    try:
        with pytest.raises(faults.Unreachable, match="does not answer in time"):
            engine_ready.create(started, context(seconds=2))
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.thorough
def test_a_daemon_that_dies_while_it_is_waited_for(context: Contexts) -> None:
    with docker_running() as short_lived:
        there = Harbour(engine=short_lived, image=image.load(short_lived))
        started, pid = _loading(there), _daemon(short_lived)
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(faults.Unreachable, match=r"daemon (broke off|does not run); "):
            engine_ready.create(started, context())


def _loading(there: Harbour) -> State:
    """What an EngineReady is given for a container that loads for long."""
    port = free_port()
    container = there.run({"name": "chat", "port": port, "owner": "shop/prod/chat"}, "600")
    return there.ready_inputs(container, port)


def _daemon(engine: Engine) -> int:
    return int(engine.place.pid_file.read_text(encoding="utf-8"))


@pytest.mark.thorough
def test_a_full_disk(context: Contexts) -> None:
    with docker_running(disk_mib=400) as small:
        there = Harbour(engine=small, image=image.load(small))
        _fill(small.place.folder / "data" / "filler")
        with pytest.raises(MoorageError) as failure:
            container_slot.create(there.slot_inputs(), context())
        line = "its disk is full; make room, as by `docker system prune` ("
        assert line in str(failure.value)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(1 << 20))
        except OSError:
            return
