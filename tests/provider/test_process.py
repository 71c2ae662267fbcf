"""Process on real processes: exactly one, proven, healed, and gone with all it started."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from moorage.errors import MoorageError
from moorage.provider.check import check
from moorage.provider.handler import Context, Created
from moorage.provider.handlers import machine, process

Inputs = Callable[..., dict[str, Any]]
NewContext = Callable[..., Context]


def get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return dict(json.loads(answer.read()))


def mooring(directory: str) -> list[int]:
    """Every live process that bears the directory's mark."""
    return [one.pid for one, _ in machine._marked(directory)]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while machine.exit_code(pid) is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_created_process_serves_and_is_described(inputs: Inputs, context: NewContext) -> None:
    wanted = inputs(environment={"KEY": "sk-secret"}, readyKey="sk-secret")
    made = process.create(wanted, context())
    state = made.state
    assert made.id == wanted["directory"]
    assert get(state["url"] + "/x")["path"] == "/x"
    assert Path(state["log"]) == Path(made.id, "log")
    assert state["url"] == f"http://127.0.0.1:{state['port']}"
    assert state["startedAt"].endswith("Z")
    assert psutil.Process(state["pid"]).environ()["KEY"] == "sk-secret"


def test_the_probe_may_post_and_bears_the_key(inputs: Inputs, context: NewContext) -> None:
    posted = inputs(
        ready={"path": "/v1/x", "body": '{"a": 1}', "contains": "a", "timeoutSeconds": 9}
    )
    process.create(posted, context())
    keyed = inputs(
        directory=posted["directory"] + "2",
        ready={"path": "/", "contains": "Bearer sk-probe", "timeoutSeconds": 9},
        readyKey="sk-probe",
    )
    process.create(keyed, context())


