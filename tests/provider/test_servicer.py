"""The protocol, spoken to a scripted handler."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2

from moorage.errors import GOES_ON, Exit, MoorageError
from moorage.provider.handler import (
    DRIFT,
    Cancelled,
    Context,
    Created,
    Failure,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.values import UNKNOWN, decode, encode
from tests.provider.client import Client, EngineEar, InitFailed, Refused, served, understood

TOKEN = "moorage:index:Thing"
Start = Callable[[dict[str, Handler]], Client]


SHAPE = Shape(
    doc="A thing.",
    inputs={
        "name": Field(kind="string", doc="Name.", required=True, replaces=True),
        "size": Field(kind="integer", doc="Size.", default=1),
        "password": Field(kind="string", doc="Password.", secret=True),
    },
    outputs={
        "url": Field(kind="string", doc="URL.", required=True),
        "token": Field(kind="string", doc="Token.", secret=True),
        "born": Field(kind="string", doc="When.", stable=True),
        "drift": DRIFT,
    },
    delete_before_replace=True,
    refresh_before_update=True,
)


def check(inputs: State) -> list[Failure]:
    bad = inputs["name"] == "bad"
    return [Failure(name="name", reason="is bad\nindeed")] if bad else []


def preview(inputs: State, state: State | None) -> State:
    return {"url": f"http://{inputs['name']}", "drift": None} if state else {}


def thing(
    make: Callable[[State, Context], Created],
    look: Callable[[State], Found | None] = lambda state: Found(state=state, inputs={}),
    deleted: list[str] | None = None,
    **functions: Any,
) -> Handler:
    """A handler whose create and read do what a test says."""
    gone = [] if deleted is None else deleted
    known: dict[str, Any] = {
        "shape": SHAPE,
        "check": check,
        "preview": preview,
        "create": make,
        "read": lambda _id, state, _inputs, _context: look(state),
        "update": lambda _id, _state, inputs, context: make(inputs, context).state,
        "delete": lambda id_, _state, _context: gone.append(id_),
    }
    return Handler(**{**known, **functions})


def made(inputs: State, context: Context) -> Created:
    return Created(id="thing-1", state={**inputs, "url": "http://x", "token": "t-1"})


def waiting(inputs: State, context: Context) -> Created:
    """A create that exists at once and then waits for as long as it may."""
    thing = made(inputs, context)
    context.exists(thing.id, thing.state)
    context.progress("waiting")
    context.pause(20)
    return thing


def failing(error: Exception) -> Callable[[State, Context], Created]:
    def make(inputs: State, context: Context) -> Created:
        raise error

    return make


@pytest.fixture
def start(in_process: Start) -> Callable[..., Client]:
    """A provider with one scripted handler."""

    def run(make: Callable[[State, Context], Created] = made, **script: Any) -> Client:
        return in_process({TOKEN: thing(make, **script)})

    return run


def test_check_fills_defaults_and_marks_declared_secrets(start: Callable[..., Client]) -> None:
    inputs, failures = start().check({"name": "n", "password": "p"})
    assert failures == {}
    assert inputs.plain == {"name": "n", "size": 1, "password": "p"}
    assert inputs.secrets == {("password",)}


def test_a_diff_judges_the_inputs_that_it_is_given_whatever_was_checked_before(
    start: Callable[..., Client],
) -> None:
    """They are those of the check before it, but need not be: policies and imports change them."""
    client = start()
    before = client.check({"name": "one"})[0].plain
    same = client.diff(before, before)
    other = client.diff(before, {**before, "name": "two"})
    assert [list(same.detailedDiff), list(other.detailedDiff)] == [[], ["name"]]


def test_check_failures_are_one_line_each(start: Callable[..., Client]) -> None:
    assert start().check({"name": "bad"})[1] == {"name": "is bad; indeed"}
    assert "name" in start().check({})[1]


def test_secrets_of_inputs_stay_secret_in_outputs(start: Callable[..., Client]) -> None:
    client = start()
    client.secrets = frozenset({("name",)})
    answer = client.create({"name": "n", "password": "p"})
    assert decode(answer.properties).secrets == {("name",), ("password",), ("token",)}
    assert answer.id == "thing-1"
    assert answer.refresh_before_update
    assert b"sk-" not in answer.properties.SerializeToString()


def test_a_preview_calls_no_handler_and_knows_what_can_be_known(
    start: Callable[..., Client],
) -> None:
    client = start(failing(AssertionError("called")))
    created = decode(client.create({"name": UNKNOWN, "size": 2}, preview=True).properties)
    assert created.plain == {
        **dict.fromkeys(("url", "token", "born", "drift", "name"), UNKNOWN),
        "size": 2,
    }
    state = {"name": "n", "born": "today", "url": "http://m"}
    updated = decode(client.update("x", state, {"name": "n"}, preview=True).properties).plain
    assert (updated["url"], updated["born"], updated["token"]) == ("http://n", "today", UNKNOWN)


def test_a_preview_says_aloud_what_a_change_will_cost_and_the_run_does_not(
    start: Callable[..., Client], ear: EngineEar
) -> None:
    def notice(inputs: State, state: State | None) -> str | None:
        return f"{state['name']} stops for {inputs['password']}" if state else None

    client = start(notice=notice)
    client.secrets = frozenset({("password",)})
    inputs = {"name": "n", "password": "open sesame"}
    client.create(inputs, preview=True)
    client.update("x", {"name": "n"}, inputs)
    assert ear.texts() == []
    client.update("x", {"name": "n"}, inputs, preview=True)
    assert ear.texts() == ["n stops for [secret]"]


def test_diff_tells_replacements_and_deletes_first(start: Callable[..., Client]) -> None:
    client = start()
    same = client.diff({"name": "n"}, {"name": "n"})
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE
    grown = client.diff({"name": "n", "size": 1}, {"name": "n", "size": 2})
    assert grown.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(grown.replaces) == []
    assert not grown.deleteBeforeReplace
    renamed = client.diff({"name": "n"}, {"name": "m"})
    assert list(renamed.replaces) == ["name"]
    assert renamed.deleteBeforeReplace
    assert renamed.detailedDiff["name"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    drifted = client.diff({"name": "n"}, {"name": "n"}, drift="it has ended")
    assert list(drifted.diffs) == ["drift"]
    assert not drifted.detailedDiff["drift"].inputDiff


def test_what_exists_but_is_not_ready_is_a_partial_failure(start: Callable[..., Client]) -> None:
    client = start(waiting)
    with pytest.raises(InitFailed, match="time for it is over") as failure:
        client.create({"name": "n", "password": "p"}, timeout=0.1)
    kept = failure.value
    assert kept.id == "thing-1"
    assert kept.properties.plain["url"] == "http://x"
    assert kept.properties.secrets == {("password",), ("token",)}
    assert kept.inputs.plain == {"name": "n", "password": "p"}
    assert kept.refresh_before_update
    with pytest.raises(InitFailed):
        client.update("thing-1", {}, {"name": "n"}, timeout=0.1)


def test_cancel_ends_every_wait_at_once(start: Callable[..., Client], ear: EngineEar) -> None:
    client = start(waiting)
    calls = [client.create_later({"name": "n"}) for _ in range(40)]
    while len(ear.lines) < len(calls):
        time.sleep(0.01)
    began = time.monotonic()
    client.cancel()
    for call in calls:
        with pytest.raises(grpc.RpcError) as error:
            call.result()
        assert isinstance(understood(error.value), InitFailed)
    assert time.monotonic() - began < 2


def test_after_cancel_nothing_begins_until_the_next_run(start: Callable[..., Client]) -> None:
    client = start()
    client.cancel()
    with pytest.raises(Refused, match="cancelled; run up again"):
        client.create({"name": "n"})
    client.stub.Configure(provider_pb2.ConfigureRequest())
    assert client.create({"name": "n"}).id == "thing-1"


def test_what_is_gone_is_answered_without_properties(start: Callable[..., Client]) -> None:
    answer = start(look=lambda state: None).read("thing-1", {"name": "n"}, {"name": "n"})
    assert answer.id == ""
    assert not answer.HasField("properties")
    assert not answer.HasField("inputs")


def test_what_is_there_is_answered_with_its_secrets(start: Callable[..., Client]) -> None:
    def look(state: State) -> Found:
        return Found(state={**state, "token": "t-2"}, inputs={"name": "n", "password": "p"})

    answer = start(look=look).read("thing-1", {"name": "n"}, {"name": "n"})
    assert answer.id == "thing-1"
    assert decode(answer.properties).secrets == {("token",)}
    assert decode(answer.inputs).secrets == {("password",)}


def test_who_does_not_answer_ends_no_look_in_a_run_that_goes_on(
    start: Callable[..., Client], ear: EngineEar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine would end the whole run, whatever else there was to heal."""

    def silent(_state: State) -> Found:
        raise MoorageError("the cloud is silent", exit_code=Exit.UNANSWERED)

    client, state = start(look=silent), {"name": "n", "url": "http://x"}
    with pytest.raises(Refused, match="the cloud is silent"):
        client.read("thing-1", state, {"name": "n"})
    monkeypatch.setenv(GOES_ON, "1")
    assert decode(client.read("thing-1", state, {"name": "n"}).properties).plain == state
    assert ear.texts() == ["it is taken to be as it was: the cloud is silent"]
    with pytest.raises(Refused, match="the cloud is silent"):
        client.read("thing-1", {}, {})  # an import has to know


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MoorageError("port 1 is in use;\n  stop it"), "port 1 is in use;; stop it"),
        (Cancelled(), "cancelled; run up again to go on"),
        (KeyError("size"), "unexpected fault: 'size'"),
        (ValueError(), "unexpected fault: no message"),
    ],
)
def test_a_fault_is_one_line_without_python_in_it(
    start: Callable[..., Client], ear: EngineEar, error: Exception, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        start(failing(error)).create({"name": "n"})
    assert str(refused.value) == message
    loud = [line.message for line in ear.lines if line.severity > 0]
    assert not any("Traceback" in text for text in loud)


def test_progress_reaches_the_engine_with_the_urn(
    start: Callable[..., Client], ear: EngineEar
) -> None:
    def make(inputs: State, context: Context) -> Created:
        for number in range(20):
            context.progress(f"step {number}")
        context.warn("the Hub is away")
        return made(inputs, context)

    client = start(make)
    client.create({"name": "n"})
    assert ear.texts() == [*(f"step {number}" for number in range(20)), "the Hub is away"]
    assert {line.urn for line in ear.lines} == {client.who["urn"]}
    assert [line.ephemeral for line in ear.lines] == [True] * 20 + [False]
    assert ear.lines[-1].severity == 2


def test_sixty_four_creates_wait_side_by_side(start: Callable[..., Client]) -> None:
    together = threading.Barrier(64, timeout=10)

    def make(inputs: State, context: Context) -> Created:
        together.wait()
        return made(inputs, context)

    client = start(make)
    calls = [client.create_later({"name": "n"}) for _ in range(64)]
    assert {call.result().id for call in calls} == {"thing-1"}


def test_an_unknown_type_is_one_line(start: Callable[..., Client]) -> None:
    client = start()
    client.token = "moorage:index:Nothing"
    with pytest.raises(Refused, match="moorage:index:Nothing: no such resource type; there are"):
        client.check({})


def test_the_program_s_configuration_is_accepted_and_ignored(
    start: Callable[..., Client],
) -> None:
    stub = start().stub
    old, new = Struct(), encode({"specs": ["a.yaml"], "gatewayPort": 8700}, [("specs",)])
    checked = stub.CheckConfig(provider_pb2.CheckRequest(news=new))
    assert checked.inputs == new
    assert not checked.failures
    diff = stub.DiffConfig(provider_pb2.DiffRequest(olds=old, old_inputs=old, news=new))
    assert diff.changes == provider_pb2.DiffResponse.DIFF_NONE
    configured = stub.Configure(provider_pb2.ConfigureRequest(args=new))
    assert configured.acceptSecrets
    assert configured.supportsPreview


def test_the_schema_is_json_and_the_version_is_ours(start: Callable[..., Client]) -> None:
    from google.protobuf.empty_pb2 import Empty

    from moorage import __version__

    stub = start().stub
    schema = json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert list(schema["resources"]) == [TOKEN]
    assert stub.GetPluginInfo(Empty()).version == __version__


def test_delete_reaches_the_handler(start: Callable[..., Client]) -> None:
    deleted: list[str] = []
    start(deleted=deleted).delete("thing-1", {})
    assert deleted == ["thing-1"]


def test_what_a_handler_says_shows_no_secret(start: Callable[..., Client], ear: EngineEar) -> None:
    def make(inputs: State, context: Context) -> Created:
        context.warn(f"logging in with {inputs['password']}")
        message = f"the server refused {inputs['password']}"
        raise MoorageError(message)

    with pytest.raises(Refused, match=r"the server refused \[secret\]"):
        start(make).create({"name": "n", "password": "hunter2hunter2"})
    assert ear.texts() == ["logging in with [secret]"]


def test_an_output_that_contains_a_secret_is_secret(start: Callable[..., Client]) -> None:
    def make(inputs: State, context: Context) -> Created:
        return Created(id="1", state={**inputs, "url": f"http://u:{inputs['password']}@h"})

    answer = start(make).create({"name": "n", "password": "hunter2hunter2"})
    assert ("url",) in decode(answer.properties).secrets


def test_without_an_update_every_change_replaces(start: Callable[..., Client]) -> None:
    client = start(update=None)
    assert list(client.diff({"name": "n"}, {"name": "n", "size": 2}).replaces) == ["size"]
    state = {"name": "n", "url": "http://x"}
    assert decode(client.update("1", state, state).properties).plain["url"] == "http://x"
    gone = start(update=None, look=lambda state: None)
    with pytest.raises(Refused, match="is gone; run up with --refresh"):
        gone.update("1", state, state)


def test_another_id_may_be_answered_than_the_one_asked_for(start: Callable[..., Client]) -> None:
    client = start(look=lambda state: Found(state={"name": "n"}, inputs={"name": "n"}, id="other"))
    assert client.read("env:KEY", {}, {}).id == "other"


def test_unknown_inputs_reach_no_rule_of_the_handler(start: Callable[..., Client]) -> None:
    def trusting(inputs: State) -> list[Failure]:
        return [Failure(name="name", reason="too short")] if len(inputs["name"]) < 2 else []

    client = start(check=trusting)
    assert client.check({"name": UNKNOWN})[1] == {}
    assert client.check({"name": "n"})[1] == {"name": "too short"}


def test_declared_configuration_is_judged_and_handed_to_handlers(ear: EngineEar) -> None:
    seen: list[Any] = []

    def make(inputs: State, context: Context) -> Created:
        seen.append(dict(context.config))
        return made(inputs, context)

    config = {
        "endpoint": Field(kind="string", doc="Where.", default="https://x"),
        "retries": Field(kind="integer", doc="How often.", least=0),
    }
    with served(ear, config=config) as serve:
        client = serve({TOKEN: thing(make)})
        wrong = encode({"retries": "-1"})
        [failure] = client.stub.CheckConfig(provider_pb2.CheckRequest(news=wrong)).failures
        assert (failure.property, failure.reason) == ("retries", "must be at least 0")
        given = encode({"retries": "3", "specs": ["a"]})
        client.stub.Configure(provider_pb2.ConfigureRequest(args=given))
        client.create({"name": "n"})
    assert seen == [{"endpoint": "https://x", "retries": 3}]


def test_what_another_resource_goes_on_with_is_not_deleted(
    start: Callable[..., Client], ear: EngineEar
) -> None:
    """A renamed resource has adopted the thing; the run that did it may have died since."""
    deleted: list[str] = []
    client = start(deleted=deleted)
    client.stub.Configure(provider_pb2.ConfigureRequest())
    client.diff({"name": "n"}, {"name": "n"})
    old = f"urn:pulumi:s::p::{TOKEN}::old-name"
    request = provider_pb2.DeleteRequest(id="x", urn=old, type=TOKEN, properties=Struct())
    client.stub.Delete(request)
    assert deleted == []
    assert any("x stays: web goes on with it" in text for text in ear.texts())
    client.stub.Delete(provider_pb2.DeleteRequest(id="x", type=TOKEN, urn=client.who["urn"]))
    assert deleted == ["x"]
