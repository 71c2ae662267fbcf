"""A scenario in YAML: what it may say, and one clear line for every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from moorage.twin import face
from moorage.twin.face import Scenario, TwinError
from moorage.twin.scenario_file import faults, folder, parse, read

AT = Path("scenario.yaml")
WHOLE = """
clock: driven
page_size: 5
accounts:
  - name: ann
    tokens:
      - text: hf_ann
      - {text: hf_narrow, role: fineGrained, scoped: {acme: [inference.endpoints.infer.write]}}
  - {name: acme, kind: org, members: [ann], plan: enterprise}
deploys: hf_ann
calls: hf_narrow
foreign: ""
computes:
  - {vendor: aws, region: eu-west-1, instance_type: nvidia-l4, instance_size: x1, quota: 0}
timings: {initializing_s: 30}
speed: {token_s: 0.01}
starts:
  - {name: "big-*", ends: failed, times: 1, message: "no memory", log: ["CUDA out of memory"]}
faults:
  - {method: POST, path: "^/v2/endpoint/", does: lose}
providers_failing: {together: 429}
repos:
  acme/tiny:
    files: {README.md: "# tiny"}
    gated: manual
    readers: [ann]
spaces:
  "acme/*": {ends: BUILD_ERROR, building_s: 0.5}
