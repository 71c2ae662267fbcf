"""Containers on a Docker host: a whole life on a real engine, and all that happens to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.docker import engine as engines
from tests.docker.engine import Engine
from tests.e2e.checkout import Ended, ask, free_port
from tests.e2e.docked import DockedStack, a_docked_stack

# One worker after another: containers of all their engines publish ports of this one machine.
pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.xdist_group("docked")]


@pytest.fixture(scope="module")
def stack(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockedStack]:
    root = tmp_path_factory.mktemp("docked")
    with a_docked_stack(root, [docker_engine], gpu="nvidia-l4") as stack:
        yield stack


@pytest.fixture(scope="module")
def up(stack: DockedStack) -> DockedStack:
    """The stack, deployed."""
    stack.fine("up")
    return stack


@contextmanager
def two_hosts(folder: Path, name: str) -> Iterator[tuple[DockedStack, Engine]]:
    """A stack on hosts of its own, and the second of them: both have the GPUs of this machine."""
    with (
        engines.running(gpus=2) as first,
        engines.running(gpus=2) as second,
        a_docked_stack(folder, [first, second], name=name, gpu="nvidia-l4") as stack,
    ):
        yield stack, second


def backend(stack: DockedStack) -> str:
    """Who answers."""
    answer = ask(stack.outputs())
    assert answer.status_code == 200, answer.text
    return answer.headers["x-moorage-backend"]


def one_clear_line(ended: Ended, code: int, *words: str) -> None:
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    for word in words:
        assert word in ended.err


def replaced(stack: DockedStack) -> tuple[str, str]:
    """The ids of the container before and after an up, with one alone at either time."""
    before = stack.the_container().id
    stack.fine("up")
    after = stack.the_container()
    assert after.status == "running"
    assert backend(stack) == "docker-host-1"
    return before, after.id


def test_up_runs_a_container_that_only_the_gateway_can_reach(up: DockedStack) -> None:
    assert backend(up) == "docker-host-1"
    attrs = up.the_container().attrs
    [bindings] = attrs["HostConfig"]["PortBindings"].values()
    assert [one["HostIp"] for one in bindings] == ["127.0.0.1"]
    key = next(one for one in attrs["Config"]["Env"] if one.startswith("VLLM_API_KEY="))
    assert key.partition("=")[2] not in " ".join(attrs["Config"]["Cmd"])
    assert attrs["HostConfig"]["DeviceRequests"][0]["DeviceIDs"] == ["0"]
    unkeyed = httpx.get(f"http://127.0.0.1:{bindings[0]['HostPort']}/v1/models", timeout=10)
    assert unkeyed.status_code == 401


@pytest.mark.thorough
def test_nothing_changes_when_nothing_has_changed(up: DockedStack) -> None:
    before = up.the_container().id
    up.fine("up", "--expect-no-changes")
    assert up.the_container().id == before


@pytest.mark.thorough
def test_a_killed_container_is_healed_by_the_next_up(up: DockedStack) -> None:
    up.the_container().kill()
    ended = up.fine("up")
    assert up.the_container().status == "running", ended.said
    assert backend(up) == "docker-host-1"


@pytest.mark.thorough
def test_a_removed_container_is_made_again_by_the_next_up(up: DockedStack) -> None:
    before = up.the_container()
    before.remove(force=True)
    up.fine("up")
    assert up.the_container().id != before.id
    assert backend(up) == "docker-host-1"


@pytest.mark.thorough
def test_a_changed_environment_replaces_the_container(up: DockedStack) -> None:
    up.serve(env={"MOORAGE_TWIN_TOKEN_S": "0.001"})
    before, after = replaced(up)
    assert before != after
    assert "MOORAGE_TWIN_TOKEN_S=0.001" in up.the_container().attrs["Config"]["Env"]


@pytest.mark.thorough
def test_another_version_of_the_engine_is_another_image(up: DockedStack) -> None:
    image = up.the_container().attrs["Image"]
    up.serve(version="0.32.0")
    before, after = replaced(up)
    assert before != after
    assert up.the_container().attrs["Image"] != image


@pytest.mark.thorough
def test_an_image_that_cannot_be_had_is_told_while_the_old_container_serves(
    up: DockedStack,
) -> None:
    before = up.the_container().id
    up.serve(version="0.31.0")
    one_clear_line(up.moorage("up"), 1, "vllm/vllm-openai:v0.31.0")
    assert up.the_container().id == before
    assert backend(up) == "docker-host-1"
    up.serve(version="0.32.0")
    up.fine("up")


@pytest.mark.thorough
def test_a_taken_port_is_told_while_the_old_container_serves(up: DockedStack) -> None:
    before = up.the_container().id
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up.place(port=taken.getsockname()[1])
        one_clear_line(up.moorage("up"), 1, str(taken.getsockname()[1]))
    assert up.the_container().id == before
    assert backend(up) == "docker-host-1"
    up.place(port=free_port())
    assert len({*replaced(up)}) == 2
    up.place(port=None)
    up.fine("up")


@pytest.mark.thorough
def test_too_few_gpus_are_told_while_the_old_container_serves(up: DockedStack) -> None:
    before = up.the_container().id
    up.place(device_ids=["7"])
    one_clear_line(up.moorage("up"), 1, "GPU")
    assert up.the_container().id == before
    up.place(device_ids=None)
    up.fine("up")


@pytest.mark.thorough
def test_a_stopped_daemon_is_told_and_its_containers_are_back_when_it_is(
    up: DockedStack,
) -> None:
    [engine] = up.engines
    before = up.the_container().id
    engine.stop()
    one_clear_line(up.moorage("up"), 1, engine.host)
    engine.start()
    up.fine("up")
    assert up.the_container().id == before
    assert backend(up) == "docker-host-1"


@pytest.mark.thorough
def test_an_engine_that_fails_to_start_is_told_with_its_last_words(up: DockedStack) -> None:
    up.serve(env={"MOORAGE_TWIN_FAILS": "RuntimeError: out of memory"})
    one_clear_line(up.moorage("up"), 1, "RuntimeError: out of memory")
    up.serve(env=None)
    up.fine("up")
    assert backend(up) == "docker-host-1"


@pytest.mark.thorough
def test_a_full_disk_is_told_in_one_line(tmp_path: Path) -> None:
    if reason := engines.unavailable():
        pytest.skip(reason)
    with (
        engines.running(gpus=1, disk_mib=400) as small,
        a_docked_stack(tmp_path, [small], gpu="nvidia-l4") as stack,
        _filled(small.place.folder / "data"),
    ):
        one_clear_line(stack.moorage("up"), 1, "no space left on device")


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Leave no byte of a disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 20)):
                pass
        except OSError:
            pass
    yield
    filler.unlink()


@pytest.mark.thorough
def test_a_host_that_is_lost_is_replaced_by_the_other_until_it_is_back(tmp_path: Path) -> None:
    """Hosts of its own: no stack gets GPUs that another one holds."""
    with two_hosts(tmp_path, "two-hosts") as (stack, _second):
        stack.fine("up")
        assert backend(stack) == "docker-host-1"
        stack.the_container(0).kill()
        assert backend(stack) == "docker-host-2"
        stack.fine("up")
        _until(lambda: backend(stack) == "docker-host-1")


@pytest.mark.thorough
def test_a_host_that_is_gone_for_good_is_forgotten_by_one_command(tmp_path: Path) -> None:
    with two_hosts(tmp_path, "gone-host") as (stack, second):
        stack.fine("up")
        second.stop()
        forget = ("state", "remove", "--host", second.host)
        one_clear_line(stack.moorage(*forget), 1, "Process gateway-process still needs what is on")
        stack.keep(1)
        one_clear_line(stack.moorage("up"), 1, f"`moorage state remove --host {second.host}`")
        assert backend(stack) == "docker-host-1"
        told = stack.fine(*forget).out
        assert "Container chat-docker-host-2" in told
        assert "ApiKey" not in told
        stack.fine("up")
        stack.fine("up", "--expect-no-changes")
        second.start()
        for container in stack.containers(1):
            container.remove(force=True)


@pytest.mark.thorough
def test_a_change_by_blue_and_green_fails_no_request(tmp_path: Path) -> None:
    options = {"on_change": "blue-green", "device_ids": ["0"], "spare_device_ids": ["1"]}
    with (
        engines.running(gpus=2) as engine,
        a_docked_stack(tmp_path, [engine], name="colours", gpu="nvidia-l4", **options) as stack,
    ):
        stack.fine("up")
        before = stack.the_container()
        assert _devices(before) == ["0"]
        stack.serve(env={"MOORAGE_TWIN_TOKEN_S": "0.01"})
        with asked_all_the_time(stack) as got:
            stack.fine("up")
            time.sleep(1)
        after = stack.the_container()
        assert after.id != before.id
        assert _devices(after) == ["1"]
        assert len(got()) > 20
        assert {*got()} == {200}


def _devices(container: object) -> list[str]:
    attrs = container.attrs  # type: ignore[attr-defined]
    found: list[str] = attrs["HostConfig"]["DeviceRequests"][0]["DeviceIDs"]
    return found


@contextmanager
def asked_all_the_time(stack: DockedStack) -> Iterator[Callable[[], list[int]]]:
    """Clients that never stop asking; what they got, by status."""
    service, got, over = stack.outputs(), list[int](), threading.Event()

    def asking() -> None:
        while not over.is_set():
            try:
                got.append(ask(service).status_code)
            except httpx.HTTPError:
                got.append(0)

    threads = [threading.Thread(target=asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield lambda: got
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _until(done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline_s, "it takes too long"
        time.sleep(0.1)
