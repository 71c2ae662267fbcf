"""The client of the Endpoints API, against small servers that answer as they are told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.handler import Cancelled, Context, OutOfTime
from moorage.provider.hugging_face import client, exchange, faults
from moorage.provider.hugging_face.client import Done, Refused, Service, Unknown
from moorage.provider.hugging_face.exchange import Answer, Question
from moorage.provider.hugging_face.faults import Asked, PassingError
from tests.provider import impatient

NewContext = Callable[..., Context]
Step = Callable[[BaseHTTPRequestHandler], None]
RECORD: dict[str, Any] = {
    "name": "chat",
    "status": {"state": "running"},
    "model": {},
    "compute": {},
    "provider": {},
}


class Api(ThreadingHTTPServer):
    """A server that takes one step of its script per request; the last one stays."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Step] = []
        self.asked: list[tuple[str, str]] = []
        self.at = Service(url=f"http://127.0.0.1:{self.server_port}", token="hf_of_a_test")

    def handle_error(self, *_: Any) -> None:
        """A client that has gone is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        step = self.server.script.pop(0) if len(self.server.script) > 1 else self.server.script[0]
        step(self)

    do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Silence."""


def says(status: int, body: Any = None, **headers: str) -> Step:
    def step(handler: BaseHTTPRequestHandler) -> None:
        text = (body if isinstance(body, str) else json.dumps(body)).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(text)

    return step


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(2)


def stops_half_way(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"name": ')
    breaks_off(handler)


def drips(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then: no single read takes long, and the answer never ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def is_silent(_handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient.hurry(monkeypatch)


# --- reads


def test_what_is_there_is_told(api: Api, context: NewContext) -> None:
    api.script = [says(200, RECORD)]
    assert client.get(api.at, "acme", "chat", context()) == RECORD
    assert api.asked == [("GET", "/v2/endpoint/acme/chat")]


def test_what_is_not_there_is_none(api: Api, context: NewContext) -> None:
    api.script = [says(404, {"error": "not found"})]
    assert client.get(api.at, "acme", "chat", context()) is None
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [
        *(says(status) for status in (408, 425, 429, 500, 502, 503, 504)),
        *(says(200, text) for text in ("<html>", "")),
        *(breaks_off, stops_half_way),
    ],
)
def test_a_read_is_tried_again_where_that_may_help(
    api: Api, context: NewContext, fault: Step
) -> None:
    api.script = [fault, fault, says(200, RECORD)]
    assert client.get(api.at, "acme", "chat", context()) == RECORD
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (410, "correct what it names"),
        (413, "correct what it names"),
        (425, "run up again later"),
        (507, "run up again later"),
    ],
)
def test_what_no_later_run_can_mend_is_not_put_off_to_one(status: int, advice: str) -> None:
    answer = Answer(status=status, text='{"error": "too large"}')
    line = faults.told(answer, Asked(what="model acme/tuned", account="acme"))
    assert "too large" in line
    assert line.endswith(advice)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 409, 422])
def test_a_read_that_is_refused_is_not_tried_again(
    api: Api, context: NewContext, status: int
) -> None:
    api.script = [says(status, {"error": "no"})]
    with pytest.raises(MoorageError, match=rf"acme/chat: .*\({status}\)") as caught:
        client.get(api.at, "acme", "chat", context())
    assert not isinstance(caught.value, PassingError)
    assert len(api.asked) == 1


def test_a_read_gives_up_in_the_end(api: Api, context: NewContext) -> None:
    api.script = [says(503, {"error": "maintenance"})]
    with pytest.raises(PassingError, match=r"fails \(503\): maintenance; run up again later"):
        client.get(api.at, "acme", "chat", context())
    assert len(api.asked) == 4


def test_a_pause_that_is_asked_for_is_kept(api: Api, context: NewContext) -> None:
    api.script = [says(429, {}, Retry_After="0.5"), says(200, RECORD)]
    began_s = time.monotonic()
    client.get(api.at, "acme", "chat", context())
    assert time.monotonic() - began_s >= 0.5


def test_a_pause_longer_than_the_call_may_take_is_not_begun(api: Api, context: NewContext) -> None:
    api.script = [says(429, {"error": "slow down"}, Retry_After="20")]
    with pytest.raises(PassingError, match=r"too often \(429\): slow down; run up again in 20 s"):
        client.get(api.at, "acme", "chat", context(seconds=5))
    assert len(api.asked) == 1


def test_a_cancel_ends_a_read_at_once(api: Api, context: NewContext) -> None:
    api.script = [is_silent]
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    began_s = time.monotonic()
    with pytest.raises(Cancelled):
        client.get(api.at, "acme", "chat", context(cancelled=cancelled))
    assert time.monotonic() - began_s < 1


