"""The commands check, plan, lock and schema, run as users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.twin.hub import Hub, Repo, serve
from tests import warm

EMPTY = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)  # a header without tensors or keys
COMMIT = "a" * 40
SPEC = f"""\
apiVersion: moorage/v1
kind: ModelService
name: tiny
team: t
model:
  id: acme/tiny-GGUF
  revision: {COMMIT}
  quantization: gguf:*Q4.gguf
providers: [{{kind: local}}]
"""
REPOS = {
    "acme/tiny-GGUF": Repo(
        files={"tiny-Q4.gguf": EMPTY, "tiny-Q8.gguf": EMPTY + b"8", "README.md": b"#"},
        revision=COMMIT,
        license="mit",
        gguf={"architecture": "llama"},
    ),
}


@pytest.fixture(scope="module")
def twin() -> Iterator[Hub]:
    with serve(REPOS) as hub:
        yield hub


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "tiny.yaml").write_text(SPEC)
    return tmp_path


def moorage(
    project: Path, *arguments: str, hub: str = "http://127.0.0.1:9"
) -> subprocess.CompletedProcess[str]:
    settings = {"HF_ENDPOINT": hub, "HF_HOME": str(project / "home"), "HF_TOKEN": ""}
    return warm.moorage(*arguments, cwd=project, env={**os.environ, **settings})


def test_a_spec_is_locked_checked_and_planned(project: Path, twin: Hub) -> None:
    missing = moorage(project, "check")
    assert missing.returncode == 1
    assert "specs/tiny.yaml:5:1 lock-missing: specs/tiny.lock.json is not there" in missing.stdout
    locked = moorage(project, "lock", hub=twin.url)
    assert (locked.returncode, locked.stdout) == (0, "specs/tiny.lock.json: written\n")
    content = json.loads((project / "specs" / "tiny.lock.json").read_text())
    assert content["model"]["license"] == "MIT"
    assert content["model"]["architecture"] == "llama"
    assert [file["name"] for file in content["model"]["files"]] == ["tiny-Q4.gguf"]
    assert content["asked"]["of"] == twin.url
    checked = moorage(project, "check", "--offline")
    assert (checked.returncode, checked.stdout) == (0, "1 spec, no problems\n")
    planned = moorage(project, "plan", "--format", "json")
    assert json.loads(planned.stdout)["plans"][0]["placements"][0]["name"] == "local-1"


def test_locking_again_changes_nothing_and_a_moved_model_is_told(project: Path, twin: Hub) -> None:
    moorage(project, "lock", hub=twin.url)
    again = moorage(project, "lock", "specs/tiny.yaml", hub=twin.url)
    assert again.stdout == "specs/tiny.lock.json: unchanged\n"
    assert moorage(project, "lock", "--check", hub=twin.url).returncode == 0
    path = project / "specs" / "tiny.lock.json"
    before = path.read_text().replace('"MIT"', '"Apache-2.0"')
    path.write_text(before)
    moved = moorage(project, "lock", "--check", hub=twin.url)
    assert moved.returncode == 1
    assert "lock-moved: license was Apache-2.0, is MIT" in moved.stdout
    assert path.read_text() == before


def test_a_main_branch_that_went_on_is_told_and_changes_nothing(project: Path) -> None:
    old = {"tiny-Q4.gguf": EMPTY}
    repo = Repo(files={"tiny-Q4.gguf": EMPTY + b"new"}, revision="c" * 40, earlier={COMMIT: old})
    with serve({"acme/tiny-GGUF": repo}) as hub:
        assert moorage(project, "lock", hub=hub.url).returncode == 0
        told = moorage(project, "lock", "--check", hub=hub.url)
    assert told.returncode == 0
    assert f"revision-behind (warning): the main branch went on to {'c' * 40}" in told.stdout


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (f"revision: {COMMIT}", "revision: main", f"'main' stands at {COMMIT} today"),
        (f"  revision: {COMMIT}\n", "", f"write 'revision: {COMMIT}'"),
        (COMMIT, "b" * 40, "hub-refused: acme/tiny-GGUF: the Hub has no revision"),
        ("acme/tiny-GGUF", "acme/other", "the Hub has no such repository"),
        ("*Q4.gguf", "*.gguf", "'*.gguf' matches 2 files; name one: tiny-Q4.gguf, tiny-Q8.gguf"),
        ("*Q4.gguf", "tiny-q4.gguf", "no file of acme/tiny-GGUF matches 'tiny-q4.gguf'; did you"),
    ],
)
def test_what_cannot_be_locked_is_a_problem_of_the_spec(
    project: Path, twin: Hub, old: str, new: str, says: str
) -> None:
    (project / "specs" / "tiny.yaml").write_text(SPEC.replace(old, new))
    done = moorage(project, "lock", hub=twin.url)
    assert done.returncode == 1
    assert says in done.stdout
    assert done.stdout.startswith("specs/tiny.yaml:")
    assert not (project / "specs" / "tiny.lock.json").exists()


def test_a_hub_that_does_not_answer_is_one_line_and_exit_3(project: Path) -> None:
    done = moorage(project, "lock")
    assert done.returncode == 3
    assert done.stderr.startswith("moorage: acme/tiny-GGUF: the Hub (http://127.0.0.1:9) cannot")
    assert done.stderr.count("\n") == 1


def test_a_lock_that_cannot_be_written_is_one_line(project: Path, twin: Hub) -> None:
    (project / "specs" / "tiny.lock.json").mkdir()
    done = moorage(project, "lock", hub=twin.url)
    assert done.returncode == 2
    assert done.stderr == "moorage: specs/tiny.lock.json: cannot be written: Is a directory\n"
    assert sorted(path.name for path in (project / "specs").iterdir()) == [
        "tiny.lock.json",
        "tiny.yaml",
    ]


def test_a_name_that_no_terminal_can_show_is_shown_all_the_same(project: Path) -> None:
    (project / "specs" / os.fsdecode(b"\xff\n.yaml")).write_text("a: [")
    done = moorage(project, "check", "specs")
    assert done.returncode == 1
    assert "specs/\\udcff\\n.yaml:2:1 yaml-syntax: a value is missing here" in done.stdout


def test_a_spec_without_the_hub_has_nothing_to_lock(project: Path) -> None:
    (project / "specs" / "tiny.yaml").write_text(SPEC.replace("acme/tiny-GGUF", "./x.gguf"))
    done = moorage(project, "lock")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing to lock" in done.stdout


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_every_format_tells_the_same_problem(project: Path, form: str) -> None:
    (project / "specs" / "tiny.yaml").write_text(SPEC.replace("team: t", "teem: t"))
    done = moorage(project, "check", "--format", form)
    assert done.returncode == 1
    assert "has no key 'teem'" in done.stdout
    assert "specs/tiny.yaml" in done.stdout
    if form in ("json", "sarif"):
        json.loads(done.stdout)
    if form == "github":
        assert done.stdout.startswith(
            "::error file=specs/tiny.yaml,line=1,col=1,title=missing-key::"
        )


@pytest.mark.parametrize("command", ["check", "plan", "lock"])
def test_a_wrong_path_is_wrong_usage(project: Path, command: str) -> None:
    done = moorage(project, command, "specs/none.yaml")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "specs/none.yaml: no such file or folder" in done.stderr


def test_a_file_that_cannot_be_read_is_exit_2(project: Path) -> None:
    (project / "specs" / "loop.yaml").symlink_to("loop.yaml")
    done = moorage(project, "check")
    assert done.returncode == 2
    assert "specs/loop.yaml:1:1 unreadable-file" in done.stdout
    assert "lock-missing" in done.stdout


def test_the_schema_is_written_and_proven_fresh(project: Path) -> None:
    assert moorage(project, "schema", "--check").returncode == 1
    assert moorage(project, "schema", "--write").returncode == 0
    assert moorage(project, "schema", "--check").returncode == 0
    printed = moorage(project, "schema").stdout
    assert printed == (project / "specs" / "schema.json").read_text()
    (project / "specs" / "schema.json").write_text("{}")
    assert moorage(project, "schema", "--check").returncode == 1


def test_judging_needs_no_cloud_and_no_http() -> None:
    """What makes a check fast: nothing heavy is imported."""
    code = "import moorage.plan.load, moorage.plan.show.render, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    heavy = {"pulumi", "huggingface_hub", "boto3", "httpx", "aiohttp", "rich", "jsonschema"}
    assert heavy.isdisjoint(part.strip("[]' \n") for part in done.stdout.split(","))


def test_what_a_terminal_would_obey_is_written_as_a_spec_would(project: Path, twin: Hub) -> None:
    spec = project / "specs" / "tiny.yaml"
    serving = 'serving: {env: {PLAIN: two words, LOUD: "one\\n\\e[2J"}}\n'
    spec.write_text(spec.read_text(encoding="utf-8") + serving, encoding="utf-8")
    assert moorage(project, "lock", "specs", hub=twin.url).returncode == 0
    planned = moorage(project, "plan", "specs")
    assert planned.returncode == 0, planned.stderr
    assert r'with PLAIN=two words LOUD="one\u000a\u001b[2J"' in planned.stdout
