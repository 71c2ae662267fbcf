"""InferenceEndpoint on the twin: what users do wrong, and what others do behind our back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pulumi.runtime.proto.provider_pb2 import PropertyDiff

from moorage.provider.hugging_face.endpoints import endpoint_owner, inference_endpoint
from moorage.provider.testing.client import Client
from moorage.provider.values import decode
from moorage.twin import face
from moorage.twin.hardware import catalogue
from moorage.twin.people import INFER, MANAGE
from tests.provider.hugging_face.endpoints import ID, OWNER, TOKEN, Made, World, hurry, world

NewWorld = Callable[..., World]


@pytest.fixture
def given(in_process: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> Iterator[NewWorld]:
    hurry(monkeypatch)
    provider = in_process({TOKEN: inference_endpoint.HANDLER})
    worlds: list[Any] = []

    def make(**scenario: Any) -> World:
        worlds.append(world(provider, monkeypatch, face.Scenario(**scenario)))
        made: World = worlds[-1].__enter__()
        return made

    yield make
    for one in reversed(worlds):
        one.__exit__(None, None, None)


@pytest.fixture
def at(given: NewWorld) -> World:
    return given()


# --- tokens


def test_without_a_token_nothing_is_asked(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN_PATH", "/nowhere")
    line, kept = at.failed(at.create)
    assert "set HF_TOKEN to one with the permission inference.endpoints.write" in line
    assert kept is None
    assert not at.twin.requests


def test_a_wrong_token_is_named_and_not_told(at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_another_life")
    line, kept = at.failed(at.create)
    assert line == (
        "acme/chat: Hugging Face does not know the token (401); set HF_TOKEN to a token that is"
        " valid"
    )
    assert kept is None


@pytest.mark.parametrize(
    "variable", ["HF_TOKEN", "MOORAGE_HF_INFERENCE_TOKEN", "MOORAGE_HF_FOREIGN_TOKEN"]
)
def test_a_token_that_cannot_be_one_is_neither_sent_nor_told(
    variable: str, at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "hf_with\nbreak")
    line, _ = at.failed(at.create)
    assert line == f"{variable} holds characters that no token has; copy it again"
    assert variable != "HF_TOKEN" or not at.twin.requests


def test_a_token_without_permission_is_told_which_one_it_lacks(
    at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_twin_narrow")
    line, kept = at.failed(at.create)
    assert "(403)" in line
    assert "give the token of HF_TOKEN the permission inference.endpoints.write for acme" in line
    assert kept is None


def test_a_token_that_may_not_call_it_is_told_so_and_the_endpoint_stays(
    given: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = face.Account(
        name="ann",
        tokens=(
            face.Token(text="hf_twin_ann"),
            face.Token(text="hf_twin_narrow", role="fineGrained", scoped={"acme": (MANAGE,)}),
        ),
    )
    acme = face.Account(name="acme", kind="org", members=("ann",))
    at = given(accounts=(ann, acme), foreign="")
    line, kept = at.failed(at.create)
    assert INFER in line
    assert "MOORAGE_HF_INFERENCE_TOKEN" in line
    assert kept is not None
    assert kept.id == ID
    monkeypatch.setenv("MOORAGE_HF_INFERENCE_TOKEN", "hf_twin_ann")
    at.update(kept)
    assert at.sent() == ["POST /v2/endpoint/acme"], "what was good already was written again"


def test_without_a_namespace_it_is_the_tokens_own_account(at: World) -> None:
    made = at.create(namespace=None)
    assert (made.id, made.state["account"]) == ("ann/chat", "ann")


# --- what is there already, or not any more


def test_somebody_elses_is_neither_taken_nor_touched(at: World) -> None:
    at.twin.plant("acme", "chat")
    before = at.twin.endpoints[ID].raw
    line, kept = at.failed(at.create)
    assert line.startswith("acme/chat was made by hand and is left as it is")
    assert kept is None
    assert at.twin.endpoints[ID].raw == before


def test_another_stacks_is_named_as_its_own(at: World) -> None:
    at.create(owner="shop/staging/chat")
    line, kept = at.failed(at.create)
    assert line.startswith("acme/chat belongs to shop/staging/chat and is left as it is")
    assert kept is None


def test_what_somebody_made_by_hand_where_ours_was_is_neither_taken_nor_ended(at: World) -> None:
    made = at.create()
    body = {name: one for name, one in at.twin.endpoints[ID].body.items() if name != "name"}
    at.twin.remove("acme", "chat")
    at.twin.plant("acme", "chat", **{**body, "tags": []})
    seen = at.read(made)
    assert seen is not None
    assert seen.state["drift"] == "it was made by hand"
    assert not seen.state["isImported"]
    line, _ = at.failed(lambda: at.update(seen))
    assert line.startswith("acme/chat was made by hand and is left as it is")
    at.delete(seen)
    assert ID in at.twin.endpoints


def test_one_whose_tags_somebody_took_away_is_ours_all_the_same(at: World) -> None:
    """Or it could be neither changed nor ended, and would be paid for ever."""
    made = at.create()
    at.twin.endpoints[ID].body["tags"] = ["by-hand"]
    seen = at.read(made)
    assert seen is not None
    assert seen.state["drift"].startswith("the tags that say whose it is were taken away; tags")
    at.update(seen)
    assert endpoint_owner.marks(OWNER)[1] in at.twin.endpoints[ID].raw["tags"]
    at.twin.endpoints[ID].body["tags"] = []
    at.delete(seen)
    assert ID not in at.twin.endpoints


def test_ours_in_another_region_is_not_made_into_this_one(at: World) -> None:
    at.create()
    line, _ = at.failed(lambda: at.create(region="us-east-1"))
    assert "is there with region eu-west-1, declared is us-east-1" in line
    assert len(at.sent("POST")) == 1


def test_deleted_behind_our_back_it_is_made_again_by_a_refresh(at: World) -> None:
    made = at.create()
    at.twin.remove("acme", "chat")
    line, _ = at.failed(lambda: at.update(made, env={"LOG": "debug"}))
    assert line == "acme/chat is gone; run up with --refresh to have it made again"
    assert at.read(made) is None
    at.provider.configure({})
    assert at.create().state["status"] == "running"


def test_one_that_only_a_list_still_knows_is_not_taken_as_gone(at: World) -> None:
    made = at.create()
    at.twin.faults.append(face.Fault(method="GET", path="/acme/chat$", status=404, times=None))
    found = at.read(made)
    assert found is not None
    at.delete(found)
    assert at.twin.endpoints.get(ID) is None or at.twin.endpoints[ID].is_going


def test_a_late_delete_is_waited_for(given: NewWorld) -> None:
    at = given(timings=face.Timings(delete_s=0.5))
    at.delete(at.create())
    assert not at.twin.endpoints.of("acme")


def test_secrets_that_an_adoption_could_not_write_are_written_by_the_next_run(at: World) -> None:
    at.create()
    at.twin.faults.append(face.Fault(method="PUT", status=403))
    _, kept = at.failed(lambda: at.create(secrets={"KEY": "sk-of-the-container"}))
    assert kept is not None
    at.update(kept, secrets={"KEY": "sk-of-the-container"})
    assert at.twin.endpoints[ID].secrets == {"KEY": "sk-of-the-container"}


def test_a_create_without_an_answer_is_kept_in_mind(at: World) -> None:
    at.twin.faults.append(face.Fault(method="POST", does="drop"))
    line, kept = at.failed(at.create)
    assert line.endswith("(nothing was made so far; the next run looks again)")
    assert kept is not None
    assert kept.state["status"] == "unknown"
    assert at.read(kept) is None
    at.delete(kept)


def test_what_an_earlier_run_made_of_it_is_made_as_this_one_says(at: World) -> None:
    """A look that lies, then a conflict: the one that is there is ours, and of another day."""
    at.create()
    at.twin.faults.append(face.Fault(method="GET", path="/acme/chat$", status=404))
    at.create(env={"LOG": "debug"})
    assert at.twin.endpoints[ID].body["model"]["env"] == {"LOG": "debug"}
    assert [one.split()[0] for one in at.sent()] == ["POST", "POST", "PUT"]


# --- pauses, and whose they are


def test_paused_by_a_person_it_is_drift_and_resumed_with_a_word(at: World) -> None:
    made = at.create()
    at.twin.pause("acme", "chat")
    found = at.read(made)
    assert found is not None
    assert found.state["drift"] == "it was paused by somebody"
    assert found.state["hourlyUsd"] == 0
    assert at.update(found).state["status"] == "running"
    assert at.sent()[-1] == "POST /v2/endpoint/acme/chat/resume"
    assert "PUT" not in " ".join(at.sent())


def test_paused_by_the_budget_guard_it_is_no_drift_and_stays_so(at: World) -> None:
    made = at.create()
    endpoint = at.twin.endpoints[ID]
    endpoint.body["tags"].append("moorage-budget-paused")
    endpoint.pause("guard")
    found = at.read(made)
    assert found is not None
    assert not found.state.get("drift")
    assert at.update(found).state["status"] == "paused"
    changed = at.update(found, env={"LOG": "debug"})
    assert changed.state["status"] == "paused"
    assert "moorage-budget-paused" in at.twin.endpoints[ID].body["tags"]
    assert not [one for one in at.sent() if one.endswith("/resume")]


def test_declared_at_rest_it_is_paused_and_costs_nothing(at: World) -> None:
    made = at.create(paused=True)
    assert (made.state["status"], made.state["hourlyUsd"]) == ("paused", 0)
    assert at.twin.endpoints[ID].replicas() == 0
    at.update(made, paused=True)
    assert at.sent()[-1] == "POST /v2/endpoint/acme/chat/pause"
    assert at.update(made, paused=False).state["status"] == "running"


# --- what cannot be had


def test_an_instance_that_the_catalogue_has_not_is_told_with_those_that_it_has(
    at: World,
) -> None:
    line, kept = at.failed(lambda: at.create(instanceSize="x3"))
    assert line.startswith("aws eu-west-1 has no nvidia-l4 x3 (gpu); there is ")
    assert "nvidia-l4 x1" in line
    assert kept is None
    assert not at.sent()


def test_a_gpu_that_the_region_has_not_is_told_with_where_it_is(at: World) -> None:
    line, _ = at.failed(lambda: at.create(instanceType="nvidia-h200"))
    assert line.startswith("aws eu-west-1 has no nvidia-h200 x1 (gpu); there is aws us-west-2")
    assert not at.sent()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vendor": "ibm"}, "no vendor ibm is offered; there are aws"),
        ({"region": "mars-1"}, "aws has no region mars-1; it has "),
    ],
)
def test_a_place_that_is_not_offered_is_told_so(
    at: World, changes: dict[str, Any], says: str
) -> None:
    line, _ = at.failed(lambda: at.create(**changes))
    assert line.startswith(says)


def test_one_that_is_sold_out_is_not_even_asked_for(given: NewWorld) -> None:
    rows = [
        replace(row, status="not_available") if row.instance_type == "nvidia-l4" else row
        for row in catalogue()
    ]
    at = given(computes=rows)
    line, kept = at.failed(at.create)
    assert line.startswith("nvidia-l4 x1 is not_available in aws eu-west-1 now; it has ")
    assert kept is None
    assert not at.sent()


def test_a_quota_that_is_used_up_is_told_in_the_services_words(given: NewWorld) -> None:
    at = given(computes=[replace(row, quota=1) for row in catalogue()])
    line, kept = at.failed(lambda: at.create(maxReplica=2))
    assert line.startswith("acme/chat: the quota of acme does not allow it (403): Quota exceeded")
    assert kept is None
    assert not at.twin.endpoints


def test_who_cannot_pay_is_told_where_to(given: NewWorld) -> None:
    ann = face.Account(name="ann", tokens=(face.Token(text="hf_twin_ann"),))
    acme = face.Account(name="acme", kind="org", members=("ann",), can_pay=False)
    at = given(accounts=(ann, acme), calls="", foreign="")
    line, _ = at.failed(at.create)
    assert line.startswith("acme/chat: acme cannot pay for it (402)")


def test_an_instance_without_a_price_is_not_begun(given: NewWorld) -> None:
    free: Any = {"usd_per_hour": None}
    at = given(computes=[replace(row, **free) for row in catalogue()])
    line, kept = at.failed(at.create)
    assert line == (
        "the catalogue tells no price of nvidia-l4 x1 in aws eu-west-1, and nothing is begun"
        " without one; run up again later"
    )
    assert kept is None
    assert not at.sent()


def test_a_price_that_nobody_knows_begins_nothing(at: World) -> None:
    at.twin.faults.append(face.Fault(path="/v2/provider", status=503, times=None))
    line, kept = at.failed(at.create)
    assert line.startswith("the prices for acme: Hugging Face fails (503)")
    assert kept is None
    assert not at.sent()


# --- starts that go wrong


def test_a_start_that_fails_tells_why_and_how_its_log_ends(given: NewWorld) -> None:
    bad = face.Start(message="CUDA out of memory", log=("loading shards", "OOM at layer 31"))
    starts = [bad]
    at = given(starts=starts)
    line, kept = at.failed(at.create)
    assert line.startswith("acme/chat failed: CUDA out of memory; its log ends: ")
    assert "OOM at layer 31" in line
    assert kept is not None
    found = at.read(kept)
    assert found is not None
    assert found.state["drift"].startswith("it failed: CUDA out of memory")
    starts.clear()
    assert at.update(found).state["status"] == "running", "a change must start it again"


def test_a_stock_out_is_told_as_one(given: NewWorld) -> None:
    bad = face.Start(ends="unscheduled", message="Scheduling failure: not enough capacity")
    at = given(starts=[bad])
    line, kept = at.failed(lambda: at.create(readyTimeoutSeconds=1))
    assert "does not serve after 1 s: pending: Scheduling failure: not enough capacity" in line
    assert line.endswith("there is none of this instance now: try another one or another region")
    assert kept is not None
    at.delete(kept)
    assert not at.twin.endpoints.of("acme")


def test_one_that_never_starts_ends_in_time_and_is_kept(given: NewWorld) -> None:
    at = given(starts=[face.Start(ends="stuck")])
    line, kept = at.failed(lambda: at.create(readyTimeoutSeconds=1))
    assert "acme/chat does not serve after 1 s: initializing" in line
    assert kept is not None
    assert kept.id == ID


def test_a_roll_out_that_fails_is_told_and_healed_by_the_next(given: NewWorld) -> None:
    bad = face.Start(when="update", ends="failed", message="image not found", times=1)
    at = given(starts=[bad])
    made = at.create()
    line, kept = at.failed(lambda: at.update(made, image="vllm/vllm-openai:v9"))
    assert line.startswith("acme/chat updateFailed: image not found")
    assert kept is not None
    assert at.update(kept, image="vllm/vllm-openai:v9").state["status"] == "running"


def test_running_is_not_taken_for_serving(given: NewWorld) -> None:
    at = given(timings=face.Timings(loading_s=0.7))
    assert at.create().state["servedModel"] == "acme/chat"
    asked = [one for one in at.twin.requests if one.path.endswith("/v1/models")]
    assert len(asked) > 3, "the engine was not asked while it loaded"


def test_the_state_before_a_change_is_not_taken_for_the_one_after(given: NewWorld) -> None:
    at = given(timings=face.Timings(stale_s=0.3, updating_s=0.3))
    made = at.create()
    at.update(made, env={"LOG": "debug"})
    assert at.twin.endpoints[ID].history[-2:] == ["updating", "running"]


def test_an_endpoint_asleep_is_a_good_end_of_a_change(at: World) -> None:
    sleeps = {"minReplica": 0, "scaleToZeroMinutes": 15}
    made = at.create(**sleeps)
    at.twin.endpoints[ID].sleep("autoscaler")
    found = at.read(made, **sleeps)
    assert found is not None
    assert not found.state.get("drift"), "what the autoscaler does is no drift"
    assert found.state["hourlyUsd"] == 0
    begun = len(at.twin.requests)
    kept = at.update(found, **{**sleeps, "scaleToZeroMinutes": 30})
    assert kept.state["status"] == "scaledToZero"
    assert kept.state["servedModel"] == "acme/chat"
    assert not [one for one in at.twin.requests[begun:] if one.host == "engines"], "it was woken"


def test_an_endpoint_asleep_that_has_never_served_is_woken_to_prove_it(at: World) -> None:
    sleeps = {"minReplica": 0, "scaleToZeroMinutes": 15}
    made = at.create(**sleeps)
    at.twin.endpoints[ID].sleep("autoscaler")
    never = {name: one for name, one in made.state.items() if name != "servedModel"}
    proven = at.update(replace(made, state=never), **sleeps)
    assert proven.state["servedModel"] == "acme/chat"
    assert proven.state["status"] == "running"


# --- who may call it


@pytest.mark.parametrize("access", ["private", "authenticated"])
def test_strangers_are_tried_and_refused(at: World, access: str) -> None:
    at.create(access=access)
    tried = [one.token_of for one in at.twin.requests if one.path.endswith("/v1/models")]
    assert tried.count("") == 2, "no token, and one that nobody has"
    assert ("zoe" in tried) == (access == "private")


def test_one_that_lets_strangers_in_is_paused_at_once(at: World) -> None:
    # However often the first call is made again on a busy machine, strangers are let in.
    calls = face.Fault(host="engines", path="/v1/models", status=200, after=1, times=None, body={})
    at.twin.faults.append(calls)
    line, kept = at.failed(at.create)
    assert line == (
        "acme/chat: it is private and lets a call without a token in (200); it was paused: correct"
        " its access, or delete it"
    )
    assert kept is not None
    assert at.twin.endpoints[ID].state == "paused"


def test_a_type_that_the_service_made_into_another_is_seen_and_paused(at: World) -> None:
    made = at.create()
    at.twin.endpoints[ID].body["type"] = "public"
    found = at.read(made)
    assert found is not None
    assert found.state["drift"] == "access is public, declared private"
    at.update(found)
    assert at.twin.endpoints[ID].body["type"] == "private", "somebody opened it; it is closed"


def test_what_cannot_be_told_of_its_access_is_no_pause(at: World) -> None:
    at.twin.faults.append(
        face.Fault(host="engines", path="/v1/models", status=503, after=1, times=None)
    )
    line, kept = at.failed(at.create)
    assert "whether it refuses a call without a token cannot be told (503)" in line
    assert kept is not None
    assert at.twin.endpoints[ID].state == "running"


# --- drift, import, and the least that is written


def test_drift_is_told_field_by_field(at: World) -> None:
    made = at.create(env={"LOG": "info"}, tags=["team-shop"])
    body = at.twin.endpoints[ID].body
    body["compute"]["scaling"]["maxReplica"] = 4
    body["model"]["env"]["LOG"] = "sk-that-nobody-should-see"
    body["tags"].remove("team-shop")
    found = at.read(made, env={"LOG": "info"}, tags=["team-shop"])
    assert found is not None
    told = found.state["drift"]
    assert told == "env.LOG differs; maxReplica is 4, declared 1; tags differs"
    at.update(found, env={"LOG": "info"}, tags=["team-shop"])
    assert at.twin.endpoints[ID].body["model"]["env"] == {"LOG": "info"}


def test_a_change_that_is_there_already_is_not_written(at: World) -> None:
    made = at.create()
    at.update(made)
    at.update(made, readyTimeoutSeconds=30, checkAccess=False)
    assert at.sent() == ["POST /v2/endpoint/acme"]


def test_an_imported_endpoint_stays_without_our_mark_until_it_is_changed(at: World) -> None:
    at.twin.plant("acme", "by-hand")
    found = at.provider.read("acme/by-hand", {}, {})
    state, inputs = decode(found.properties).plain, decode(found.inputs).plain
    assert state["isImported"]
    assert "owner" not in inputs
    program = {**inputs, "owner": "shop/prod/by-hand"}
    assert not at.provider.diff(inputs, program, **state).detailedDiff
    of_the_token = {name: value for name, value in program.items() if name != "namespace"}
    assert not at.provider.diff(inputs, of_the_token, **state).detailedDiff, "there it is already"
    answer = at.provider.update("acme/by-hand", state, {**program, "maxReplica": 2})
    assert not decode(answer.properties).plain["isImported"]
    assert "moorage" in at.twin.endpoints["acme/by-hand"].body["tags"]
    at.provider.delete("acme/by-hand", decode(answer.properties).plain)
    assert not at.twin.endpoints.of("acme")


def test_an_endpoint_does_not_move_to_an_account_that_is_declared_later(at: World) -> None:
    at.twin.plant("ann", "by-hand")
    found = at.provider.read("ann/by-hand", {}, {})
    state, inputs = decode(found.properties).plain, decode(found.inputs).plain
    moved = {**inputs, "namespace": "acme"}
    del inputs["namespace"]
    [change] = at.provider.diff(inputs, moved, **state).detailedDiff.values()
    assert change.kind == PropertyDiff.ADD, "and no replacement"
    line, _ = at.failed(lambda: at.provider.update("ann/by-hand", state, moved))
    assert line == "ann/by-hand cannot move to acme; declare it by another name"
    assert not at.twin.endpoints.of("acme")


def test_what_an_imported_endpoint_cannot_tell_of_itself_stays(at: World) -> None:
    """Its secrets and its registry's password: to send empty ones would take them away."""
    image = {"url": "registry.example/a:1", "credentials": {"username": "u", "password": "p"}}
    model = {"repository": "acme/chat", "framework": "custom", "image": {"custom": image}}
    theirs = at.twin.plant("acme", "by-hand", model=model | {"secrets": {"KEY": "sk"}})
    found = at.provider.read("acme/by-hand", {}, {})
    state, inputs = decode(found.properties).plain, decode(found.inputs).plain
    again = at.provider.read("acme/by-hand", state, inputs)
    assert "drift" not in decode(again.properties).plain
    made = Made(id="acme/by-hand", state=state)
    answer = at.provider.update(made.id, made.state, inputs | {"maxReplica": 2})
    assert theirs.scaling["maxReplica"] == 2
    assert theirs.secrets == {"KEY": "sk"}
    assert theirs.credentials == {"username": "u", "password": "p"}
    made = Made(id=made.id, state=decode(answer.properties).plain)
    other = inputs | {"image": "registry.example/a:2"}
    line, _ = at.failed(lambda: at.provider.update(made.id, made.state, other))
    assert line == (
        "by-hand pulls its image with credentials that cannot be read back, and another image"
        " would lose them: declare registry"
    )
    whole = other | {"registry": {"username": "u", "password": "q"}, "secrets": {"KEY": "new"}}
    at.provider.update(made.id, made.state, whole)
    assert theirs.credentials["password"] == "q"
    assert theirs.secrets == {"KEY": "new"}


