"""A routes file is taken whole or refused with the place of the first fault, never with a key."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moorage.gateway.routes import RoutesError, Timeouts, load, parse

KEY = "sk-moorage-very-secret"
GOOD: dict[str, Any] = {
    "version": 1,
    "listen": {"host": "127.0.0.1", "port": 8700},
    "services": [
        {
            "name": "hello",
            "models": ["hello", "bartowski/SmolLM2-135M-Instruct-GGUF"],
            "task": "text-generation",
            "api_key": KEY,
            "backends": [
                {"name": "a", "url": "http://127.0.0.1:1/v1/", "model": "m", "api_key": KEY},
                {"name": "b", "url": "https://h/v1", "model": "m", "api_key": None},
            ],
        }
    ],
}

Change = Callable[[dict[str, Any]], object]

BAD: list[tuple[Change, str]] = [
    (lambda r: r.pop("version"), "'version' is missing"),
    (lambda r: r.update(version=2), "version: must be 1"),
    (lambda r: r.update(version=True), "version: must be a number"),
    (lambda r: r.update(extra=1), "unknown key 'extra'; known are version, listen, services"),
    (lambda r: r.update(services=[]), "services: must be a list that is not empty"),
    (lambda r: r.update(services={}), "services: must be a list that is not empty"),
    (
        lambda r: r["listen"].update(port=70000),
        "listen.port: must be a whole number from 0 to 65535",
    ),
    (lambda r: r["listen"].update(port="8700"), "listen.port: must be a number"),
    (
        lambda r: r["listen"].update(host=""),
        "listen.host: must be a line of text that is not empty",
    ),
    (lambda r: r.update(listen=[]), "listen: must be an object"),
    (lambda r: r["services"].append(7), "services[1]: must be an object"),
    (
        lambda r: r["services"].append(copy.deepcopy(r["services"][0])),
        "services: two services are named 'hello'",
    ),
    (
        lambda r: r["services"].append({**r["services"][0], "name": "other"}),
        "services: model 'hello' is given twice under one key",
    ),
    (
        lambda r: r["services"][0].update(models=["x", "x"]),
        "services: model 'x' is given twice under one key",
    ),
    (
        lambda r: r["services"][0].update(models=["x", "a\nb"]),
        "services[0].models[1]: must be a line of text that is not empty",
    ),
    (
        lambda r: r["services"][0].update(name="no spaces"),
        "services[0].name: must be a name of letters, digits, '.', '_' and '-'",
    ),
    (
        lambda r: r["services"][0].update(api_key=f"{KEY} "),
        "services[0].api_key: must be a key of visible ASCII characters, without spaces",
    ),
    (
        lambda r: r["services"][0].update(backends=None),
        "services[0].backends: must be a list that is not empty",
    ),
    (
        lambda r: r["services"][0]["backends"][1].update(name="a"),
        "services[0].backends: two backends are named 'a'",
    ),
    (
        lambda r: r["services"][0]["backends"][1].pop("api_key"),
        "services[0].backends[1]: 'api_key' is missing",
    ),
    (
        lambda r: r["services"][0]["backends"][0].update(timeouts={"first_byte_s": 0}),
        "services[0].backends[0].timeouts.first_byte_s: must be seconds, above 0 and at most 86400",
    ),
    (
        lambda r: r["services"][0]["backends"][0].update(timeouts={"first": 1}),
        (
            "services[0].backends[0].timeouts: unknown key 'first'; "
            "known are connect_s, first_byte_s, total_s, stall_s"
        ),
    ),
]
BAD_HEADERS: list[tuple[object, str]] = [
    ([], ": must be an object of at most 16 keys"),
    ({f"x-{n}": "1" for n in range(17)}, ": must be an object of at most 16 keys"),
    ({"": "1"}, ": '' is not the name of a header"),
    ({"x y": "1"}, ": 'x y' is not the name of a header"),
    ({"x-a:": "1"}, ": 'x-a:' is not the name of a header"),
    ({"Authorization": KEY}, ": header 'Authorization' is the gateway's own"),
    ({"X-Request-Id": "1"}, ": header 'X-Request-Id' is the gateway's own"),
    ({"Transfer-Encoding": "chunked"}, ": header 'Transfer-Encoding' is the gateway's own"),
    ({"x-a": "1", "X-A": "2"}, ": header 'x-a' is given twice"),
    *(
        ({"x-a": value}, ".x-a: must be one line of visible ASCII characters, not empty")
        for value in ("", " ", "a ", f"{KEY}\r\nx-b: 1", "ü", "a" * 1025, 7, None)
    ),
]
BAD_URLS = [
    "127.0.0.1:9001/v1", "ftp://h/v1", "http://", "http://h:99999/v1", "http://h:0/v1",
    f"http://user:{KEY}@h/v1", f"http://h/v1?key={KEY}", "http://h/v1#x", "http://h /v1", 7, None,
    "http://a..b/v1", f"http://{'x' * 80}/v1", "http://[::1/v1",
]  # fmt: skip


def changed(change: Change) -> bytes:
    routes = copy.deepcopy(GOOD)
    change(routes)
    return json.dumps(routes).encode()


def fault(text: bytes) -> str:
    with pytest.raises(RoutesError) as caught:
        parse(text)
    assert KEY not in str(caught.value)
    return str(caught.value)


def test_a_good_file_gives_typed_routes() -> None:
    text = json.dumps(GOOD).encode()
    routes = parse(text)
    (service,) = routes.services
    assert (routes.host, routes.port) == ("127.0.0.1", 8700)
    assert routes.digest == hashlib.sha256(text).hexdigest()
    assert [backend.url for backend in service.backends] == [
        "http://127.0.0.1:1/v1",
        "https://h/v1",
    ]
    assert service.backends[1].timeouts == Timeouts(
        connect_s=2, first_byte_s=120, total_s=600, stall_s=30
    )


def test_timeouts_are_per_backend() -> None:
    text = changed(lambda r: r["services"][0]["backends"][0].update(timeouts={"stall_s": 0.5}))
    first, second = parse(text).services[0].backends
    assert first.timeouts == Timeouts(stall_s=0.5)
    assert second.timeouts == Timeouts()


def test_headers_are_per_backend_and_an_old_file_has_none() -> None:
    given = {"X-HF-Bill-To": "acme", "x-hint": "a, b"}
    text = changed(lambda r: r["services"][0]["backends"][0].update(headers=given))
    first, second = parse(text).services[0].backends
    assert first.headers == (("X-HF-Bill-To", "acme"), ("x-hint", "a, b"))
    assert second.headers == ()
    assert "acme" not in repr(first)


def test_an_adapter_is_known_to_whoever_has_it() -> None:
    given = {"tone": "base:tone"}
    text = changed(lambda r: r["services"][0]["backends"][1].update(adapters=given))
    [hello] = parse(text).services
    assert hello.names == (*hello.models, "tone")
    assert [each.name for each in hello.serving("tone")] == ["b"]
    assert [each.called("tone") for each in hello.serving("tone")] == ["base:tone"]
    assert [each.called("hello") for each in hello.serving("hello")] == ["m", "m"]


@pytest.mark.parametrize(
    ("adapters", "says"),
    [
        (["tone"], "services[0].backends[0].adapters: must be an object of at most 1024 keys"),
        ({"tone": ""}, "services[0].backends[0].adapters.tone: must be a line of text that is"),
        ({"": "tone"}, "services[0].backends[0].adapters: must be a line of text that is not"),
        ({"hello": "tone"}, "services: model 'hello' is given twice under one key"),
    ],
)
def test_a_bad_adapter_is_refused(adapters: object, says: str) -> None:
    text = changed(lambda r: r["services"][0]["backends"][0].update(adapters=adapters))
    assert fault(text).startswith(says)


def test_a_backend_may_say_in_whose_words_it_ranks() -> None:
    text = changed(lambda r: r["services"][0]["backends"][0].update(ranks="tei"))
    first, second = parse(text).services[0].backends
    assert [first.at("/rerank"), first.at("/models")] == [
        "http://127.0.0.1:1/rerank",
        "http://127.0.0.1:1/v1/models",
    ]
    assert second.at("/rerank") == "https://h/v1/rerank"


@pytest.mark.parametrize("ranks", ["cohere", "", None, ["tei"]])
def test_an_unknown_way_to_rank_is_refused(ranks: object) -> None:
    text = changed(lambda r: r["services"][0]["backends"][1].update(ranks=ranks))
    assert fault(text) == "services[0].backends[1].ranks: must be tei"


@pytest.mark.parametrize(("headers", "says"), BAD_HEADERS)
def test_a_bad_header_is_refused_without_quoting_its_value(headers: object, says: str) -> None:
    text = changed(lambda r: r["services"][0]["backends"][0].update(headers=headers))
    assert fault(text) == f"services[0].backends[0].headers{says}"


@pytest.mark.parametrize(("change", "says"), BAD)
def test_a_bad_value_is_refused_with_its_place(change: Change, says: str) -> None:
    assert fault(changed(change)) == says


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_url_is_refused_without_quoting_it(url: object) -> None:
    text = changed(lambda r: r["services"][0]["backends"][0].update(url=url))
    assert fault(text).startswith("services[0].backends[0].url: must be ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "line 1: not JSON: Expecting value"),
        (b'{"version": 1,\n"listen": ]', "line 2: not JSON: Expecting value"),
        (b"\xff\xfe\xff", "not JSON that can be read"),
        (b"[" * 100_000, "not JSON that can be read"),
        (b"[]", "must be an object"),
        (b'{"version": 1, "version": 1}', "key 'version' is given twice in one object"),
    ],
)
def test_what_is_not_a_json_object_is_refused(text: bytes, says: str) -> None:
    assert fault(text) == says


def test_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    with pytest.raises(RoutesError, match=r"routes\.json: No such file or directory$"):
        load(path)
    path.write_text("{")
    with pytest.raises(RoutesError, match=r"routes\.json: line 1: not JSON"):
        load(path)


def test_no_repr_shows_a_key() -> None:
    assert KEY not in repr(parse(json.dumps(GOOD).encode()))


def test_a_key_opens_its_own_services_only() -> None:
    other = {**GOOD["services"][0], "name": "other", "api_key": "sk-other"}
    routes = parse(changed(lambda r: r["services"].append(other)))
    assert [each.name for each in routes.opened_by(KEY)] == ["hello"]
    assert [each.name for each in routes.opened_by("sk-other")] == ["other"]
    assert routes.opened_by("") == routes.opened_by("sk-ot") == routes.opened_by("ü\udcff") == ()