def test_where_no_path_is_given_an_open_port_is_proof_enough(
    inputs: Inputs, context: NewContext
) -> None:
    """A tunnel forwards what is not there yet, and speaks no HTTP of its own."""
    code = (
        "import socket, sys, time;"
        " door = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, "{port}"]
    state = process.create(inputs(command=command, ready={"timeoutSeconds": 10}), context()).state
    socket.create_connection(("127.0.0.1", state["port"]), 5).close()


def test_a_second_create_adopts_what_runs(inputs: Inputs, context: NewContext) -> None:
    first = process.create(inputs(), context()).state
    second = process.create(inputs(), context()).state
    assert second["pid"] == first["pid"]
    assert second["port"] == first["port"]
    assert mooring(first["directory"]) == [first["pid"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": {"A": "other"}},
        {"files": {"config.json": "{}"}},
        {
            "command": [
                sys.executable,
                str(Path(__file__).with_name("small_server.py")),
                "{port}",
                "--mark",
                "b",
            ]
        },
    ],
    ids=["environment", "files", "command"],
)
def test_another_declaration_replaces_what_runs(
    inputs: Inputs, context: NewContext, changes: dict[str, Any]
) -> None:
    first = process.create(inputs(environment={"A": "one"}), context()).state
    second = process.update(first["directory"], first, inputs(**changes), context())
    assert second["pid"] != first["pid"]
    assert second["port"] == first["port"]
    assert mooring(first["directory"]) == [second["pid"]]


def test_what_another_owner_runs_is_refused(inputs: Inputs, context: NewContext) -> None:
    theirs = process.create(inputs(), context()).state
    with pytest.raises(MoorageError, match="runs there for p/s/web, not for other/s/web"):
        process.create(inputs(owner="other/s/web"), context())
    process.delete(theirs["directory"], {**theirs, "owner": "other/s/web"}, context())
    assert get(theirs["url"])


def test_a_directory_that_is_not_ours_is_refused(
    inputs: Inputs, context: NewContext, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("years of work")
    with pytest.raises(MoorageError, match="belongs to nobody we know"):
        process.create(inputs(directory=str(home)), context())
    process.delete(str(home), inputs(directory=str(home)), context())
    assert (home / "thesis.tex").read_text() == "years of work"


def test_a_port_in_use_names_its_holder_and_leaves_nothing(
    inputs: Inputs, context: NewContext
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = inputs(port=taken.getsockname()[1])
        who = rf"port {wanted['port']} is in use by pid {os.getpid()} \(.+\); stop it"
        with pytest.raises(MoorageError, match=who):
            process.create(wanted, context())
    assert not Path(wanted["directory"]).exists()


def test_moving_to_a_port_in_use_leaves_the_old_one_running(
    inputs: Inputs, context: NewContext
) -> None:
    first = process.create(inputs(), context()).state
    with socket.create_server(("127.0.0.1", 0)) as taken:
        moved = inputs(port=taken.getsockname()[1])
        with pytest.raises(MoorageError, match="in use"):
            process.update(first["directory"], first, moved, context())
    assert mooring(first["directory"]) == [first["pid"]]


def test_a_program_that_is_missing_is_one_line_and_leaves_nothing(
    inputs: Inputs, context: NewContext
) -> None:
    wanted = inputs(command=["no-such-program", "{port}"])
    with pytest.raises(MoorageError, match="cannot start no-such-program: No such file"):
        process.create(wanted, context())
    assert not Path(wanted["directory"]).exists()


def test_a_process_that_ends_early_fails_at_once_with_its_last_words(
    inputs: Inputs, context: NewContext
) -> None:
    wanted = inputs("--die", "weights are damaged")
    known: list[Created] = []
    began = time.monotonic()
    with pytest.raises(MoorageError) as failure:
        process.create(wanted, context(announce=known.append))
    assert time.monotonic() - began < 3
    reason = str(failure.value)
    assert reason.startswith("the process ended with code 3 before it served: weights are")
    assert reason.endswith(f"its log: {wanted['directory']}/log")
    assert known[-1].state["pid"] == 0


def test_a_process_that_is_not_ready_in_time_stays_and_is_recorded(
    inputs: Inputs, context: NewContext
) -> None:
    slow = inputs("--after", "3", ready={"path": "/", "timeoutSeconds": 1.5})
    known: list[Created] = []
    with pytest.raises(MoorageError, match=r"does not serve after \d s: 503 .*keeps running"):
        process.create(slow, context(announce=known.append))
    kept = known[-1]
    assert mooring(kept.id) == [kept.state["pid"]]
    patient = {**slow, "ready": {"path": "/", "timeoutSeconds": 20}}
    healed = process.update(kept.id, kept.state, patient, context())
    assert healed["pid"] == kept.state["pid"]


def test_the_call_s_own_deadline_counts_too(inputs: Inputs, context: NewContext) -> None:
    began = time.monotonic()
    with pytest.raises(MoorageError):
        process.create(inputs("--after", "60"), context(seconds=0.5))
    assert time.monotonic() - began < 3


def test_cancel_ends_the_wait_at_once(inputs: Inputs, context: NewContext) -> None:
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(MoorageError, match=r"cancelled while waiting .* keeps running"):
        process.create(inputs("--after", "60"), context(cancelled=cancelled))
    assert time.monotonic() - began < 1.5


def test_a_healthy_process_shows_no_drift(inputs: Inputs, context: NewContext) -> None:
    state = process.create(inputs(), context()).state
    found = process.read(state["directory"], state, inputs(), context())
    assert found is not None
    assert {**found.state, "drift": None} == {**state, "drift": None}
    assert not found.state["drift"]


def test_a_killed_process_is_seen_and_healed_on_its_port(
    inputs: Inputs, context: NewContext
) -> None:
    first = process.create(inputs(), context()).state
    kill(first["pid"])
    found = process.read(first["directory"], first, inputs(), context())
    assert found is not None
    assert (found.state["pid"], found.state["drift"]) == (0, "the process has ended")
    healed = process.update(first["directory"], found.state, inputs(), context())
    assert healed["port"] == first["port"]
    assert get(healed["url"])
    assert "drift" not in healed
    assert Path(first["directory"], "log.1").exists()


def test_changed_arguments_are_drift_and_are_put_right(inputs: Inputs, context: NewContext) -> None:
    first = process.create(inputs(), context()).state
    environment = psutil.Process(first["pid"]).environ()
    kill(first["pid"])
    line = [*(part.format(port=first["port"]) for part in inputs()["command"]), "--mark", "x"]
    with subprocess.Popen(line, env=environment, start_new_session=True) as other:
        found = process.read(first["directory"], first, inputs(), context())
        assert found is not None
        assert found.state["drift"] == "its arguments were changed"
        healed = process.update(first["directory"], found.state, inputs(), context())
    assert other.returncode is not None
    assert mooring(first["directory"]) == [healed["pid"]]


def test_a_process_whose_directory_is_gone_is_gone(inputs: Inputs, context: NewContext) -> None:
    state = process.create(inputs(), context()).state
    for file in Path(state["directory"]).iterdir():
        file.unlink()
    Path(state["directory"]).rmdir()
    assert process.read(state["directory"], state, inputs(), context()) is None
    again = process.create(inputs(), context()).state
    assert mooring(state["directory"]) == [again["pid"]]
    assert Path(again["log"]).exists()


def test_changed_files_are_reloaded_without_a_restart(inputs: Inputs, context: NewContext) -> None:
    def routes(text: str) -> dict[str, Any]:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return inputs(
            *("--reload", "{directory}/routes.json"),
            files={"routes.json": text},
            reloadSignal="SIGHUP",
            ready={"path": "/health", "contains": digest, "timeoutSeconds": 10},
        )

    first = process.create(routes("one"), context()).state
    file = Path(first["directory"], "routes.json")
    assert file.stat().st_mode & 0o777 == 0o600
    second = process.update(first["directory"], first, routes("two"), context())
    assert second["pid"] == first["pid"]
    assert file.read_text() == "two"
    # Killed between writing and signalling: the file is new, the process does not know.
    file.write_text("three")
    third = process.update(first["directory"], second, routes("three"), context())
    assert third["pid"] == first["pid"]


def test_another_port_restarts_even_when_only_a_file_tells_it(
    inputs: Inputs, context: NewContext
) -> None:
    program = (
        "import http.server as h, sys; port = int(open(sys.argv[1]).read());"
        "h.test(h.SimpleHTTPRequestHandler, port=port, bind='127.0.0.1')"
    )

    def at(port: int) -> dict[str, Any]:
        return inputs(
            command=[sys.executable, "-c", program, "{directory}/port"],
            files={"port": str(port)},
            port=port,
            reloadSignal="SIGHUP",
            ready={"path": "/", "timeoutSeconds": 10},
        )

    old, new = free_ports(2)
    first = process.create(at(old), context()).state
    second = process.update(first["directory"], first, at(new), context())
    assert second["pid"] != first["pid"]
    assert mooring(first["directory"]) == [second["pid"]]
    assert second["url"].endswith(f":{new}")


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_delete_stops_helpers_and_removes_the_directory(
    inputs: Inputs, context: NewContext
) -> None:
    state = process.create(inputs("--helper"), context()).state
    assert len(mooring(state["directory"])) == 2
    process.delete(state["directory"], state, context())
    assert mooring(state["directory"]) == []
    assert not Path(state["directory"]).exists()
    process.delete(state["directory"], state, context())


def test_a_stubborn_process_is_killed_after_its_grace(inputs: Inputs, context: NewContext) -> None:
    state = process.create(inputs("--stubborn", stopGraceSeconds=0.5), context()).state
    began = time.monotonic()
    process.delete(state["directory"], state, context())
    assert 0.4 < time.monotonic() - began < 4
    assert mooring(state["directory"]) == []


def test_sixteen_creates_at_once_leave_one_process(inputs: Inputs, context: NewContext) -> None:
    pids: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: pids.append(process.create(inputs(), context()).state["pid"])
        )
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 16
    assert len(set(pids)) == 1
    assert mooring(inputs()["directory"]) == [pids[0]]


def test_the_passphrase_of_pulumi_is_not_handed_on(
    inputs: Inputs, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    state = process.create(inputs(), context()).state
    assert "PULUMI_CONFIG_PASSPHRASE" not in psutil.Process(state["pid"]).environ()


def test_locate_finds_what_an_interrupted_create_left(inputs: Inputs, context: NewContext) -> None:
    wanted = inputs()
    assert process.locate(wanted, context()) is None
    process.create(wanted, context())
    assert process.locate(wanted, context()) == wanted["directory"]
    assert process.locate({**wanted, "owner": "other"}, context()) is None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"directory": "relative/path"}, "directory"),
        ({"owner": ""}, "owner"),
        ({"command": []}, "command"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"files": {"../escape": ""}}, "files"),
        ({"files": {"log": ""}}, "files"),
        ({"files": {"declared.json": ""}}, "files"),
        ({"files": {".hidden": ""}}, "files"),
    ],
)
def test_inputs_that_cannot_be_are_named(inputs: Inputs, change: dict[str, Any], name: str) -> None:
    fields = process.SHAPE.inputs
    assert [failure.name for failure in check(fields, inputs(**change))[1]] == [name]
    assert check(fields, inputs())[1] == []


