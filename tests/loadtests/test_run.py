"""The real thing: Locust in its own process against a real server on loopback."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests.measures import per_token_ms
from loadtests.profiles import FAILOVER, READY, SMOKE, Profile, Target
from loadtests.rows import Row
from loadtests.run import run as measure
from loadtests.verdict import Ruling, Verdict
from moorage.errors import Exit, MoorageError
from moorage.spec.types import Failover, Load, Slo
from tests.loadtests.sse_server import Behaviour, SseServer, serving

KEY = "sk-moorage-test-secret"
SHORT = replace(SMOKE, duration_s=1.5)
IMPATIENT = {"first_token_timeout_s": 1.5, "stall_timeout_s": 1.0, "total_timeout_s": 2.0}


def run(*words: Any, **named: Any) -> Verdict:
    """Measure; what a busy machine makes worthless, as the verdict itself says, shows nothing."""
    verdict = measure(*words, **named)
    if busy := [reason for reason in verdict.reasons if reason.startswith("the client was too")]:
        pytest.skip(f"nothing can be measured here now: {busy[0]}")
    return verdict


def target(url: str, **changes: Any) -> Target:
    usual: dict[str, Any] = {"service": "hello", "model": "hello", "load": Load(rps=16)}
    return Target(url=url, api_key=KEY, **(usual | changes))


def rows_in(folder: Path) -> list[Row]:
    return [Row.from_line(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def generators() -> list[psutil.Process]:
    """Load generators that this test process started and that still run."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # ended meanwhile
            if "locust" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_first_token_and_pace_agree_with_the_servers_own_clock(tmp_path: Path) -> None:
    """Both read CLOCK_MONOTONIC: every token is compared with the moment it was written."""
    how = Behaviour(first_s=0.05, gap_s=0.02, tokens=10, backend="local-1")
    with serving(lambda body, index: how) as server:
        profile = replace(SMOKE, duration_s=2)
        verdict = run(profile, target(server.url), report_dir=tmp_path, progress=lambda line: None)
    assert verdict.ruling is Ruling.PASS, verdict.reasons
    rows = rows_in(tmp_path)
    streams = [(row, server.served[row.request_id or ""]) for row in rows if row.streamed]
    assert len(rows) == 32
    assert len(streams) == 16
    late_ms = [(row.first_token_s - seen.token_s[0]) * 1000 for row, seen in streams]  # type: ignore[operator]
    pace_ms = [(seen.token_s[-1] - seen.token_s[0]) * 1000 / 9 for _, seen in streams]
    read_ms = [per_token_ms(row) or 0.0 for row, _ in streams]
    assert 0 <= statistics.median(late_ms) < 15
    assert statistics.median(read_ms) == pytest.approx(statistics.median(pace_ms), abs=3)
    assert all(row.intended_s <= (row.sent_s or 0) for row in rows)
    assert {seen.key for seen in server.served.values()} == {f"Bearer {KEY}"}


def test_the_first_token_is_not_held_back_by_reads_of_a_fixed_size(tmp_path: Path) -> None:
    """Locust's iter_lines would report the time of the 1024th byte, here the end of the stream."""
    how = Behaviour(first_s=0.03, gap_s=0.25, tokens=3, backend="local-1")
    with serving(lambda body, index: how) as server:
        verdict = run(SHORT, target(server.url), report_dir=tmp_path, progress=lambda line: None)
    value_ms = verdict.measure("ttft_p50").value
    assert value_ms is not None
    assert value_ms < 200


FAULTS: dict[str, Behaviour] = {
    "ok": Behaviour(),
    "ok, though buffered": Behaviour(fault="buffered"),
    "ok, though delayed": Behaviour(first_s=0.8),
    "truncated": Behaviour(fault="fin"),
    "truncated, though the end was clean": Behaviour(fault="clean-end"),
    "reset": Behaviour(fault="rst"),
    "sse_error": Behaviour(fault="error-event"),
    "invalid_json": Behaviour(fault="bad-json"),
    "stall": Behaviour(fault="stall"),
    "ttft_timeout": Behaviour(fault="stall", at_token=0),
    "empty": Behaviour(fault="empty"),
    "rate_limited": Behaviour(status=429),
    "http_5xx": Behaviour(status=503),
    "http_4xx": Behaviour(status=404),
    "http_3xx": Behaviour(status=307),
}


