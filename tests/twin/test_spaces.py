"""The twin's Spaces answer the real client as the Hub would."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import httpx
import pytest
from huggingface_hub import HfApi, SpaceHardware, Volume
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from moorage.twin import face
from moorage.twin.spaces import Habit

ANN, ZOE = "hf_twin_ann", "hf_twin_zoe"
ID = "acme/chat"


@pytest.fixture
def twin() -> Iterator[face.Twin]:
    with face.serve(face.Scenario(clock="driven")) as running:
        running.hub.desk.habits["*"] = Habit(building_s=10, starting_s=5)
        yield running


def as_(twin: face.Twin, token: str = ANN) -> HfApi:
    return HfApi(endpoint=twin.hub.url, token=token)


def made(twin: face.Twin, **more: object) -> HfApi:
    api = as_(twin)
    api.create_repo(ID, repo_type="space", space_sdk="gradio", **more)  # type: ignore[arg-type]
    return api


def push(api: HfApi, path: str = "app.py", text: bytes = b"import gradio\n") -> str:
    told = api.upload_file(path_or_fileobj=text, path_in_repo=path, repo_id=ID, repo_type="space")
    return str(told.oid)


def stage(twin: face.Twin) -> str:
    return str(as_(twin).get_space_runtime(ID).stage)


def status(twin: face.Twin, token: str | None, path: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    host = as_(twin).space_info(ID).host
    return httpx.get(f"{host}{path}", headers=headers).status_code


def test_it_goes_through_its_stages_as_time_passes(twin: face.Twin) -> None:
    api = made(twin)
    assert stage(twin) == "NO_APP_FILE"
    push(api)
    seen = [stage(twin)]
    for seconds in (10, 5):
        twin.clock.advance(seconds)
        seen.append(stage(twin))
    assert seen == ["BUILDING", "APP_STARTING", "RUNNING"]
    push(api, text=b"import os\n")
    seen = [stage(twin)]
    for seconds in (10, 5):
        twin.clock.advance(seconds)
        seen.append(stage(twin))
    assert seen == ["RUNNING_BUILDING", "RUNNING_APP_STARTING", "RUNNING"]


@pytest.mark.parametrize("ends", ["BUILD_ERROR", "RUNTIME_ERROR"])
def test_a_failure_is_told_with_its_log_and_a_factory_reboot_may_heal_it(
    twin: face.Twin, ends: str
) -> None:
    twin.hub.desk.habits["*"] = Habit(ends=ends, heals=True, message="out of luck")
    api = made(twin)
    push(api)
    twin.clock.advance(1)
    runtime = api.get_space_runtime(ID)
    assert (str(runtime.stage), runtime.raw["errorMessage"]) == (ends, "out of luck")
    assert "out of luck" in "".join(api.fetch_space_logs(ID, build=ends == "BUILD_ERROR"))
    api.restart_space(ID)
    twin.clock.advance(1)
    assert stage(twin) == ends
    api.restart_space(ID, factory_reboot=True)
    twin.clock.advance(1)
    assert stage(twin) == "RUNNING"


def test_a_readme_without_an_sdk_is_a_fault_of_its_configuration(twin: face.Twin) -> None:
    api = made(twin)
    push(api)
    push(api, "README.md", b"# no card\n")
    assert stage(twin) == "CONFIG_ERROR"


def test_secrets_are_told_without_their_values_and_variables_with_them(twin: face.Twin) -> None:
    api = made(twin, space_secrets=[{"key": "KEY", "value": "secret"}])
    api.add_space_variable(ID, "THEME", "soft")
    assert {key: one.value for key, one in api.get_space_variables(ID).items()} == {"THEME": "soft"}
    raw = httpx.get(
        f"{twin.hub.url}/api/spaces/{ID}/secrets", headers={"Authorization": f"Bearer {ANN}"}
    )
    assert "secret" not in raw.text
    first = api.get_space_secrets(ID)["KEY"].updated_at
    api.add_space_secret(ID, "KEY", "another")
    assert api.get_space_secrets(ID)["KEY"].updated_at != first
    with pytest.raises(HfHubHTTPError, match="Collision"):
        api.add_space_variable(ID, "KEY", "x")
    api.delete_space_secret(ID, "KEY")
    assert not api.get_space_secrets(ID)


def test_a_change_of_a_setting_starts_the_app_anew(twin: face.Twin) -> None:
    api = made(twin)
    push(api)
    twin.clock.advance(15)
    api.add_space_variable(ID, "THEME", "soft")
    assert stage(twin) == "APP_STARTING"


def test_it_sleeps_when_nobody_comes_and_wakes_when_somebody_does(twin: face.Twin) -> None:
    api = made(twin, space_hardware="t4-small", space_sleep_time=60)
    push(api)
    twin.clock.advance(15)
    assert status(twin, ANN) == 200
    twin.clock.advance(61)
    assert stage(twin) == "SLEEPING"
    assert status(twin, ANN) == 503
    twin.clock.advance(5)
    assert status(twin, ANN) == 200


def test_paused_it_stays_so_until_it_is_restarted(twin: face.Twin) -> None:
    api = made(twin)
    push(api)
    api.pause_space(ID)
    twin.clock.advance(100)
    assert stage(twin) == "PAUSED"
    assert status(twin, ANN) == 503
    api.restart_space(ID)
    twin.clock.advance(15)
    assert stage(twin) == "RUNNING"


@pytest.mark.parametrize(
    ("visibility", "app_of_strangers", "code_is_open"),
    [("private", 404, False), ("protected", 200, False), ("public", 200, True)],
)
def test_a_protected_space_hides_its_code_and_shows_its_app(
    twin: face.Twin, visibility: str, app_of_strangers: int, code_is_open: bool
) -> None:
    api = made(twin)
    push(api)
    api.update_repo_settings(ID, repo_type="space", visibility=visibility)  # type: ignore[arg-type]
    twin.clock.advance(15)
    assert status(twin, ANN) == 200
    for token in (None, ZOE):
        assert status(twin, token) == app_of_strangers
    if code_is_open:
        assert as_(twin, ZOE).space_info(ID).sha
    else:
        with pytest.raises(RepositoryNotFoundError):
            as_(twin, ZOE).space_info(ID)


def test_hardware_volumes_and_sleep_are_told_as_they_were_set(twin: face.Twin) -> None:
    api = made(twin)
    api.request_space_hardware(ID, SpaceHardware.T4_SMALL, sleep_time=600)
    api.set_space_volumes(ID, [Volume(type="model", source="acme/tiny", mount_path="/model")])
    runtime = api.get_space_runtime(ID)
    assert (runtime.requested_hardware, runtime.sleep_time) == ("t4-small", 600)
    assert [one.mount_path for one in runtime.volumes or ()] == ["/model"]
    api.delete_space_volumes(ID)
    api.set_space_sleep_time(ID, -1)
    runtime = api.get_space_runtime(ID)
    assert (runtime.volumes, runtime.sleep_time) == (None, None)
    with pytest.raises(HfHubHTTPError, match="Invalid hardware"):
        api.request_space_hardware(ID, "h100x9")  # type: ignore[arg-type]


def test_the_catalogue_is_priced_by_the_minute(twin: face.Twin) -> None:
    rows = {row.name: row for row in as_(twin).list_spaces_hardware()}
    assert rows["t4-small"].unit_label == "minute"
    assert rows["t4-small"].unit_cost_usd * 60 == pytest.approx(0.4)


def test_an_existing_one_takes_nothing_from_a_create_that_is_told_to_be_content(
    twin: face.Twin,
) -> None:
    made(twin)
    made(twin, exist_ok=True, private=True, space_hardware="t4-small")
    info = as_(twin).space_info(ID)
    assert not info.private
    assert info.runtime is not None
    assert info.runtime.requested_hardware == "cpu-basic"


def test_gradio_and_docker_need_a_plan_and_static_does_not() -> None:
    eve = face.Account(name="eve", tokens=(face.Token(text="hf_eve"),), plan="free")
    with face.serve(face.Scenario(accounts=(eve,), deploys="hf_eve")) as running:
        api = as_(running, "hf_eve")
        with pytest.raises(HfHubHTTPError) as refused:
            api.create_repo("eve/chat", repo_type="space", space_sdk="docker")
        assert refused.value.response.status_code == 402
        api.create_repo("eve/page", repo_type="space", space_sdk="static")


def test_a_conflicting_create_is_refused_for_now(twin: face.Twin) -> None:
    twin.hub.desk.busy = 2
    made(twin)  # the library asks again, without a pause
    assert sum(one.path == "/api/repos/create" for one in twin.requests) == 3


def test_streamlit_is_still_taken_by_the_api(twin: face.Twin) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        as_(twin).create_repo("acme/old", repo_type="space", space_sdk="streamlit")
    assert as_(twin).space_info("acme/old").sdk == "streamlit"
