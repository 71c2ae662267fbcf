"""One real request, of an engine over HTTP: what it proves, what may pass, what will not."""

from __future__ import annotations

import json
import threading
import time

import httpx
import pytest

from moorage.errors import Exit, MoorageError
from moorage.provider.serving import ask, metrics, probe
from moorage.provider.serving.ask import NotYet
from moorage.provider.serving.metrics import Metrics
from tests.provider.serving.engines import KEY, engine

NOWHERE = "http://127.0.0.1:9"
PATH = "/v1/chat/completions"


def prove(
    url: str, *, key: str = KEY, model: str = "acme/m", path: str = PATH, timeout_s: float = 5
) -> ask.Answer:
    asked = ask.smallest("text-generation", model)
    assert asked is not None
    return ask.prove(url, key, path, json.dumps(asked[1]), timeout_s)


def test_an_answer_names_the_model_that_gave_it() -> None:
    with engine("--served-model-name", "chat", "other") as url:
        assert prove(f"{url}/", model="other") == ask.Answer(model="chat")


def test_what_would_be_refused_again_is_no_matter_of_waiting() -> None:
    with engine() as url:
        for wrong, says in (
            ({"key": "sk-wrong"}, f"{url} refuses the key (401); give the key of that server"),
            ({"model": "another"}, "The model `another` does not exist"),
            ({"path": "/v1/nowhere"}, f"{url} does not serve the model: 404"),
        ):
            with pytest.raises(MoorageError) as refusal:
                prove(url, **wrong)  # type: ignore[arg-type]
            assert not isinstance(refusal.value, NotYet)
            assert says in str(refusal.value)
            assert refusal.value.exit_code == Exit.UNANSWERED


def test_nobody_there_and_no_answer_in_time_may_pass() -> None:
    with pytest.raises(NotYet, match="connection refused"):
        prove(NOWHERE)
    with engine(MOORAGE_TWIN_HANGS_AFTER="1") as url:
        prove(url)
        with pytest.raises(NotYet, match=probe.SLOW):
            prove(url, timeout_s=0.2)
        httpx.post(f"{url}/_twin/recover")


def test_an_engine_that_is_full_may_pass() -> None:
    words = ("--max-num-seqs", "1", "--max-num-queued-reqs", "0")
    with engine(*words, MOORAGE_TWIN_FIRST_TOKEN_S="1") as url:
        first = threading.Thread(target=prove, args=(url,))
        first.start()
        while metrics.read(url, KEY, 5).running != 1:
            time.sleep(0.01)
        with pytest.raises(NotYet) as full:
            prove(url)
        first.join()
    assert full.value.status == 503


def test_who_gives_up_is_not_held_up() -> None:
    began_s = time.monotonic()
    body = '{"messages": [{"role": "user"}]}'

    def given_up() -> bool:
        return time.monotonic() > began_s + 0.5

    with engine(MOORAGE_TWIN_FIRST_TOKEN_S="10") as url, pytest.raises(NotYet):
        ask.prove(url, KEY, PATH, body, 30, given_up=given_up)
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("url", ["http://[::1", "http://h:port", "http://a b", "http://h\n"])
def test_an_address_that_is_none_is_told_and_not_raised(url: str) -> None:
    with pytest.raises(NotYet):
        prove(url, timeout_s=0.3)


def test_metrics_and_version_are_read_without_a_key() -> None:
    with engine(MOORAGE_TWIN_KV_TOKENS="160000", MOORAGE_TWIN_VERSION="0.32.0") as url:
        prove(url)
        found = metrics.read(f"{url}/", None, 5)
    assert (found.version, found.requests, found.generation_tokens) == ("0.32.0", 1, 1)
    assert found.cache is not None
    assert found.cache.tokens == 160_000


def test_an_engine_without_metrics_tells_nothing_and_nobody_is_not_yet() -> None:
    with engine("--alias", "a", "-m", "/a.gguf") as url:
        assert metrics.read(url, KEY, 5) == Metrics()
    with pytest.raises(NotYet, match="connection refused"):
        metrics.read(NOWHERE, None, 1)


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ("image-text-to-text", "/chat/completions"),
        ("sentence-similarity", "/embeddings"),
        ("text-to-image", "/images/generations"),
    ],
)
def test_every_task_has_its_smallest_question(task: str, path: str) -> None:
    asked = ask.smallest(task, "m")
    assert asked is not None
    assert (asked[0], asked[1]["model"]) == (path, "m")
    assert ask.smallest("text-ranking", "m") is None