@pytest.mark.parametrize("slow", [is_silent, drips])
def test_a_slow_answer_ends_with_the_calls_time(api: Api, context: NewContext, slow: Step) -> None:
    api.script = [slow]
    began_s = time.monotonic()
    with pytest.raises((PassingError, OutOfTime)):
        client.get(api.at, "acme", "chat", context(seconds=0.5))
    assert time.monotonic() - began_s < 1.5


def test_nobody_there_is_told_so(context: NewContext) -> None:
    nobody = Service(url="http://127.0.0.1:9", token="hf_of_a_test")
    with pytest.raises(PassingError, match="Hugging Face gave no answer: it cannot be reached"):
        client.get(nobody, "acme", "chat", context())


def test_an_endpoint_that_is_none_is_not_believed(api: Api, context: NewContext) -> None:
    api.script = [says(200, {"name": "chat"})]
    with pytest.raises(PassingError, match="tells no endpoint where one was"):
        client.get(api.at, "acme", "chat", context())


def test_a_list_is_read_to_its_last_page(api: Api, context: NewContext) -> None:
    second = {**RECORD, "name": "b/&?"}
    api.script = [
        says(200, {"items": [RECORD], "nextCursor": "a=b&c"}),
        says(200, {"items": [second, {"odd": 1}]}),
    ]
    assert list(client.listed(api.at, "acme", context())) == ["chat", "b/&?"]
    assert api.asked[1] == ("GET", "/v2/endpoint/acme?cursor=a%3Db%26c")


def test_a_list_that_goes_in_circles_ends(api: Api, context: NewContext) -> None:
    api.script = [says(200, {"items": [RECORD], "nextCursor": "same"})]
    assert list(client.listed(api.at, "acme", context())) == ["chat"]
    assert len(api.asked) == 2


@pytest.mark.parametrize("body", [{"items": None}, [], {"vendors": 3}])
def test_a_list_of_another_form_is_no_empty_one(api: Api, context: NewContext, body: Any) -> None:
    api.script = [says(200, body)]
    with pytest.raises(PassingError, match="does not tell them"):
        client.listed(api.at, "acme", context())
    with pytest.raises(PassingError, match="does not tell them"):
        client.catalogue(api.at, "acme", context())


def test_names_cannot_leave_their_place_in_the_path(api: Api, context: NewContext) -> None:
    api.script = [says(404)]
    client.get(api.at, "acme/../other", "a?b", context())
    assert api.asked == [("GET", "/v2/endpoint/acme%2F..%2Fother/a%3Fb")]


def test_a_redirect_is_not_followed_with_the_token(api: Api, context: NewContext) -> None:
    api.script = [says(302, {}, Location=f"{api.at.url}/elsewhere"), says(200, RECORD)]
    with pytest.raises(MoorageError, match=r"answers \(302\)"):
        client.get(api.at, "acme", "chat", context())
    assert len(api.asked) == 1


def test_who_asks_is_known_by_the_token_alone(api: Api) -> None:
    """A session that one caller was given would let a stranger in."""
    seen: list[str | None] = []

    def step(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Cookie"))
        says(200, {}, Set_Cookie="session=1; Path=/")(handler)

    api.script = [step]
    for token in ("hf_of_a_test", None):
        exchange.exchange(Question(method="GET", url=api.at.url, token=token), timeout_s=5)
    assert seen == [None, None]


# --- writes


def test_a_write_that_is_made_tells_the_endpoint(api: Api, context: NewContext) -> None:
    api.script = [says(202, RECORD)]
    assert client.create(api.at, "acme", {"name": "chat"}, context()) == Done(record=RECORD)
    api.script = [says(200, "")]
    assert client.delete(api.at, "acme", "chat", context()) == Done()
    assert api.asked == [("POST", "/v2/endpoint/acme"), ("DELETE", "/v2/endpoint/acme/chat")]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422])
def test_a_write_that_is_refused_says_why(api: Api, context: NewContext, status: int) -> None:
    api.script = [says(status, {"error": {"message": "the\n  reason"}})]
    outcome = client.change(api.at, "acme", "chat", {}, context())
    assert isinstance(outcome, Refused)
    assert outcome.status == status
    if status != 401:
        assert ": the reason" in str(outcome.fail())


@pytest.mark.parametrize(
    "fault",
    [says(500), says(503), says(504), says(200, "<html>"), breaks_off, stops_half_way],
)
def test_a_write_of_which_nobody_knows_is_sent_once(
    api: Api, context: NewContext, fault: Step
) -> None:
    api.script = [fault]
    outcome = client.create(api.at, "acme", {"name": "chat"}, context())
    assert isinstance(outcome, Unknown)
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "when", [{"Retry_After": "0.05"}, {"RateLimit": '"api";r=0;t=0'}, {}], ids=str
)
def test_a_write_that_was_asked_too_often_is_sent_again(
    api: Api, context: NewContext, when: dict[str, str]
) -> None:
    refusal = says(429, {"error": "slow down"}, **when)
    api.script = [refusal, refusal, says(202, RECORD)]
    told: list[str] = []
    telling = replace(context(), log=lambda _severity, text, _passes: told.append(text))
    assert client.create(api.at, "acme", {"name": "chat"}, telling) == Done(record=RECORD)
    assert api.asked == [("POST", "/v2/endpoint/acme")] * 3
    says_when = "acme/chat: Hugging Face was asked too often ({} x 429), asking again in 0 s"
    assert told == [says_when.format(1), says_when.format(2)]


