"""The door from files to plans: which files are meant, and that none stops the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from moorage.errors import MoorageError
from moorage.plan.load import load
from moorage.plan.project import find_root
from moorage.plan.show.render import FORMATS, digest
from tests.plan.projects import judge
from tests.plan.test_cases import CASES
from tests.spec.support import ROOT

SPEC = """\
apiVersion: moorage/v1
kind: ModelService
name: NAME
team: t
model: {id: any}
providers: [{kind: openai, url: "http://127.0.0.1:1/v1"}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    for name in ("specs/b/one.yaml", "specs/a/two.yml", "specs/three.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SPEC.replace("NAME", path.stem))
    (tmp_path / "specs" / "policy.yaml").write_text("apiVersion: moorage/v1\nkind: Policy\n")
    (tmp_path / "specs" / "schema.json").write_text("{}")
    (tmp_path / "specs" / "one.lock.json").write_text("{}")
    (tmp_path / "specs" / ".hidden.yaml").write_text("not: a spec\n")
    return tmp_path


def test_a_folder_means_every_spec_below_it_and_nothing_else(project: Path) -> None:
    loaded = load([project / "specs"], root=project)
    assert loaded.problems == ()
    assert [plan.service for plan in loaded.plans] == ["two", "one", "three"]
    assert loaded.files == ("specs/a/two.yml", "specs/b/one.yaml", "specs/three.yaml")


def test_globs_files_and_folders_may_overlap(project: Path) -> None:
    paths = [project / "specs" / "**" / "*.yaml", project / "specs/b", project / "specs/three.yaml"]
    assert load(paths, root=project).files == ("specs/b/one.yaml", "specs/three.yaml")


def test_one_bad_file_hides_no_other(project: Path) -> None:
    (project / "specs" / "bad.yaml").write_text("a: [")
    (project / "specs" / "loop.yaml").symlink_to("loop.yaml")
    loaded = load([project / "specs"], root=project)
    assert len(loaded.plans) == 3
    assert [problem.rule for problem in loaded.problems] == ["yaml-syntax", "unreadable-file"]


def test_a_folder_that_links_to_itself_is_walked_once(project: Path) -> None:
    (project / "specs" / "again").symlink_to(project / "specs")
    assert len(load([project / "specs"], root=project).files) == 3


@pytest.mark.parametrize("path", ["specs/none.yaml", "empty", "specs/*.nothing", "a\0b"])
def test_a_path_that_means_no_spec_is_one_line(project: Path, path: str) -> None:
    (project / "empty").mkdir()
    with pytest.raises(MoorageError) as raised:
        load([project / path], root=project)
    assert raised.value.exit_code == 2
    assert "\n" not in str(raised.value)


def test_a_path_is_taken_relative_to_its_spec_and_home_is_known(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project))
    (project / "mine.gguf").write_bytes(b"GGUF")
    for number, given in enumerate(["../mine.gguf", "~/mine.gguf", str(project / "mine.gguf")]):
        text = SPEC.replace("NAME", f"own-{number}").replace("id: any", f"id: {given}")
        text = text.replace('{kind: openai, url: "http://127.0.0.1:1/v1"}', "{kind: local}")
        (project / "specs" / f"own-{number}.yaml").write_text(text)
    loaded = load([project / "specs" / "own-*.yaml"], root=project)
    weights = [plan.placements[0].weights for plan in loaded.plans]
    assert [own.path for own in weights if own] == [project / "mine.gguf"] * 3


@pytest.mark.parametrize("given", ["~nobody-at-all/x.gguf", "./folder.gguf", '"./a\\0.gguf"'])
def test_a_path_that_leads_nowhere_is_a_problem(project: Path, given: str) -> None:
    (project / "specs" / "folder.gguf").mkdir()
    text = SPEC.replace("{id: any}", f"{{id: {given}}}")
    text = text.replace('{kind: openai, url: "http://127.0.0.1:1/v1"}', "{kind: local}")
    (project / "specs" / "x.yaml").write_text(text.replace("NAME", "x"))
    problems = load([project / "specs" / "x.yaml"], root=project).problems
    assert [problem.rule for problem in problems] == ["model-file-missing"]


def test_the_project_is_found_from_within(project: Path) -> None:
    assert find_root(project / "specs" / "b") == project


def test_plans_are_the_same_every_time_and_in_every_format(project: Path) -> None:
    once, again = (load([project / "specs"], root=project) for _ in range(2))
    for name, render in FORMATS.items():
        assert render(once) == render(again), name
    assert len({digest(plan) for plan in once.plans}) == 3


def test_the_plans_fit_their_published_schema(project: Path) -> None:
    published = json.loads((ROOT / "specs" / "plan.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(published)
    for folder, root in ((ROOT / "specs", ROOT), (project / "specs", project)):
        text = FORMATS["json"](load([folder], root=root))
        Draft202012Validator(published).validate(json.loads(text))


def test_the_example_is_rendered_for_people() -> None:
    loaded = load([ROOT / "specs" / "examples" / "hello.yaml"], root=ROOT)
    text = FORMATS["text"](loaded)
    assert "hello (examples): bartowski/SmolLM2-135M-Instruct-GGUF, text-generation" in text
    assert "local-2  SmolLM2-135M-Instruct-Q4_K_M.gguf (101 MiB)" in text
    assert "takes over when local-1 fails" in text
    comment = FORMATS["markdown"](loaded)
    assert "| hello | bartowski/SmolLM2-135M-Instruct-GGUF | local-1, then local-2 |" in comment
    assert len(comment.splitlines()) < 60


def test_what_is_published_stands_in_a_line_of_its_own(tmp_path: Path) -> None:
    story = tmp_path / "story"
    shutil.copytree(CASES / "lets-two-services-publish-two-repositories", story)
    lines = FORMATS["text"](judge(story)).splitlines()
    assert "  publishes model acme/chat-tone: private, in collection Support models" in lines
    told = "private, apache-2.0, by pull request, in collection Small models"
    assert f"  publishes model acme/chat-small-tone: {told}, from {story}/out/adapter" in lines
