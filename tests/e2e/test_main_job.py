"""The main job, as a newcomer lives it: up, ask, kill, heal, down, on the real engine."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.checkout import Checkout, Ended, a_checkout, ask

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with a_checkout(tmp_path_factory.mktemp("checkout")) as checkout:
        yield checkout


@pytest.fixture(scope="module")
def first_up(checkout: Checkout) -> Ended:
    return checkout.cold("up", "--test")


def test_up_deploys_tests_and_says_what_to_do_next(first_up: Ended, checkout: Checkout) -> None:
    assert first_up.code == 0, first_up.said
    assert "the Hub cannot be reached" in first_up.said
    assert "PASS" in first_up.said
    assert f"http://127.0.0.1:{checkout.port}/v1" in first_up.said
    assert "curl" in first_up.said
    assert "Traceback" not in first_up.said


def test_the_curl_line_works_as_printed(first_up: Ended, checkout: Checkout) -> None:
    lines = [line for line in first_up.out.splitlines() if line.strip().startswith("curl ")]
    for line, expected in zip(lines, ('"embedding"', '"choices"'), strict=True):
        command, where = ["bash", "-c", line], checkout.root
        assert expected in subprocess.check_output(command, cwd=where, text=True)


def test_the_key_is_masked_unless_asked_for(first_up: Ended, checkout: Checkout) -> None:
    key = checkout.service()["api_key"]
    masked = checkout.moorage("outputs", "--json")
    assert masked.code == 0
    assert key not in masked.said
    assert key not in first_up.said


def test_both_kinds_of_answer_name_their_backend(first_up: Ended, checkout: Checkout) -> None:
    service = checkout.service()
    plain = ask(service)
    streamed = ask(service, stream=True)
    assert plain.headers["x-moorage-backend"] == "local-1"
    assert plain.json()["choices"][0]["message"]["content"]
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.text.rstrip().endswith("data: [DONE]")


def test_an_embedding_model_is_served_beside_the_chat_model(
    first_up: Ended, checkout: Checkout
) -> None:
    service = checkout.service("embed")
    url, headers = f"{service['url']}/embeddings", {"authorization": f"Bearer {service['api_key']}"}
    body = {"model": "embed", "input": ["one", "two"]}
    answer = httpx.post(url, json=body, headers=headers, timeout=60)
    vectors = [item["embedding"] for item in answer.json()["data"]]
    assert [len(vector) for vector in vectors] == [len(vectors[0])] * 2
    assert vectors[0] != vectors[1]


def test_a_wrong_key_is_refused_in_one_clear_line(first_up: Ended, checkout: Checkout) -> None:
    answer = ask(checkout.service(), key="sk-wrong")
    assert answer.status_code == 401
    assert "key" in answer.json()["error"]["message"]


def test_status_tells_of_every_placement_and_of_one_that_stands_still(
    first_up: Ended, checkout: Checkout
) -> None:
    table = checkout.moorage("status")
    assert table.code == 0, table.said
    assert table.out.count("answers") == 1 + len(checkout.backends()) + len(
        checkout.backends("embed")
    )
    still = psutil.Process(checkout.backends("embed")[0]["pid"])
    still.suspend()
    try:
        ended = checkout.moorage("status", "--json", "--within", "2")
    finally:
        still.resume()
    told = {(one["service"], one["name"]): one for one in json.loads(ended.out)["placements"]}
    assert (ended.code, told["embed", "local-1"]["state"]) == (3, "unreachable")
    assert told["hello", "local-1"]["state"] == told["", "gateway"]["state"] == "answers"


def test_nothing_changed_is_said_and_is_quick(first_up: Ended, checkout: Checkout) -> None:
    started = {p.pid for p in checkout.processes()}
    began = time.monotonic()
    again = checkout.moorage("up", "--test")
    assert again.code == 0, again.said
    assert "nothing changed" in again.said
    assert time.monotonic() - began < 45  # 15 s on an idle machine; the bench holds it to that
    assert {p.pid for p in checkout.processes()} == started


def test_no_request_fails_while_an_engine_is_killed_and_up_heals_it(
    first_up: Ended, checkout: Checkout
) -> None:
    service, before = checkout.service(), checkout.backends()
    failures: list[str] = []
    backends: set[str] = set()
    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.is_set():
            answer = ask(service)
            backends.add(answer.headers.get("x-moorage-backend", ""))
            if answer.status_code != 200:
                failures.append(answer.text)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        time.sleep(1)
        psutil.Process(before[0]["pid"]).kill()
        time.sleep(3)
        healed = checkout.moorage("up")
        assert healed.code == 0, healed.said
        time.sleep(3)
    finally:
        enough.set()
        asking.join()
    after = checkout.backends()
    assert not failures, failures[0]
    assert backends == {"local-1", "local-2"}
    assert after[0]["pid"] != before[0]["pid"]
    assert after[0]["url"] == before[0]["url"]
    assert after[1] == before[1]


@pytest.mark.thorough
def test_an_interrupted_failover_test_gives_back_what_it_killed(
    first_up: Ended, checkout: Checkout
) -> None:
    victim = psutil.Process(checkout.backends()[0]["pid"])
    testing = checkout.start("test", "--profile", "failover")
    gone, _ = psutil.wait_procs([victim], timeout=60)
    assert gone, "the failover test killed nobody"
    second = checkout.moorage("up")
    assert second.code == 6, second.said
    assert f"pid {testing.pid}" in second.err
    testing.terminate()  # as CI ends a job
    out, err = testing.communicate(timeout=120)
    assert testing.wait() == 130, out + err
    assert "Traceback" not in out + err
    assert psutil.Process(checkout.backends()[0]["pid"]).is_running()
    assert checkout.moorage("up").err.count("nothing changed") == 1


def test_down_leaves_no_process_port_or_file(first_up: Ended, checkout: Checkout) -> None:
    ended = checkout.cold("destroy")
    assert ended.code == 0, ended.said
    assert not checkout.processes()
    assert not list(Path(checkout.root, ".moorage").glob("run/local/*"))
    again = checkout.cold("destroy")
    assert again.code == 0, again.said