groups: {acme: {"1": research}}
"""


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inside:
        yield (*above, key)
        if isinstance(one, dict | list):
            yield from _paths(one, (*above, key))


JUNK: tuple[Any, ...] = (None, -1, True, "x", [[1]], {"a": {"b": []}}, {1: 2})
SOUND = yaml.safe_load(WHOLE)
PATHS = list(_paths(SOUND))
MISTAKES = {
    "- a\n- b\n": "the scenario: must be keys and values, not ['a', 'b']",
    "clock: [": ":1:9: not YAML:",
    "clok: driven": "clok: no such key; did you mean clock?",
    "zzz: 1": "zzz: no such key; there are accounts,",
    "clock: wound": "clock: 'wound' is none of real, driven",
    "page_size: many": "page_size: must be a whole number, not 'many'",
    "page_size: true": "page_size: must be a whole number, not True",
    "page_size: -1": "page_size: must not be below 0, not -1",
    "timings: {pending_s: -1}": "timings.pending_s: must not be below 0, not -1",
    "timings: fast": "timings: must be keys and values, not 'fast'",
    "starts: {}": "starts: must be a list, not {}",
    "starts: [{ends: badly}]": "starts[0].ends: 'badly' is none of failed, stuck, unscheduled",
    "starts: [{}, {nam: x}]": "starts[1].nam: no such key; did you mean name?",
    "timings: {1: 2}": "timings: the key 1 must be a text; quote it",
    "starts: [{on: update}]": "starts[0]: the key True must be a text; quote it",
    "accounts: [{name: a, members: [1]}]": "accounts[0].members: must be a list of texts",
    "providers_failing: {together: x}": "providers_failing: must be keys, each with a whole",
    "accounts: [{name: a, kind: org, members: [b]}]": "a has a member 'b' that is no account",
    "providers_failing: {together: 42}": "providers_failing.together: 42 is no status",
    "limits: [{window_s: 0}]": "limits[0].window_s: must be above 0",
    "faults: [{status: 1000}]": "faults[0].status: 1000 is no status of an answer",
    'faults: [{headers: {"a b": c}}]': "faults[0].headers: 'a b' is no header",
    'faults: [{headers: {a: "b\\nc"}}]': "faults[0].headers: 'a' is no header with a line of text",
    "repos: {tiny: {}}": "repos: 'tiny' is no <owner>/<name>",
    "repos: {a/b: {providers: {t: {statsu: live}}}}": "repos.a/b.providers.t.statsu: no such key",
    "repos: {a/b: {providers: {t: {status: up}}}}": "'up' is none of live, staging, error",
    "repos: {a/b: {providers: {t: {status: live, throughput: x}}}}": "throughput: must be a num",
    "repos: {a/b: {providers: {t: {status: live, pricing: {input: 1}}}}}": "must have input and",
    "speed: {token_s: .inf}": "speed.token_s: must be a number, not inf",
    "[" * 400: "not",
    "faults: [{path: '('}]": "faults[0].path: '(' is no regular expression:",
    "faults: [{does: explode}]": "faults[0].does: 'explode' is none of answer, drop, lose,",
    "faults: [{host: moon}]": "faults[0].host: 'moon' is none of hub, endpoints, router, engines",
    "computes: [{vendor: aws}]": "computes[0]: region, instance_type, instance_size are missing",
    "accounts: [{}]": "accounts[0]: name is missing",
    "accounts: [{name: a, kind: cat}]": "accounts[0].kind: 'cat' is none of user, org",
    "accounts: [{name: a, tokens: [{}]}]": "accounts[0].tokens[0]: text is missing",
    "accounts: [{name: a}, {name: a}]": "accounts: the account 'a' is there twice",
    "accounts: [{name: a, tokens: [{text: t}, {text: t}]}]": "the token 't' is there twice",
    "deploys: hf_gone": "deploys: no account has the token 'hf_gone'",
    "repos: {acme/x: {files: [a]}}": "repos.acme/x.files: must be keys and values, not ['a']",
    "repos: {acme/x: {licence: mit}}": "repos.acme/x.licence: no such key; did you mean license?",
    "repos_folder: 3": "repos_folder: must be a text, not 3",
    "repos_folder: not-there": "repos_folder: not-there: no such folder",
    "spaces: {'*': {ends: WELL}}": "spaces.*.ends: 'WELL' is none of BUILD_ERROR,",
}


@pytest.mark.parametrize(("text", "says"), MISTAKES.items(), ids=[text[:40] for text in MISTAKES])
def test_every_mistake_is_one_line_that_says_where(text: str, says: str) -> None:
    with pytest.raises(TwinError) as raised:
        parse(text, at=AT)
    message = str(raised.value)
    assert message.startswith("scenario.yaml:")
    assert says in message
    assert "\n" not in message


def test_a_scenario_says_everything_that_a_test_can() -> None:
    told = parse(WHOLE, at=AT)
    assert (told.clock, told.page_size, told.deploys) == ("driven", 5, "hf_ann")
    assert told.accounts[0].tokens[1].scoped == {"acme": ["inference.endpoints.infer.write"]}
    assert (told.computes[0].quota, told.timings.initializing_s) == (0, 30)
    assert (told.starts[0].times, told.faults[0].does) == (1, "lose")
    assert told.repos["acme/tiny"].files == {"README.md": b"# tiny"}
    assert told.repos["acme/tiny"].readers == ("ann",)
    assert told.spaces["acme/*"].ends == "BUILD_ERROR"


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_nothing_in_its_place_is_more_than_a_line(path: tuple[Any, ...]) -> None:
    """Whatever stands anywhere: a scenario that can be served, or one line."""
    for junk in JUNK:
        told = deepcopy(SOUND)
        place = told
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = junk
        assert "\n" not in said_of(yaml.safe_dump(told))


def said_of(text: str) -> str:
    try:
        face.make(parse(text, at=AT))
    except TwinError as error:
        return str(error)
    return ""


def test_an_empty_file_is_the_usual_scenario() -> None:
    assert parse("", at=AT) == Scenario()


def test_who_names_accounts_uses_the_first_token_there() -> None:
    told = parse("accounts: [{name: ann, tokens: [{text: hf_one}, {text: hf_two}]}]", at=AT)
    assert (told.deploys, told.calls, told.foreign) == ("hf_one", "hf_one", "")


def test_a_folder_of_repositories_lies_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "repos/acme/tiny").mkdir(parents=True)
    (tmp_path / "repos/acme/tiny/README.md").write_text("# tiny")
    file = tmp_path / "scenario.yaml"
    file.write_text("repos_folder: repos\n")
    assert list(read(file).repos) == ["acme/tiny"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('{"private": "yes"}', "private: must be true or false, not 'yes'"),
        ('{"refs": 7}', "refs: must be keys, each with a text, not 7"),
        ('{"providers": {"t": {"statsu": "live"}}}', "providers.t.statsu: no such key; did you"),
    ],
)
def test_a_folders_settings_are_held_to_the_same_words(
    settings: str, says: str, tmp_path: Path
) -> None:
    repo = tmp_path / "acme" / "tiny"
    repo.mkdir(parents=True)
    (repo / ".repo.json").write_text(settings)
    with pytest.raises(TwinError) as wrong:
        folder(tmp_path)
    assert str(wrong.value).startswith(f"{repo}/.repo.json: {says}")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="cannot read the scenario"):
        read(tmp_path / "none.yaml")


def test_a_fault_that_is_sent_is_held_to_the_same_words() -> None:
    with pytest.raises(TwinError, match=r"faults\[0\].tims: no such key; did you mean times?"):
        faults([{"tims": 2}])