DEAF = """
import signal, socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.signal(signal.SIGUSR1, lambda *_: server.close())
try:
    while True:
        call, _ = server.accept()
        call.recv(9999)
        call.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
        call.close()
except OSError:
    time.sleep(600)
"""


def test_one_that_listens_no_more_is_seen_and_replaced(inputs: Inputs, context: NewContext) -> None:
    wanted = inputs(command=[sys.executable, "-c", DEAF, "{port}"])
    first = process.create(wanted, context()).state
    os.kill(first["pid"], signal.SIGUSR1)
    found = process.read(first["directory"], first, wanted, context())
    assert found is not None
    assert found.state["drift"] == "the process lives, and listens no more on its port"
    healed = process.update(first["directory"], found.state, wanted, context())
    assert healed["pid"] != first["pid"]
    assert healed["port"] == first["port"]
    assert mooring(first["directory"]) == [healed["pid"]]


def test_one_that_answers_nothing_for_now_is_left_in_peace(
    inputs: Inputs, context: NewContext
) -> None:
    """It may be busy: nobody can tell that from outside, and a restart would lose its work."""
    state = process.create(inputs(), context()).state
    os.kill(state["pid"], signal.SIGSTOP)
    found = process.read(state["directory"], state, inputs(), context())
    os.kill(state["pid"], signal.SIGCONT)
    assert found is not None
    assert found.state["drift"] is None


