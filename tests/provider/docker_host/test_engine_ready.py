"""What an engine's container does, and what is said of it: on a real Docker engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.docker_host import engine, engine_ready
from moorage.provider.handler import Cancelled, Context, Created, State
from tests.e2e.checkout import free_port
from tests.provider.docker_host import harbour as made
from tests.provider.docker_host.harbour import Harbour

Contexts = Callable[..., Context]
OWNER = "shop/prod/chat"
PLANNED = 16 * made.BLOCKS
ALWAYS = {"restart_policy": {"Name": "unless-stopped"}}
LOG_END = "its log ends: loading with [secret] | ValueError: no such layer"


@dataclass(frozen=True, kw_only=True)
class Started:
    """A container and what an EngineReady is given for it."""

    harbour: Harbour
    container: Any
    inputs: State

    @property
    def where(self) -> str:
        return f"chat on {self.harbour.engine.host}"

    @property
    def status(self) -> str:
        self.container.reload()
        return str(self.container.status)


@pytest.fixture
def start(harbour: Harbour) -> Callable[..., Started]:
    """A container that loads for some seconds, then serves, or exits with a code."""

    def run(*arguments: str, settings: State | None = None, **inputs: Any) -> Started:
        port = free_port()
        slot = {"name": "chat", "port": port, "owner": OWNER}
        container = harbour.run(slot, *arguments, **(settings or {}))
        given = harbour.ready_inputs(container, port, **inputs)
        return Started(harbour=harbour, container=container, inputs=given)

    return run


def failed(started: Started, context: Context, state: State | None = None) -> str:
    """The line in which a create ends, or an update of what is known."""
    with pytest.raises(MoorageError) as failure:
        _ = (
            engine_ready.create(started.inputs, context)
            if state is None
            else engine_ready.update("id", state, started.inputs, context)
        )
    assert "\n" not in str(failure.value)
    return str(failure.value)


def drift(state: State, context: Context) -> str | None:
    found = engine_ready.read("id", state, {}, context)
    assert found is not None
    told: str | None = found.state["drift"]
    return told


def test_an_engine_that_answers_is_told_with_its_cache(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0", kv={"tokens": PLANNED * 2, "tolerance": 0.6})
    state = engine_ready.create(started.inputs, context()).state
    told = {name: state[name] for name in ("servedModel", "status", "engineVersion", "kvTokens")}
    assert told == {
        "servedModel": made.MODEL,
        "status": "running",
        "engineVersion": "0.33.0",
        "kvTokens": PLANNED,
    }
    assert state["kvDifference"] == -0.5
    with engine.reached(started.inputs["host"], context()) as there:
        assert there.is_marked(started.container.id), "a later change cannot know that it serves"


def test_a_cache_beyond_tolerance_fails_and_is_in_state(
    start: Callable[..., Started], context: Contexts
) -> None:
    started, kept = start("0", kv={"tokens": PLANNED * 2, "tolerance": 0.1}), list[Created]()
    message = failed(started, context(announce=kept.append))
    assert message == (
        f"{started.where} serves with 1,024 KV tokens, -50.0% of the 2,048 planned,"
        " more than 10% too few; free its GPUs of others, take larger ones, or lower max_model_len"
    )
    assert kept[-1].state["kvTokens"] == PLANNED
    assert started.status == "running"


@pytest.mark.thorough
def test_while_it_loads_its_last_word_is_shown(
    start: Callable[..., Started], context: Contexts, lines: list[str]
) -> None:
    started = start("1.5")
    engine_ready.create(started.inputs, context())
    assert any(line.endswith("s): loading with [secret]") for line in lines), lines


def test_one_that_exits_while_it_loads_fails_at_once_with_its_last_words(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0.3", "3")
    message = failed(started, context())
    how = f"{started.where} exited with code 3; {LOG_END}; correct it, and run up again"
    assert message == how


@pytest.mark.thorough
def test_one_that_docker_restarts_in_a_loop_fails_too_and_as_green_is_stopped(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0.3", "3", settings=ALWAYS, blueGreen=True)
    message = failed(started, context())
    assert message.startswith(started.where)
    assert f"and Docker restarts it in a loop; {LOG_END}"[:60] in message
    assert message.endswith("; correct it, and run up again")
    assert started.status == "exited"


@pytest.mark.thorough
def test_one_that_was_killed_for_memory_says_so(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0", settings={"mem_limit": "6m"})
    message = failed(started, context())
    if "killed (SIGKILL)" in message:
        pytest.skip("this kernel does not tell Docker of containers that it kills for memory")
    assert f"{started.where} was killed for memory; " in message


def test_one_that_a_person_stopped_is_started_again(
    start: Callable[..., Started], context: Contexts, lines: list[str]
) -> None:
    started = start("0", settings=ALWAYS)
    state = engine_ready.create(started.inputs, context()).state
    assert drift(state, context()) is None
    started.container.stop()
    how = "was killed (SIGKILL): by a person, or for the host's memory"
    assert drift(state, context()) == f"chat {how}"
    state = engine_ready.update("id", state, started.inputs, context())
    assert f"{started.where} {how}; it is started again" in lines
    assert (state["drift"], drift(state, context()), started.status) == (None, None, "running")


@pytest.mark.thorough
def test_one_that_a_person_paused_goes_on(start: Callable[..., Started], context: Contexts) -> None:
    started = start("0")
    state = engine_ready.create(started.inputs, context()).state
    started.container.pause()
    assert drift(state, context()) == "chat is paused"
    engine_ready.update("id", state, started.inputs, context())
    assert started.status == "running"


@pytest.mark.thorough
def test_one_that_failed_is_tried_again_by_the_next_run(
    start: Callable[..., Started], context: Contexts
) -> None:
    started, kept = start("0", "3"), list[Created]()
    failed(started, context(announce=kept.append))
    first = started.container.attrs["State"]["StartedAt"]
    failed(started, context(), kept[-1].state)
    started.container.reload()
    assert started.container.attrs["State"]["StartedAt"] != first


@pytest.mark.thorough
def test_one_that_is_gone_says_how_it_is_made_again(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0")
    state = engine_ready.create(started.inputs, context()).state
    started.container.remove(force=True)
    assert drift(state, context()) == f"{started.where} is gone"
    line = f"{started.where} is gone; run up with --refresh to have it made again"
    assert failed(started, context(), state) == line


def test_a_container_of_others_is_not_touched(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0", owner="yard/prod/chat", blueGreen=True)
    started.container.kill()
    message = failed(started, context(), {"containerId": started.container.id})
    assert message == (f"{started.where} belongs to {OWNER}; declare the container that is ours")
    assert started.status == "exited"


def test_a_wrong_key_is_told_at_once(start: Callable[..., Started], context: Contexts) -> None:
    started = start("0", key="sk-of-yesterday")
    message = failed(started, context())
    url = started.inputs["url"]
    assert f"{started.where} runs, but {url} refuses the key (401)" in message


def test_a_deadline_leaves_it_loading_for_the_next_run(
    start: Callable[..., Started], context: Contexts
) -> None:
    started, kept = start("3", readyTimeoutSeconds=0.5, blueGreen=True), list[Created]()
    message = failed(started, context(announce=kept.append))
    assert message.startswith(f"{started.where} does not serve after ")
    assert message.endswith(
        f" s at {started.inputs['url']}; its log ends: loading with [secret];"
        " it goes on loading, run up again to wait on"
    )
    given = {**started.inputs, "readyTimeoutSeconds": 60}
    state = engine_ready.update("id", kept[-1].state, given, context())
    assert state["servedModel"] == made.MODEL
    assert started.status == "running"
    assert started.container.attrs["State"]["StartedAt"] == state["startedAt"]


@pytest.mark.thorough
def test_a_cancel_leaves_it_loading_as_well(
    start: Callable[..., Started], context: Contexts
) -> None:
    started, cancelled = start("600", blueGreen=True), threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    with pytest.raises(Cancelled):
        engine_ready.create(started.inputs, context(cancelled=cancelled))
    assert started.status == "running"


@pytest.mark.thorough
def test_a_host_that_is_silent_is_told_and_changes_nothing_that_is_known(
    start: Callable[..., Started], context: Contexts
) -> None:
    started = start("0")
    state = engine_ready.create(started.inputs, context()).state
    away = {**state, "host": "tcp://127.0.0.1:9"}
    found = engine_ready.read("id", away, {}, context())
    assert found is not None
    assert found.state == {
        **away,
        "drift": "tcp://127.0.0.1:9: Docker's daemon does not run;"
        " start it, as by `systemctl start docker`",
    }