def test_secrets_that_were_declared_before_are_taken_away(at: World) -> None:
    made = at.create(secrets={"KEY": "sk"})
    at.update(made)
    assert at.twin.endpoints[ID].secrets == {}


def test_options_that_were_declared_before_are_taken_away(at: World) -> None:
    """No look tells of them: what is there beside what is declared may be the service's own."""
    router = {"tag": "1.0", "port": 3001}
    made = at.create(engineOptions={"maxNumSeqs": 8, "port": 80}, customRouter=router)
    made = at.update(made, engineOptions={"maxNumSeqs": 8}, customRouter=router)
    assert at.sent() == ["POST /v2/endpoint/acme"], "port 80 is what the service does by itself"
    made = at.update(made, engineOptions={"maxNumSeqs": 8}, customRouter={"tag": "1.0"})
    assert at.twin.endpoints[ID].body["customRouter"] == {"tag": "1.0"}
    at.update(made, customRouter={"tag": "1.0"})
    assert "maxNumSeqs" not in at.twin.endpoints[ID].body["model"]["image"]["vLLM"]


def test_a_metric_that_was_declared_before_is_taken_away(at: World) -> None:
    made = at.create(scalingMetric="pendingRequests", scalingThreshold=3)
    at.update(made)
    assert "measure" not in at.twin.endpoints[ID].scaling