@pytest.mark.parametrize("when", [{"Retry_After": "20"}, {"RateLimit": '"api";r=0;t=20'}], ids=str)
def test_a_write_that_would_have_to_wait_too_long_was_not_made(
    api: Api, context: NewContext, when: dict[str, str]
) -> None:
    api.script = [says(429, {"error": "slow down"}, **when)]
    outcome = client.create(api.at, "acme", {"name": "chat"}, context(seconds=5))
    assert isinstance(outcome, Refused)
    assert "run up again in 20 s" in str(outcome.fail())
    assert len(api.asked) == 1


def test_a_write_is_not_asked_for_for_ever(api: Api, context: NewContext) -> None:
    api.script = [says(429)]
    assert isinstance(client.delete(api.at, "acme", "chat", context()), Refused)
    assert len(api.asked) == 4


def test_a_cancel_ends_the_wait_for_a_turn(api: Api, context: NewContext) -> None:
    api.script = [says(429, Retry_After="5")]
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    with pytest.raises(Cancelled):
        client.create(api.at, "acme", {"name": "chat"}, context(cancelled=cancelled))
    assert len(api.asked) == 1


def test_a_cancel_does_not_leave_a_write_in_doubt(api: Api, context: NewContext) -> None:
    def late(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        says(200, RECORD)(handler)

    api.script = [late]
    cancelled = threading.Event()
    cancelled.set()
    outcome = client.create(api.at, "acme", {"name": "chat"}, context(cancelled=cancelled))
    assert isinstance(outcome, Done)


def test_a_write_ends_with_the_calls_time(api: Api, context: NewContext) -> None:
    api.script = [is_silent]
    outcome = client.create(api.at, "acme", {"name": "chat"}, context(seconds=0.3))
    assert isinstance(outcome, Unknown)
    assert "no answer in time" in str(outcome)


# --- what is told


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "Quota exceeded"}, "Quota exceeded"),
        ({"error": {"message": "no such region"}}, "no such region"),
        ({"errors": [{"message": "one"}, "two"]}, "one, two"),
        ({"message": "a\nb"}, "a b"),
        ("plain words", "plain words"),
        ("<html><body>oops</body></html>", "it does not say why"),
        ({}, "{}"),
        ({"error": "x" * 1000}, "x" * 300 + "..."),
    ],
)
def test_the_services_words_are_found_in_every_form(
    api: Api, context: NewContext, body: Any, words: str
) -> None:
    api.script = [says(400, body)]
    with pytest.raises(MoorageError) as caught:
        client.get(api.at, "acme", "chat", context())
    assert str(caught.value) == (
        f"acme/chat: Hugging Face refuses it (400): {words}; correct what it names"
    )


def test_the_token_is_never_told(api: Api, context: NewContext) -> None:
    api.script = [says(400, {"error": "bad token hf_of_a_test here"})]
    with pytest.raises(MoorageError, match=r"bad token \[secret\] here") as caught:
        client.get(api.at, "acme", "chat", context())
    outcome = client.create(api.at, "acme", {"name": "chat"}, context())
    question = Question(method="GET", url="http://x", token="hf_of_a_test")
    for shown in (str(caught.value), repr(api.at), repr(outcome), repr(question)):
        assert "hf_of_a_test" not in shown


def test_an_answer_without_end_is_not_kept(
    api: Api, monkeypatch: pytest.MonkeyPatch, context: NewContext
) -> None:
    monkeypatch.setattr(exchange, "_MOST_BYTES", 1000)
    api.script = [says(200, "x" * 5000)]
    with pytest.raises(PassingError, match="its answer is too long or too slow"):
        client.get(api.at, "acme", "chat", context())


def test_the_tail_of_a_log_is_lines_or_nothing(api: Api, context: NewContext) -> None:
    api.script = [says(200, "one\n\n two \nhf_of_a_test\n"), says(500)]
    assert client.log_tail(api.at, "acme", "chat", context()) == ["one", "two", "[secret]"]
    assert client.log_tail(api.at, "acme", "chat", context()) == []


def test_the_tokens_own_account_is_asked_of_the_hub(
    api: Api, monkeypatch: pytest.MonkeyPatch, context: NewContext
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", api.at.url)
    api.script = [says(200, {"name": "ann"}), says(200, {"odd": 1})]
    assert client.own_account("hf_of_a_test", context()) == "ann"
    assert client.own_account("hf_of_a_test", context()) == "ann"
    assert len(api.asked) == 1
    with pytest.raises(MoorageError, match="declare the namespace"):
        client.own_account("hf_of_somebody_else", context())
