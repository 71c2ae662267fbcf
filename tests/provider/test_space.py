"""Space: set before it starts, waited for through every stage, healed, refused or closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import SpaceHardware

from moorage.errors import MoorageError
from moorage.plan import folders
from moorage.provider.check import check, with_defaults
from moorage.provider.handler import Cancelled, Change, Context, Created, Found, OutOfTime, State
from moorage.provider.hugging_face import patience
from moorage.provider.hugging_face.repositories import repo_files
from moorage.provider.hugging_face.spaces import space, space_wait
from moorage.provider.hugging_face.spaces.space_shape import GUARD, OWNER, SHAPE
from moorage.provider.hugging_face.spaces.space_wait import Sight, judge
from moorage.provider.testing.stage import is_one_line
from moorage.twin import face
from moorage.twin.people import Account, Token
from moorage.twin.spaces import Habit
from tests.provider.spaces import APP, api, hurried, plant, seen, told_to_use

NewContext = Callable[..., Context]
ID = "acme/chat"


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    monkeypatch.setattr(space_wait, "_SETTLES_S", 1.0)
    monkeypatch.setattr(space_wait, "_LONGEST_PAUSE_S", 0.1)
    with hurried(monkeypatch) as running:
        yield running


def declared(**said: Any) -> State:
    given = {
        "name": "chat",
        "namespace": "acme",
        "owner": "p/s/chat",
        "sdk": "gradio",
        "files": {"app.py": APP},
    }
    merged = {key: value for key, value in {**given, **said}.items() if value is not None}
    _, failures = check(SHAPE.inputs, merged)
    assert not failures, failures
    inputs = with_defaults(SHAPE.inputs, merged)
    assert not space.HANDLER.check(inputs)
    return inputs


def refused(**said: Any) -> str:
    inputs = {"name": "chat", "sdk": "gradio", **said}
    filled, failures = check(SHAPE.inputs, inputs)
    failures = failures or space.HANDLER.check(filled)
    return "; ".join(failure.reason for failure in failures)


def made(context: NewContext, **said: Any) -> State:
    return space.create(declared(**said), context()).state


def failing(call: Callable[[], Any]) -> str:
    with pytest.raises(MoorageError) as failed:
        call()
    is_one_line(str(failed.value))
    return str(failed.value)


def read(state: State, inputs: State, context: NewContext) -> Found:
    found = space.read(ID, state, inputs, context())
    assert found is not None
    return found


# --- what is declared


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"sdk": "streamlit"}, "use docker, with the template streamlit"),
        ({"sdk": "flask"}, "must be one of gradio, docker, static"),
        ({"name": "a--b"}, "without -- or .."),
        ({"variables": {"KEY": "x"}, "secrets": {"KEY": "secret"}}, "KEY is a secret too"),
        ({"variables": {OWNER: "me"}}, "moorage's own"),
        ({"secrets": {"not a name": "secret"}}, "no name of an environment variable"),
        ({"sdk": "static", "secrets": {"KEY": "secret"}}, "no process that could keep a secret"),
        ({"sleepSeconds": 60}, "always sleeps after 48 hours"),
        ({"visibility": "hidden"}, "private"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    said: dict[str, Any], reason: str
) -> None:
    assert reason in refused(**said)


def test_everything_is_set_before_it_starts_for_the_first_time(
    twin: face.Twin, context: NewContext
) -> None:
    made(context, hardware="t4-small", sleepSeconds=600, secrets={"KEY": "secret"})
    writes = [one.path for one in twin.requests if one.host == "hub" and one.method != "GET"]
    assert writes[0] == "/api/repos/create"
    assert not [path for path in writes if path.endswith(("/secrets", "/hardware", "/sleeptime"))]


def test_what_it_tells_is_what_is_there(twin: face.Twin, context: NewContext) -> None:
    state = made(context, hardware="t4-small", visibility="public")
    assert state["stage"] == "RUNNING"
    assert state["pricePerHour"] == pytest.approx(0.4)
    assert state["hourlyUsd"] == pytest.approx(0.4)
    assert state["url"] == f"{twin.hub.url}/spaces/{ID}"
    assert state["appUrl"].endswith(f"/spaces/{ID}")
    assert state["sha"] == twin.hub.commit(f"spaces/{ID}")


def test_what_it_costs_an_hour_is_nothing_while_it_rests(
    twin: face.Twin, context: NewContext
) -> None:
    """Or a stack would seem to cost less than it does, or more."""
    state = made(context, hardware="t4-small")
    inputs = declared(hardware="t4-small", visibility="public")
    assert space.preview(inputs, state)["hourlyUsd"] == pytest.approx(0.4)
    resting = declared(hardware="t4-small", paused=True)
    assert space.preview(resting, state)["hourlyUsd"] == 0
    assert space.update(ID, state, resting, context())["hourlyUsd"] == 0
    assert "hourlyUsd" not in space.preview(declared(hardware="a10g-small"), state)
    assert made(context, name="free")["hourlyUsd"] == 0


def test_a_folder_is_pushed_without_what_tools_and_people_leave_there(
    twin: face.Twin, context: NewContext, tmp_path: Path
) -> None:
    for name in (
        "app.py",
        "pages/one.py",
        ".env",
        ".env.production",
        "__pycache__/app.pyc",
        ".git/config",
        ".moorage/passphrase",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    made(context, folder=str(tmp_path), files={"app.py": APP})
    blobs = twin.hub.repos[f"spaces/{ID}"].blobs
    assert {*blobs} == {".gitattributes", "README.md", "app.py", "pages/one.py"}
    assert b"".join(blobs["app.py"].chunks(0, 99)) == APP.encode()


@pytest.mark.parametrize("name", [".git", ".moorage", ".env", ".env.local"])
def test_what_no_plan_publishes_is_never_pushed(name: str, tmp_path: Path) -> None:
    """The two rooms cannot share the list: they are held to each other here."""
    (tmp_path / "a").write_text("x")
    (tmp_path / name).write_text("x")
    spec = tmp_path.parent / "spec.yaml"
    assert folders.look(tmp_path, spec=spec, root=spec).private == f"{name} is in it"
    assert {*repo_files.gather({"folder": str(tmp_path)})} == {"a"}


def test_a_readme_of_ones_own_keeps_its_text_and_gets_the_card(
    twin: face.Twin, context: NewContext
) -> None:
    readme = "---\nemoji: x\nsdk: wrong\ntags:\n- a\n---\n# Mine\n"
    made(context, files={"app.py": APP, "README.md": readme}, card={"title": "Chat"})
    text = b"".join(twin.hub.repos[f"spaces/{ID}"].blobs["README.md"].chunks(0, 999)).decode()
    assert text == '---\nsdk: "gradio"\ntitle: "Chat"\nemoji: x\ntags:\n- a\n---\n# Mine\n'


def test_a_changed_file_of_the_folder_is_seen_and_pushed(
    twin: face.Twin, context: NewContext, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    inputs = declared(files=None, folder=str(tmp_path))
    state = space.create(inputs, context()).state
    assert read(state, inputs, context).state["drift"] is None
    (tmp_path / "app.py").write_text("import os\n")
    assert read(state, inputs, context).state["drift"] == "files: it has other app.py"
    after = space.update(ID, state, inputs, context())
    assert after["filesDigest"] != state["filesDigest"]
    assert read(after, inputs, context).state["drift"] is None


def test_a_missing_folder_is_one_line(twin: face.Twin, context: NewContext) -> None:
    assert "no such folder" in failing(lambda: made(context, files=None, folder="/nowhere/app"))


def test_where_the_folder_is_not_it_can_still_be_looked_at(
    twin: face.Twin, context: NewContext, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    inputs = declared(files=None, folder=str(tmp_path))
    state = space.create(inputs, context()).state
    elsewhere = {**inputs, "folder": "/nowhere/app"}
    drift = read(state, elsewhere, context).state["drift"]
    assert drift.startswith("files: /nowhere/app: no such folder")
    space.delete(ID, {**state, **elsewhere}, context())
    assert not seen(twin)


# --- stages


@pytest.mark.parametrize(
    ("sight", "verdict"),
    [
        (Sight(stage="BUILDING", is_changed=True, waited_share=0.1), "wait"),
        (Sight(stage="BUILDING", is_changed=True, waited_share=0.6), "reboot"),
        (Sight(stage="BUILDING", is_changed=True, waited_share=0.6, is_rebooted=True), "wait"),
        (Sight(stage="BUILDING", is_changed=True, waited_share=1.0, is_rebooted=True), "fail"),
        (Sight(stage="BUILD_ERROR", is_changed=True, waited_share=0), "reboot"),
        (Sight(stage="BUILD_ERROR", is_changed=False, waited_share=0), "wait"),
        (Sight(stage="BUILD_ERROR", is_changed=True, waited_share=0, is_rebooted=True), "fail"),
        (Sight(stage="RUNTIME_ERROR", is_changed=True, waited_share=0), "reboot"),
        (Sight(stage="STOPPED", is_changed=True, waited_share=0), "reboot"),
        (Sight(stage="CONFIG_ERROR", is_changed=True, waited_share=0), "fail"),
        (Sight(stage="NO_APP_FILE", is_changed=True, waited_share=0), "fail"),
        (Sight(stage="NO_APP_FILE", is_changed=False, waited_share=0), "wait"),
        (Sight(stage="RUNNING", is_changed=True, waited_share=0), "ask"),
        (Sight(stage="RUNNING", is_changed=True, waited_share=1), "ask"),
        (Sight(stage="RUNNING", is_changed=True, waited_share=0.6, is_silent=True), "reboot"),
        (Sight(stage="RUNNING", is_changed=True, waited_share=0.1, is_silent=True), "wait"),
        (Sight(stage="RUNNING", is_changed=False, waited_share=0), "wait"),
        (Sight(stage="SLEEPING", is_changed=True, waited_share=0), "ask"),
        (Sight(stage="RUNNING_BUILDING", is_changed=True, waited_share=0), "wait"),
        (Sight(stage="PAUSED", is_changed=True, waited_share=0), "paused"),
        (Sight(stage="A_NEW_ONE", is_changed=True, waited_share=0), "wait"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_stage_has_its_verdict(sight: Sight, verdict: str) -> None:
    assert judge(sight) == verdict


def test_a_build_that_fails_is_rebooted_once_and_then_told_with_its_log(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    twin.hub.desk.habits["*"] = Habit(ends="BUILD_ERROR", message="No matching distribution")
    said: list[Created] = []
    message = failing(lambda: space.create(declared(), context(announce=said.append)))
    assert "it is BUILD_ERROR after a factory reboot" in message
    assert "the build log ends: " in message
    assert "pip install -r requirements.txt | ERROR: No matching distribution" in message
    assert said[-1].id == ID
    assert twin.hub.desk.spaces[ID].reboots == 1
    assert any("rebooting it from scratch, once" in line for line in lines)


def test_a_factory_reboot_may_heal_it(twin: face.Twin, context: NewContext) -> None:
    twin.hub.desk.habits["*"] = Habit(ends="RUNTIME_ERROR", heals=True)
    assert made(context)["stage"] == "RUNNING"


def test_a_crash_of_the_app_is_told_with_the_log_of_its_run(
    twin: face.Twin, context: NewContext
) -> None:
    twin.hub.desk.habits["*"] = Habit(ends="RUNTIME_ERROR", message="ModuleNotFoundError: openai")
    message = failing(lambda: made(context))
    assert "the run log ends: ===== Application Startup ===== | ModuleNotFoundError" in message


def test_one_that_is_stuck_in_its_build_is_rebooted(twin: face.Twin, context: NewContext) -> None:
    twin.hub.desk.habits["*"] = Habit(ends="BUILDING", heals=True)
    assert made(context, readyTimeoutSeconds=1)["stage"] == "RUNNING"


def test_one_that_never_answers_fails_with_what_it_answers(
    twin: face.Twin, context: NewContext
) -> None:
    message = failing(lambda: made(context, readyTimeoutSeconds=1, readyPath="/never"))
    expected = "it runs after a factory reboot, and /never answers 404, as it does to a token"
    assert expected in message


def test_files_without_an_app_are_told_so(twin: face.Twin, context: NewContext) -> None:
    message = failing(lambda: made(context, files={"main.py": APP}))
    assert "it has no app file" in message


def test_the_stage_of_before_is_not_taken_for_the_new_one(
    twin: face.Twin, context: NewContext
) -> None:
    twin.hub.desk.habits["*"] = Habit(stale_s=0.3, building_s=0.4, starting_s=0.1)
    state = made(context)
    inputs = declared(files={"app.py": "import os\n"})
    space.update(ID, state, inputs, context())
    now_s = twin.clock.now_s()
    assert now_s - twin.hub.desk.spaces[ID].built_s >= 0.5


# --- who may come in


def test_a_private_app_that_lets_strangers_in_is_paused(
    twin: face.Twin, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.faults.append(face.Fault(host="engines", times=None, does="answer", status=200))
    said: list[Created] = []
    message = failing(lambda: space.create(declared(), context(announce=said.append)))
    assert "it is private, and somebody without a token gets in; it was paused" in message
    assert twin.hub.desk.spaces[ID].is_paused
    assert said[-1].id == ID


def test_what_cannot_be_told_of_its_access_is_said_and_no_pause(
    twin: face.Twin, context: NewContext, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = face.Fault(host="engines", times=None, after=1, does="answer", status=503)
    monkeypatch.delenv("MOORAGE_HF_FOREIGN_TOKEN")
    monkeypatch.setattr(patience, "_PAUSES_S", (0.01, 0.01, 0.01))
    twin.faults.append(fault)
    assert made(context)["stage"] == "RUNNING"
    told = [line for line in lines if "gets in cannot be told" in line]
    assert len(told) == 2
    assert not twin.hub.desk.spaces[ID].is_paused


@pytest.mark.parametrize("visibility", ["public", "protected"])
def test_an_open_app_is_asked_without_any_token(
    twin: face.Twin, context: NewContext, visibility: str
) -> None:
    made(context, visibility=visibility)
    asked = [one for one in twin.requests if one.host == "engines"]
    assert asked
    assert not [one for one in asked if one.token_of]


def test_a_visibility_that_others_changed_is_seen_and_taken_back(
    twin: face.Twin, context: NewContext
) -> None:
    inputs, state = declared(), made(context)
    api(twin).update_repo_settings(ID, repo_type="space", visibility="protected")
    drift = read(state, inputs, context).state["drift"]
    assert drift == "visibility: protected instead of private"
    space.update(ID, state, inputs, context())
    assert twin.hub.repos[f"spaces/{ID}"].repo.visibility == "private"


# --- others


def test_the_space_of_somebody_else_is_refused(twin: face.Twin, context: NewContext) -> None:
    plant(twin, ID, owner="them/s/chat")
    before = seen(twin)
    assert "belongs to them/s/chat; choose another name" in failing(lambda: made(context))
    assert seen(twin) == before


def test_a_name_that_the_token_cannot_see_is_refused(twin: face.Twin, context: NewContext) -> None:
    made(context)
    twin.faults.append(face.Fault(method="GET", path=f"/api/spaces/{ID}$", status=404, times=None))
    message = failing(lambda: made(context))
    assert "the name is taken by what this token cannot see" in message


def test_one_that_was_made_by_hand_is_imported_and_kept(
    twin: face.Twin, context: NewContext
) -> None:
    plant(twin, ID, private=True)
    found = space.read(ID, {}, {}, context())
    assert found is not None
    assert found.state["isImported"]
    assert "owner" not in found.inputs
    before = seen(twin)
    inputs = with_defaults(SHAPE.inputs, found.inputs)
    assert read(found.state, inputs, context).state["drift"] is None
    state = space.update(ID, found.state, {**inputs, "owner": "p/s/chat"}, context())
    after = seen(twin)[f"spaces/{ID}"]
    assert after == {**before[f"spaces/{ID}"], "variables": {OWNER: "p/s/chat"}}
    space.delete(ID, state, context())
    assert not seen(twin)


def test_deleted_behind_our_back_it_is_told_what_to_do(
    twin: face.Twin, context: NewContext
) -> None:
    state = made(context)
    api(twin).delete_repo(ID, repo_type="space")
    assert space.read(ID, state, declared(), context()) is None
    message = failing(lambda: space.update(ID, state, declared(), context()))
    assert "run up with --refresh" in message
    space.delete(ID, state, context())


def test_one_that_is_not_ours_any_more_is_left_with_a_word(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    state = made(context)
    api(twin).delete_repo(ID, repo_type="space")
    api(twin).create_repo(ID, repo_type="space", space_sdk="gradio")
    assert space.read(ID, state, declared(), context()) is None
    space.delete(ID, state, context())
    assert seen(twin)
    assert lines[-1] == "Space acme/chat was not made by moorage and is left as it is"


def test_one_whose_variable_somebody_took_away_is_ours_all_the_same(
    twin: face.Twin, context: NewContext
) -> None:
    """Or it would be forgotten, and paid for ever."""
    state = made(context, hardware="t4-small")
    api(twin).delete_space_variable(ID, OWNER)
    inputs = declared(hardware="t4-small")
    seen_so = read(state, inputs, context).state
    assert seen_so["drift"] == f"variables: {OWNER} is missing, which says whose it is"
    space.update(ID, seen_so, inputs, context())
    assert OWNER in api(twin).get_space_variables(ID)
    api(twin).delete_space_variable(ID, OWNER)
    space.delete(ID, state, context())
    assert not seen(twin)


def test_a_secret_that_could_not_be_taken_away_is_taken_away_by_the_next_run(
    twin: face.Twin, context: NewContext
) -> None:
    state = made(context, secrets={"OLD": "sk-1", "KEY": "sk-2"})
    fewer = declared(secrets={"KEY": "sk-2"})
    twin.faults.append(face.Fault(method="DELETE", path="/secrets", status=403))
    said: list[Created] = []
    failing(lambda: space.update(ID, state, fewer, context(announce=said.append)))
    space.update(ID, said[-1].state if said else state, fewer, context())
    assert twin.hub.desk.spaces[ID].secrets.keys() == {"KEY"}


@pytest.mark.parametrize(
    ("path", "kind", "replaces", "left"),
    [
        ("sleepSeconds", "delete", False, []),
        ("sleepSeconds", "add", False, [("sleepSeconds", False)]),
        ("region", "delete", True, []),
        ("region", "add", True, [("region", False)]),
        ("region", "update", True, [("region", True)]),
        ("namespace", "add", True, [("namespace", False)]),
        ("owner", "add", False, []),
        ("sdk", "update", True, [("sdk", True)]),
    ],
)
def test_what_is_left_out_is_no_change_and_what_is_declared_anew_is_one(
    path: str, kind: Any, replaces: bool, left: list[tuple[str, bool]]
) -> None:
    changes = [Change(path=path, kind=kind, replaces=replaces)]
    assert [(one.path, one.replaces) for one in space.diff(changes, {}, {})] == left


def test_what_cannot_move_is_refused_when_it_is_declared_anew(
    twin: face.Twin, context: NewContext
) -> None:
    state = made(context)
    before = seen(twin)
    abroad, away = declared(namespace="ann"), declared(region="eu")
    told = failing(lambda: space.update(ID, state, abroad, context()))
    assert told == "Space acme/chat cannot move to ann; declare it by another name"
    told = failing(lambda: space.update(ID, state, away, context()))
    assert told.startswith("Space acme/chat was made without a region and cannot move to eu; ")
    assert seen(twin) == before


def test_what_others_changed_is_named_field_by_field_and_brought_back(
    twin: face.Twin, context: NewContext
) -> None:
    inputs = declared(variables={"THEME": "soft"}, secrets={"KEY": "secret"})
    state = space.create(inputs, context()).state
    before, others = seen(twin), api(twin)
    others.request_space_hardware(ID, SpaceHardware.T4_SMALL)
    others.add_space_variable(ID, "THEME", "hard")
    others.add_space_variable(ID, "MORE", "1")
    others.add_space_secret(ID, "KEY", "another")
    others.upload_file(path_or_fileobj=b"x", path_in_repo="more.py", repo_id=ID, repo_type="space")
    drift = read(state, inputs, context).state["drift"]
    assert drift == (
        "hardware: t4-small instead of cpu-basic; variables: MORE was added;"
        " variables: THEME was changed; secrets: KEY was set by somebody else;"
        " files: it has also more.py"
    )
    space.update(ID, state, inputs, context())
    assert seen(twin) == before


def test_secrets_that_others_added_are_left_alone(twin: face.Twin, context: NewContext) -> None:
    inputs = declared(secrets={"KEY": "secret"})
    state = space.create(inputs, context()).state
    api(twin).add_space_secret(ID, "THEIRS", "value")
    assert read(state, inputs, context).state["drift"] is None
    space.update(ID, state, declared(secrets=None), context())
    assert {*twin.hub.desk.spaces[ID].secrets} == {"THEIRS"}


def test_paused_by_a_person_it_starts_again_and_says_so(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    inputs, state = declared(), made(context)
    api(twin).pause_space(ID)
    assert read(state, inputs, context).state["drift"] == "paused: somebody has paused it"
    assert space.update(ID, state, inputs, context())["stage"] == "RUNNING"
    assert any("declared to run, so it starts" in line for line in lines)


def test_the_pause_of_the_budget_guard_is_no_drift_and_is_left(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    inputs, state = declared(), made(context)
    api(twin).add_space_variable(ID, GUARD, "1")
    api(twin).pause_space(ID)
    assert read(state, inputs, context).state["drift"] is None
    assert space.update(ID, state, inputs, context())["stage"] == "PAUSED"
    assert any("the budget guard has paused it" in line for line in lines)


def test_declared_to_stand_still_it_does(twin: face.Twin, context: NewContext) -> None:
    state = made(context, paused=True)
    assert state["stage"] == "PAUSED"
    assert space.update(ID, state, declared(), context())["stage"] == "RUNNING"


def test_a_sleeping_one_is_no_drift_and_wakes_when_it_is_proven(
    twin: face.Twin, context: NewContext
) -> None:
    inputs = declared(hardware="t4-small", sleepSeconds=600)
    state = space.create(inputs, context()).state
    twin.clock.advance(1000)
    found = read(state, inputs, context)
    assert (found.state["stage"], found.state["drift"]) == ("SLEEPING", None)
    assert space.update(ID, state, inputs, context())["stage"] == "RUNNING"


# --- bad tokens, no money, what nobody sells


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "no token of Hugging Face: set HF_TOKEN"),
        ("hf_nobody", "set HF_TOKEN to a token that is valid"),
        ("hf_twin_zoe", "give the token of HF_TOKEN the permission repo.write for acme"),
        ("hf_twin_narrow", "give the token of HF_TOKEN the permission repo.write for acme"),
    ],
)
def test_a_token_that_will_not_do_is_one_line(
    twin: face.Twin, context: NewContext, monkeypatch: pytest.MonkeyPatch, token: str, words: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setenv("HF_HOME", "/nowhere")
    message = failing(lambda: made(context))
    assert words in message
    assert not token or token not in message
    assert not seen(twin)


def test_an_account_that_cannot_pay_is_one_line(
    context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = Account(name="eve", tokens=(Token(text="hf_eve"),), plan="free", can_pay=False)
    scenario = face.Scenario(accounts=(eve,), deploys="hf_eve", calls="hf_eve", foreign="")
    with face.serve(scenario) as running:
        told_to_use(running, monkeypatch)
        monkeypatch.delenv("MOORAGE_HF_FOREIGN_TOKEN", raising=False)
        message = failing(lambda: made(context, namespace=None))
        assert "eve cannot pay for it (402): A paid plan is required" in message
        files = {"index.html": "<p>hello</p>"}
        assert made(context, namespace=None, sdk="static", files=files)["stage"] == "RUNNING"


def test_hardware_that_nobody_sells_is_refused_before_anything_is_made(
    twin: face.Twin, context: NewContext
) -> None:
    message = failing(lambda: made(context, hardware="h100x9"))
    assert message.startswith("hardware h100x9: Spaces have no such; there are cpu-basic, ")
    assert not seen(twin)


# --- the Hub in a bad moment


def test_another_conflicting_operation_is_waited_for_with_pauses(
    twin: face.Twin, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.hub.desk.busy = 2
    assert made(context)["stage"] == "RUNNING"
    assert sum(one.path == "/api/repos/create" for one in twin.requests) == 3


def test_a_create_whose_answer_is_lost_is_looked_for_and_never_sent_twice(
    twin: face.Twin, context: NewContext
) -> None:
    twin.faults.append(face.Fault(method="POST", path="/repos/create", does="lose"))
    assert made(context)["stage"] == "RUNNING"
    assert sum(one.path == "/api/repos/create" for one in twin.requests) == 1


def test_a_commit_of_somebody_else_in_between_is_seen(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    state = made(context)
    twin.faults.append(face.Fault(method="POST", path="/commit/main", status=412))
    space.update(ID, state, declared(files={"app.py": "import os\n"}), context())
    assert any("somebody else pushes to it; looking again" in line for line in lines)


def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    twin: face.Twin, context: NewContext
) -> None:
    twin.faults.append(face.Fault(method="POST", path="/commit/main", does="lose"))
    made(context)
    assert sum("/commit/" in one.path for one in twin.requests) == 1


@pytest.mark.parametrize("path", ["/api/spaces/acme/chat$", "/runtime$", "/commit/main$"])
def test_a_cancel_and_the_end_of_its_time_end_a_slow_call(
    twin: face.Twin, context: NewContext, path: str
) -> None:
    twin.faults.append(face.Fault(path=path, does="pass", delay_s=5, times=None))
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    with pytest.raises(Cancelled):
        space.create(declared(), context(cancelled=cancelled))
    with pytest.raises((OutOfTime, MoorageError)):
        space.create(declared(), context(seconds=0.7))


STATUSES = (400, 401, 402, 403, 404, 408, 409, 410, 412, 422, 425, 429, 500, 502, 503, 504)
SAMPLE = ("lose", 7)
THOROUGH = [(kind, 1) for kind in (*STATUSES, "lose", "drop", "garbage")]
_MOST_REQUESTS = 80


def _fault(kind: int | str, **where: Any) -> face.Fault:
    if isinstance(kind, int):
        return face.Fault(does="answer", status=kind, **where)
    return face.Fault(does=kind, **where)


@pytest.mark.parametrize(
    ("kind", "every"),
    [SAMPLE, *(pytest.param(*one, marks=pytest.mark.thorough) for one in THOROUGH)],
)
def test_any_fault_at_any_call_ends_well_or_in_one_line_and_the_next_run_mends_it(
    twin: face.Twin, context: NewContext, kind: int | str, every: int
) -> None:
    """Every request of a create in turn; then of an update; then of a delete."""
    inputs = declared(secrets={"KEY": "secret"}, hardware="t4-small")
    changed = declared(secrets={"KEY": "other"}, files={"app.py": "import os\n"})
    for step in range(0, _MOST_REQUESTS, every):
        is_through = _whole_life(twin, context, inputs, changed, _fault(kind, after=step))
        if is_through:
            return
    pytest.fail(f"a whole life has more than {_MOST_REQUESTS} requests")


def _whole_life(
    twin: face.Twin, context: NewContext, inputs: State, changed: State, fault: face.Fault
) -> bool:
    twin.faults.append(fault)
    said: list[Created] = []
    state = _tried(lambda: space.create(inputs, context(announce=said.append)).state)
    if state is None:
        assert said or not seen(twin) or not twin.faults, "it is there, and nobody was told"
        state = space.create(inputs, context()).state
    assert len(seen(twin)) == 1
    after = _tried(lambda: space.update(ID, state, changed, context()))
    if after is None:
        after = space.update(ID, state, changed, context())
    assert twin.hub.desk.spaces[ID].secrets["KEY"]["_value"] == "other"
    assert b"".join(twin.hub.repos[f"spaces/{ID}"].blobs["app.py"].chunks(0, 99)) == b"import os\n"
    _tried(lambda: space.delete(ID, after, context()))
    is_through = len(twin.faults) == 1
    twin.faults.clear()
    space.delete(ID, after, context())
    assert not seen(twin)
    return is_through


def _tried(call: Callable[[], Any]) -> Any:
    """What a call gives; None where it fails, in one line."""
    try:
        return call()
    except MoorageError as error:
        message = str(error)
    is_one_line(message)
    assert "hf_twin_ann" not in message
    return None