def test_every_arrival_ends_in_one_row_and_one_event_whatever_the_fault(tmp_path: Path) -> None:
    chosen: dict[int, str] = {}

    def choose(body: dict[str, Any], index: int) -> Behaviour:
        if not body["stream"]:
            return Behaviour()
        chosen[index] = list(FAULTS)[len(chosen) % len(FAULTS)]
        return FAULTS[chosen[index]]

    with serving(choose) as server:
        profile = replace(SMOKE, duration_s=3, **IMPATIENT)  # type: ignore[arg-type]
        verdict = run(profile, target(server.url), report_dir=tmp_path, progress=lambda line: None)
    rows = rows_in(tmp_path)
    assert len(rows) == 48
    assert verdict.health.arrivals == verdict.health.events == 48
    expected = {f"r{index}": name.split(",")[0] for index, name in chosen.items()}
    assert {row.request_id: row.outcome for row in rows if row.request_id in expected} == {
        request_id: outcome
        for request_id, outcome in expected.items()
        if request_id in {row.request_id for row in rows}
    }
    assert Counter(row.outcome for row in rows if not row.streamed) == {"ok": 24}
    delivered = {row.content_events for row in rows if row.outcome in ("reset", "truncated")}
    assert delivered == {3}  # what arrived before the end is kept
    assert verdict.ruling is Ruling.PASS  # no service level was asked for
    assert verdict.outcomes["ok"] < 48


def test_arrivals_above_the_limit_are_dropped_and_counted_never_delayed(tmp_path: Path) -> None:
    with serving(lambda body, index: Behaviour(first_s=0.4, tokens=1)) as server:
        profile = replace(SHORT, max_in_flight=2)
        verdict = run(profile, target(server.url), report_dir=tmp_path, progress=lambda line: None)
    assert verdict.ruling is Ruling.INVALID
    assert verdict.outcomes["dropped"] > 5
    assert len(rows_in(tmp_path)) == verdict.health.arrivals == 24


@pytest.mark.thorough
def test_embeddings_are_asked_for_where_the_task_is_one(tmp_path: Path) -> None:
    with serving(lambda body, index: Behaviour(backend="local-1")) as server:
        verdict = run(
            SHORT,
            target(server.url, task="feature-extraction", slo=Slo(ttft_p95_ms=2000)),
            report_dir=tmp_path,
            progress=lambda line: None,
        )
    assert verdict.ruling is Ruling.PASS, verdict.reasons
    assert all("input" in seen.body for seen in server.served.values())


def test_nobody_there_is_told_as_never_answered(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        verdict = run(SHORT, target(url), report_dir=tmp_path, progress=lambda line: None)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.UNANSWERED)
    assert set(verdict.outcomes) == {"connect_refused"}


class Front:
    """Two backends behind one front; the first can be taken away and brought back."""

    def __init__(self, *, gap_s: float = 0.0) -> None:
        self.server: SseServer | None = None
        self.deeds: list[str] = []
        self._gap_s = gap_s
        self._gap_until_s = 0.0
        self._backend = "local-1"

    def choose(self, body: dict[str, Any], index: int) -> Behaviour:
        if time.monotonic() < self._gap_until_s:
            return Behaviour(status=503)
        return Behaviour(backend=self._backend, tokens=12, gap_s=0.04)

    def take_away(self) -> None:
        assert self.server is not None
        self.deeds.append("fault")
        self._gap_until_s = time.monotonic() + self._gap_s
        self._backend = "local-2"
        self.server.cut_backend = "local-1"
        self.server.cut.set()

    def bring_back(self) -> None:
        assert self.server is not None
        self.deeds.append("restore")
        time.sleep(0.4)
        self.server.cut.clear()
        self._backend = "local-1"


QUICK = replace(FAILOVER, baseline_s=1.5, hold_s=2.0, recovery_s=1.5, window_s=0.5)
CRITERIA = Failover(time_to_recover_s=3, lost_before_first_token=0)


def fail_over(
    front: Front,
    folder: Path,
    *,
    fault: Callable[[], object] | None = None,
    restore: Callable[[], object] | None = None,
    profile: Profile = QUICK,
    progress: Callable[[str], None] = lambda line: None,
) -> Any:
    with serving(front.choose) as server:
        front.server = server
        return run(
            profile,
            target(server.url, failover=CRITERIA, slo=Slo(ttft_p95_ms=2000)),
            report_dir=folder,
            fault=fault or front.take_away,
            restore=restore or front.bring_back,
            progress=progress,
        )


@pytest.mark.slow
def test_a_failover_that_loses_only_streams_in_flight_passes(tmp_path: Path) -> None:
    seen: list[str] = []
    verdict = fail_over(Front(), tmp_path, progress=seen.append)
    assert verdict.ruling is Ruling.PASS, verdict.reasons
    assert verdict.measure("lost_before_first_token").value == 0
    assert verdict.measure("lost_midstream").value >= 1
    assert verdict.measure("tokens_lost_midstream").value >= 1
    assert verdict.measure("detection").value < 2
    assert verdict.measure("fail_back_share").value > 0.9
    assert set(verdict.backends) == {"local-1", "local-2"}
    assert any("failover, hold" in line and "ok" in line for line in seen)


@pytest.mark.slow
def test_a_failover_that_loses_requests_fails_its_criteria(tmp_path: Path) -> None:
    verdict = fail_over(Front(gap_s=1.0), tmp_path)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.FAIL, Exit.FAILOVER)
    assert verdict.measure("lost_before_first_token").value >= 6
    assert 0.7 < verdict.measure("time_to_recover").value < 2.5
    assert verdict.measure("lost_not_streamed").value >= 2


