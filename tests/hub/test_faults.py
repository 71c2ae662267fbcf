"""The door to the Hub: facts as they are, faults as one line with the right exit code."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from aiohttp import web

from moorage import hub
from moorage.errors import Exit, MoorageError
from moorage.twin.hub import Hub, Repo, serve
from moorage.twin.serving import in_thread

REPOS = {
    "acme/tiny": Repo(
        files={"tiny.gguf": b"GGUF", "config.json": b"{}"},
        license="mit",
        library_name="gguf",
        refs={"v1": "b" * 40},
        config={"architectures": ["LlamaForCausalLM"]},
    ),
    "acme/gated": Repo(gated="manual", readers=("hf_reader",)),
    "acme/private": Repo(private=True, readers=("hf_reader",)),
}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent")
    with serve(REPOS, tokens=("hf_somebody",)) as running:
        yield running


def refused(twin: Hub, model_id: str, revision: str | None = None, **more: object) -> MoorageError:
    with pytest.raises(MoorageError) as raised:
        hub.facts(model_id, revision, endpoint=twin.url, **more)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)
    return raised.value


def test_the_facts_of_a_model_at_a_tag(twin: Hub) -> None:
    facts = hub.facts("acme/tiny", "v1", endpoint=twin.url)
    assert (facts.revision, facts.license, facts.gated) == ("b" * 40, "mit", False)
    assert (facts.library, facts.architecture) == ("gguf", "LlamaForCausalLM")
    assert [(file.name, file.size_bytes) for file in facts.files] == [("tiny.gguf", 4)]
    assert facts.asked_of == twin.url
    assert len(facts.asked_on) == len("2026-01-01")


def test_a_gated_model_says_so(twin: Hub) -> None:
    assert hub.facts("acme/gated", endpoint=twin.url).gated == "manual"


def test_a_private_model_opens_to_its_reader(twin: Hub) -> None:
    assert refused(twin, "acme/private").exit_code == Exit.PROBLEMS
    assert hub.facts("acme/private", token="hf_reader", endpoint=twin.url).id == "acme/private"


@pytest.mark.parametrize(
    ("model_id", "revision", "token", "says"),
    [
        ("acme/none", None, None, "acme/none: the Hub has no such repository"),
        ("acme/none", None, "hf_somebody", "acme/none: the Hub has no such repository"),
        ("acme/tiny", "c" * 40, None, "the Hub has no revision 'cccc"),
        ("acme/tiny", None, "hf_nobody", "the Hub refuses the token; check HF_TOKEN (401)"),
        ("a/b/c", None, None, "'a/b/c' cannot be the name of a repository"),
    ],
)
def test_what_the_hub_refuses_is_a_problem(
    twin: Hub, model_id: str, revision: str | None, token: str | None, says: str
) -> None:
    error = refused(twin, model_id, revision, token=token)
    assert says in str(error)
    assert error.exit_code == Exit.PROBLEMS
    assert "hf_" not in str(error)


def test_a_hub_in_trouble_did_not_answer(twin: Hub) -> None:
    twin.status = 503
    error = refused(twin, "acme/tiny")
    assert "answered 503" in str(error)
    assert error.exit_code == Exit.UNANSWERED


def test_a_hub_that_is_not_there_did_not_answer() -> None:
    with pytest.raises(MoorageError, match="cannot be reached") as raised:
        hub.facts("acme/tiny", endpoint="http://127.0.0.1:9")
    assert raised.value.exit_code == Exit.UNANSWERED


def test_a_hub_that_says_nothing_is_left_after_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MoorageError, match="cannot be reached") as raised:
            hub.facts("acme/tiny", endpoint=endpoint, deadline_s=0.3)
    assert raised.value.exit_code == Exit.UNANSWERED


@pytest.mark.parametrize("body", ["<html>log in first</html>", "[]", '{"id": "acme/tiny"}'])
def test_something_else_that_answers_is_not_the_hub(body: str) -> None:
    """Hotel networks answer everything with a page of their own."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=body)

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    with (
        in_thread(app, host="127.0.0.1", ports=(0,)) as urls,
        pytest.raises(MoorageError) as raised,
    ):
        hub.facts("acme/tiny", endpoint=urls[0])
    assert raised.value.exit_code == Exit.UNANSWERED


@pytest.mark.parametrize("endpoint", ["not a url", "ftp://hub", "http://"])
def test_a_wrong_endpoint_is_one_line(endpoint: str) -> None:
    with pytest.raises(MoorageError) as raised:
        hub.facts("acme/tiny", endpoint=endpoint)
    assert "\n" not in str(raised.value)
