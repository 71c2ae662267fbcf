"""A stack's placements, looked at: engines of the twin, asked over HTTP, and what is made of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from moorage import status
from moorage.errors import MoorageError
from moorage.provider.serving import metrics
from moorage.provider.serving.metrics import CacheConfig, Metrics
from moorage.status import judge
from moorage.status.judge import Report, Row, Sight
from moorage.status.places import Place
from tests.provider.serving.engines import KEY, engine

WITHIN_S, BETWEEN_S = 2.0, 0.2
DAY = date(2026, 11, 25)
MEASURED_AS = {
    "model": "qwen--qwen3-0.6b",
    "lock": "tests/facts/qwen--qwen3-0.6b.lock.json",
    "gpu": "nvidia-h100",
    "gpu_gib": 79.18,
    "count": 1,
    "utilization": 0.9,
    "max_model_len": 16000,
    "max_num_seqs": 1024,
    "max_num_batched_tokens": 8192,
    "planned_kv_gib": 60.0,
}
PLANNED = {"engine": "vllm", "version": "0.11.0", "kv_tokens": 2000, "measured_as": MEASURED_AS}


def place(url: str, **changes: Any) -> Place:
    known = {"service": "chat", "name": "docker-host-1", "kind": "docker-host", "model": "acme/m"}
    given = {**known, "task": "text-generation", "key": KEY, "planned": PLANNED, **changes}
    return Place(url=url, **given)


def row(url: str, **changes: Any) -> Row:
    [one] = status.look([place(url, **changes)], within_s=WITHIN_S, between_s=BETWEEN_S).rows
    return one


def test_one_that_answers_tells_version_cache_queue_and_speed() -> None:
    with engine(MOORAGE_TWIN_KV_TOKENS="16000") as url:
        one = row(url)
    assert (one.state, one.version, one.running, one.waiting) == (judge.ANSWERS, "0.33.0", 0, 0)
    assert (one.kv_tokens, one.kv_planned, one.kv_difference) == (16_000, 2000, 7.0)
    assert (one.kv_usage, one.tokens_per_second) == (0.0, 0.0)


def test_those_that_hang_are_found_at_once_though_their_health_is_good() -> None:
    with engine() as url:
        httpx.post(f"{url}/_twin/hang")
        assert httpx.get(f"{url}/health").status_code == 200
        began_s = time.monotonic()
        report = status.look(
            [place(url, name=f"n-{n}") for n in range(6)],
            within_s=2 * WITHIN_S,
            between_s=BETWEEN_S,
        )
        taken_s = time.monotonic() - began_s
    assert {(one.state, one.says) for one in report.rows} == {(judge.HANGS, "no answer in time")}
    assert not report.is_fine
    assert taken_s < 5 * WITHIN_S  # and not one after the other


def test_one_that_is_too_busy_to_answer_lives() -> None:
    with engine("--max-num-seqs", "1", MOORAGE_TWIN_TOKEN_S="0.05") as url, asked_long(url):
        one = row(url)
    assert (one.state, one.running, one.is_fine) == (judge.BUSY, 1, True)
    assert one.tokens_per_second
    assert 5 < one.tokens_per_second < 25


@contextmanager
def asked_long(url: str) -> Iterator[None]:
    """A request that takes five seconds, if it were waited for."""
    body = {
        "messages": [{"role": "user", "content": "count"}],
        "max_tokens": 100,
        "ignore_eos": True,
    }
    headers = {"Authorization": f"Bearer {KEY}"}
    over = threading.Event()

    def ask() -> None:
        with httpx.stream(
            "POST", f"{url}/v1/chat/completions", json={**body, "stream": True}, headers=headers
        ) as answer:
            for _chunk in answer.iter_bytes():
                if over.is_set():
                    return

    thread = threading.Thread(target=ask)
    thread.start()
    while metrics.read(url, KEY, 5).running != 1:
        time.sleep(0.01)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_nobody_there_and_a_wrong_key_are_two_things() -> None:
    assert row("http://127.0.0.1:9").state == judge.UNREACHABLE
    with engine() as url:
        refused = row(url, key="sk-wrong")
    assert (refused.state, refused.version) == (judge.REFUSES, "0.33.0")
    assert "refuses the key (401)" in refused.says
    assert "sk-wrong" not in refused.says


def test_who_is_paid_or_asleep_is_asked_only_when_told_to() -> None:
    [one] = status.look([place("http://127.0.0.1:9", kind="hf-router")], within_s=1).rows
    assert (one.state, one.is_fine) == (judge.UNASKED, True)
    told = place("http://127.0.0.1:9", kind="hf-endpoint", known="scaledToZero")
    [one] = status.look([told], within_s=1).rows
    assert one.says.endswith("--all asks it too; at the last deployment it was scaledToZero")
    [one] = status.look([told], within_s=1, ask_all=True).rows
    assert one.state == judge.UNREACHABLE


def test_one_that_stops_when_nobody_asks_may_be_asleep() -> None:
    rests = row("http://127.0.0.1:9", kind="ec2-gpu", planned={**PLANNED, "may_sleep": True})
    assert (rests.state, rests.is_fine) == (judge.ASLEEP, True)
    assert "`moorage refresh` tells if it is gone" in rests.says
    lost = row("http://127.0.0.1:9", kind="ec2-gpu", known="none")
    assert (lost.state, lost.is_fine) == (judge.UNREACHABLE, False)
    assert lost.says.endswith("at the last deployment it was none")


def test_one_is_asked_what_has_proven_it() -> None:
    body = '{"query": "ping", "texts": ["ping"]}'
    planned = {"engine": "tei", "probe": {"path": "/rerank", "body": body}}
    with engine("--model-id", "acme/m", MOORAGE_TWIN_TASK="text-ranking") as url:
        assert row(url, task="text-ranking", planned=planned).state == judge.ANSWERS


def made(tokens: float, steps: float = 0) -> Metrics:
    return Metrics(running=1, generation_tokens=tokens, steps=steps)


@pytest.mark.parametrize(
    ("sight", "state"),
    [
        (Sight(is_served=True), judge.ANSWERS),
        (Sight(is_refused=True), judge.REFUSES),
        (Sight(status=503), judge.LOADING),
        (Sight(status=503, before=made(1), after=made(9)), judge.BUSY),
        (Sight(is_slow=True, before=made(1), after=made(9)), judge.BUSY),
        (Sight(is_slow=True, before=made(9), after=made(9)), judge.HANGS),
        (Sight(is_slow=True, before=made(9), after=made(9, steps=2)), judge.BUSY),  # it reads
        (Sight(is_slow=True, before=made(9), after=made(2)), judge.HANGS),  # it was restarted
        (Sight(is_slow=True), judge.UNREACHABLE),
        (Sight(), judge.UNREACHABLE),
    ],
)
def test_liveness_is_progress(sight: Sight, state: str) -> None:
    assert judge.state(sight) == state


OUTPUTS: Mapping[str, Any] = {
    "services": {"chat": {"url": "http://127.0.0.1:8700/v1", "api_key": "sk-front"}},
    "details": {
        "chat": {
            "task": "text-generation",
            "backends": [
                {
                    "name": "docker-host-1",
                    "kind": "docker-host",
                    "url": "http://10.0.0.1:21000/v1",
                    "model": "acme/m",
                    "planned": PLANNED,
                },
                {
                    "name": "hf",
                    "kind": "hf-endpoint",
                    "url": "https://e/v1",
                    "model": "m",
                    "status": "x",
                },
            ],
        }
    },
}


def test_places_come_from_outputs_and_keys_from_the_gateway_s_file() -> None:
    backends = [{"name": "docker-host-1", "api_key": KEY}, {"name": "hf", "api_key": None}]
    gateway, first, second = status.places(
        OUTPUTS, {"services": [{"name": "chat", "backends": backends}]}
    )
    assert (gateway.kind, gateway.url) == ("gateway", "http://127.0.0.1:8700")
    assert (first.url, first.key, first.planned) == ("http://10.0.0.1:21000", KEY, PLANNED)
    assert (second.key, second.known) == (None, "x")
    assert KEY not in repr(first)
    assert [one.key for one in status.places(OUTPUTS, {})] == [None, None, None]


def test_a_gateway_that_did_not_come_up_is_one_that_does_not_answer() -> None:
    [gateway] = status.places({"services": {"chat": {"api_key": KEY, "model": "chat"}}}, {})
    [seen] = status.look([gateway], within_s=WITHIN_S).rows
    assert (seen.name, seen.is_fine) == ("gateway", False)
    assert "it did not come up; `moorage up` goes on with it" in status.text(Report(rows=[seen]))


def test_the_table_has_a_line_for_each_and_tells_what_is_wrong_below() -> None:
    good = judge.row(
        place("http://h:1"),
        Sight(
            is_served=True,
            before=Metrics(generation_tokens=10),
            after=Metrics(
                running=2,
                waiting=0,
                kv_usage=0.123,
                generation_tokens=110,
                cache=CacheConfig(block_size=16, gpu_blocks=120),
                version="0.33.0",
            ),
            between_s=2.0,
        ),
    )
    bad = judge.row(place("http://h:2", name="b", planned={}), Sight(says="connection refused"))
    head, first, second, remark = status.text(Report(rows=[good, bad])).splitlines()
    where = head.index("where")
    assert (first[where:], second[where:]) == ("http://h:1", "http://h:2")
    cells = "chat docker-host-1 docker-host answers vllm 0.33.0 acme/m 1,920 (-4.0%) 12% 2 0 50"
    assert first[:where].split() == cells.split()
    assert second[:where].split() == ["chat", "b", "docker-host", "unreachable", "acme/m"]
    assert remark == "chat/b unreachable: connection refused"
    told = status.as_json(Report(rows=[good, bad]))
    assert told["fine"] is False
    assert told["placements"][0]["tokens_per_second"] == 50


def measured(tokens: int | None, **changes: Any) -> tuple[list[Place], Report]:
    one = place("http://h:1", **changes)
    cache = None if tokens is None else CacheConfig(block_size=1, gpu_blocks=tokens)
    sight = Sight(is_served=True, after=Metrics(cache=cache, version="0.11.0"))
    return [one], Report(rows=[judge.row(one, sight)])


def test_a_measured_cache_is_kept_once_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "calibration" / "prod.yaml"
    assert status.keep(file, *measured(2100), today=DAY)
    assert not status.keep(file, *measured(2100), today=date(2026, 12, 1))
    [kept] = yaml.safe_load(file.read_text("utf-8"))["rows"]
    assert (kept["kv_gib"], kept["kv_tokens"], kept["date"]) == (63.0, 2100, "2026-11-25")
    assert status.keep(file, *measured(2050), today=DAY)
    [kept] = yaml.safe_load(file.read_text("utf-8"))["rows"]
    assert kept["kv_gib"] == 61.5


def test_what_tells_no_cache_or_has_no_proof_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "prod.yaml"
    assert not status.keep(file, *measured(None), today=DAY)
    assert not status.keep(file, *measured(2000, planned={}), today=DAY)
    assert not file.exists()


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "prod.yaml"
    file.write_text("a: [", encoding="utf-8")
    with pytest.raises(MoorageError, match="cannot be understood as measurements; move it away"):
        status.keep(file, *measured(2000), today=DAY)
    assert file.read_text("utf-8") == "a: ["