@pytest.mark.thorough
@pytest.mark.slow
def test_a_fault_that_breaks_nothing_proves_nothing(tmp_path: Path) -> None:
    profile = replace(QUICK, baseline_s=0.8, hold_s=0.8, recovery_s=0.8)
    verdict = fail_over(Front(), tmp_path, fault=lambda: None, profile=profile)
    assert (verdict.ruling, verdict.exit_code) == (Ruling.INVALID, Exit.PROVES_NOTHING)
    assert "did not bite" in verdict.reasons[0]


def test_a_fault_that_fails_is_still_undone_and_the_run_is_invalid(tmp_path: Path) -> None:
    front = Front()

    def fault() -> None:
        raise MoorageError("no such process")

    verdict = fail_over(front, tmp_path, fault=fault, profile=replace(QUICK, baseline_s=0.5))
    assert verdict.ruling is Ruling.INVALID
    assert verdict.reasons[0] == "the fault failed: no such process"
    assert front.deeds == ["restore"]


def test_an_interrupt_restores_and_leaves_no_process_and_no_key_behind(tmp_path: Path) -> None:
    front = Front()
    commands: list[str] = []

    def progress(line: str) -> None:
        if front.deeds == ["fault"]:
            commands.extend(" ".join(process.cmdline()) for process in generators())
            front.deeds.append("interrupt")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_over(front, tmp_path, profile=replace(QUICK, hold_s=30), progress=progress)
    assert front.deeds == ["fault", "interrupt", "restore"]
    assert generators() == []
    assert len(commands) == 1
    assert KEY not in commands[0]
    assert not any(KEY in path.read_text() for path in tmp_path.iterdir())


def test_the_generator_ends_itself_when_its_parent_is_killed(tmp_path: Path) -> None:
    with serving(lambda body, index: Behaviour()) as server:
        program = (
            "from pathlib import Path; from loadtests.profiles import Target; "
            "from loadtests.run import run; "
            f"run('smoke', Target(service='a', url={server.url!r}, model='a'), "
            f"report_dir=Path({str(tmp_path)!r}), progress=lambda line: print(line, flush=True))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            while "answered" not in (line := parent.stdout.readline()):
                assert line, "the run ended before its first answers"
            children = psutil.Process(parent.pid).children(recursive=True)
            parent.kill()
        _, alive = psutil.wait_procs(children, timeout=10)
    assert children
    assert alive == []


def test_a_ready_service_passes_at_once(tmp_path: Path) -> None:
    with serving(lambda body, index: Behaviour()) as server:
        verdict = run("ready", target(server.url), report_dir=tmp_path)
    assert verdict.ruling is Ruling.PASS
    assert json.loads((tmp_path / "report.json").read_text())["profile"] == "ready"


def test_ready_waits_while_the_model_loads(tmp_path: Path) -> None:
    def choose(body: dict[str, Any], index: int) -> Behaviour:
        return Behaviour(status=503 if index < 2 else 200)

    seen: list[str] = []
    with serving(choose) as server:
        verdict = run("ready", target(server.url), report_dir=tmp_path, progress=seen.append)
    assert verdict.ruling is Ruling.PASS
    assert verdict.measure("time_to_ready").value > 0.9  # type: ignore[operator]
    assert len(seen) == 1
    assert "503" in seen[0]


def test_a_wrong_key_is_not_waited_for(tmp_path: Path) -> None:
    began_s = time.monotonic()
    with serving(lambda body, index: Behaviour(status=401)) as server:
        verdict = run("ready", target(server.url), report_dir=tmp_path)
    assert verdict.exit_code == Exit.UNANSWERED
    assert "answered 401" in verdict.reasons[0]
    assert time.monotonic() - began_s < 5


def test_a_service_that_is_not_there_is_never_ready(tmp_path: Path) -> None:
    profile = replace(READY, ready_limit_s=0.6)
    verdict = run(
        profile,
        target("http://127.0.0.1:9/v1"),
        report_dir=tmp_path,
        progress=lambda line: None,
    )
    assert verdict.exit_code == Exit.UNANSWERED
    assert "refused" in verdict.reasons[0]


def test_wrong_usage_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(MoorageError, match="there is no profile 'soke'; there are ready, smoke"):
        run("soke", target("http://x/v1"), report_dir=tmp_path)
    with pytest.raises(MoorageError, match="a failover needs a fault and a restore"):
        run("failover", target("http://x/v1"), report_dir=tmp_path)


def test_a_generator_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locust").mkdir()
    (tmp_path / "locust" / "__init__.py").write_text("raise SystemExit('broken locust')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MoorageError, match="did not start: broken locust") as raised:
        run("smoke", target("http://127.0.0.1:9/v1"), report_dir=tmp_path / "report")
    assert raised.value.exit_code == Exit.PROVES_NOTHING


def test_only_the_locust_files_import_locust() -> None:
    """Locust patches the whole process it is imported into: pytest and pulumi must not be that."""
    program = (
        "import sys, loadtests.run, loadtests.report, loadtests.verdict; "
        "print(sorted({'locust', 'gevent', 'pulumi'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