def test_a_name_that_is_no_id_is_not_imported(at: World) -> None:
    line, _ = at.failed(lambda: at.provider.read("chat", {}, {}))
    assert line.startswith("chat names no endpoint; it is called account/name")


def test_money_is_told_as_the_display_reads_it(at: World) -> None:
    made = at.create(minReplica=2, maxReplica=2)
    price = next(row.usd_per_hour for row in catalogue() if row.instance_type == "nvidia-l4")
    assert made.state["pricePerHour"] == price
    assert made.state["hourlyUsd"] == 2 * price


def test_many_at_once_share_their_looks(given: NewWorld) -> None:
    at = given(timings=face.Timings(initializing_s=1.0), computes=_plenty())
    names = [f"chat-{number}" for number in range(20)]
    threads = [threading.Thread(target=at.create, kwargs={"name": name}) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.state for one in at.twin.endpoints.of("acme")} == {"running"}
    assert len(at.twin.endpoints.of("acme")) == 20
    by_name = [one for one in at.sent("GET") if "/acme/chat-" in one]
    assert len(by_name) < 30, "they looked each for itself"


def _plenty() -> list[Any]:
    return [replace(row, quota=1000) for row in catalogue()]


def test_what_an_engine_does_not_answer_is_not_told_as_an_endpoint_that_is_not_there(
    at: World,
) -> None:
    line, kept = at.failed(lambda: at.create(probe={"path": "/nowhere", "body": {}}))
    assert line == (
        "acme/chat runs and does not serve: /v1/nowhere is answered 404 (Not Found); declare the"
        " task that its model has, or a probe that it answers"
    )
    assert kept is not None


def test_a_task_that_is_left_open_is_proven_as_the_service_tells_it(given: NewWorld) -> None:
    embeds = face.Repo(revision="0" * 40, pipeline_tag="feature-extraction")
    at = given(repos={"acme/chat": embeds})
    made = at.create(task=None, engine="tei", image="acme/tei:1.9.3")
    assert made.state["status"] == "running"


@pytest.mark.parametrize("task", ["feature-extraction", "text-ranking", "text-classification"])
def test_what_tei_serves_is_proven_in_its_own_words(at: World, task: str) -> None:
    made = at.create(task=task, engine="tei", image="acme/tei:1.9.3")
    assert made.state["status"] == "running"
    assert made.state["url"].endswith("/v1")
    own = {"text-ranking": "/rerank", "text-classification": "/predict"}
    asked = {one.path for one in at.twin.requests if one.host == "engines" and one.method == "POST"}
    assert {path.removeprefix("/acme/chat") for path in asked} == {own.get(task, "/v1/embeddings")}