def test_one_that_has_never_served_is_waited_for_and_not_replaced(
    inputs: Inputs, context: NewContext
) -> None:
    """It opens its port when its weights are loaded."""
    loading = inputs(command=[sys.executable, "-c", "import time; time.sleep(600)", "{port}"])
    loading["ready"] = {"path": "/", "timeoutSeconds": 0.2}
    exists: list[Created] = []
    with pytest.raises(MoorageError, match="does not serve after"):
        process.create(loading, context(announce=exists.append))
    state = exists[-1].state
    found = process.read(state["directory"], state, loading, context())
    assert found is not None
    assert found.state["drift"] is None
    with pytest.raises(MoorageError, match="does not serve after"):
        process.update(state["directory"], found.state, loading, context())
    assert mooring(state["directory"]) == [state["pid"]]


def test_its_directory_alone_tells_what_was_declared(inputs: Inputs, context: NewContext) -> None:
    wanted = inputs(environment={"KEY": "sk-1"}, files={"a.json": "{}"}, readyKey="sk-2")
    state = process.create(wanted, context()).state
    found = process.read(state["directory"], {}, {}, context())
    assert found is not None
    assert found.inputs == wanted
    assert {**state, "drift": None} == found.state
    written = Path(state["directory"], "declared.json")
    assert written.stat().st_mode & 0o777 == 0o600
    kill(state["pid"])
    found = process.read(state["directory"], {}, {}, context())
    assert found is not None
    assert (found.state["drift"], found.state["url"]) == ("the process has ended", state["url"])
    written.unlink()
    with pytest.raises(MoorageError, match="does not tell what was declared; declare it and run"):
        process.read(state["directory"], {}, {}, context())
