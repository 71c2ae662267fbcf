"""What is ready to use in CI works as it stands: the workflow, the pre-commit hook, CODEOWNERS."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from moorage.cli import _parser

ROOT = Path(__file__).parent.parent.parent
CI = ROOT / "docs" / "ci"
WORKFLOW: dict[str, Any] = yaml.load(  # BaseLoader: every word stays text, also "on"
    (CI / "github-actions.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader
)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
SPEC = """\
apiVersion: moorage/v1
kind: ModelService
name: one
team: t
model: {id: any/model}
providers:
  - {kind: openai, url: "http://127.0.0.1:11434/v1"}
"""

OWN = "acme/services"
EVENTS: dict[str, dict[str, str]] = {
    "fork": {"event": "pull_request", "head": "stranger/services", "ref": "refs/pull/7/merge"},
    "dependabot": {"event": "pull_request", "head": OWN, "actor": "dependabot[bot]"},
    "own pull request": {"event": "pull_request", "head": OWN, "ref": "refs/pull/8/merge"},
    "main": {"event": "push", "ref": "refs/heads/main"},
    "night": {"event": "schedule", "ref": "refs/heads/main"},
}
DOES = {
    "fork": {"check"},
    "dependabot": {"check"},
    "own pull request": {"check", "code-scanning", "comment"},
    "main": {"check", "code-scanning", "deploy", "smoke"},
    "night": {"drift"},
}


def runs(job: str, event: Mapping[str, str]) -> bool:
    """Whether GitHub would run a job: its condition, computed; what it needs has run."""
    names = {
        "github.event.pull_request.head.repo.full_name": event.get("head", ""),
        "github.event_name": event["event"],
        "github.repository": OWN,
        "github.actor": event.get("actor", "somebody"),
        "github.ref": event.get("ref", ""),
        "!cancelled()": "yes",
    }
    condition = JOBS[job].get("if", "'always'")
    for name, value in names.items():
        condition = condition.replace(name, repr(value))
    condition = condition.replace("&&", " and ").replace("||", " or ")
    assert "github." not in condition, f"{job}: the test does not know {condition}"
    needed = JOBS[job].get("needs")
    return bool(eval(condition)) and (needed is None or runs(needed, event))


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_runs_its_jobs_and_no_others(event: str) -> None:
    assert {job for job in JOBS if runs(job, EVENTS[event])} == DOES[event]


def written(job: str) -> str:
    return yaml.safe_dump(JOBS[job])


def may_write(job: str) -> bool:
    permissions: dict[str, str] = JOBS[job]["permissions"]
    return any(level != "read" for level in permissions.values())


def holds_a_secret(job: str) -> bool:
    words = ("secrets.", "secrets[", "github.token", "GITHUB_TOKEN")
    return any(word in written(job) for word in words)


def runs_code_of_the_commit(job: str) -> bool:
    return any("actions/checkout@" in step.get("uses", "") for step in JOBS[job]["steps"])


@pytest.mark.parametrize("event", ["fork", "dependabot"])
def test_a_forks_pull_request_never_sees_a_token(event: str) -> None:
    for job in DOES[event]:
        assert not holds_a_secret(job)
        assert not may_write(job)
        assert "environment" not in JOBS[job]


def test_no_job_of_a_pull_request_has_both_its_code_and_a_token() -> None:
    for job in DOES["own pull request"]:
        assert not (runs_code_of_the_commit(job) and (holds_a_secret(job) or may_write(job)))
    assert holds_a_secret("comment")
    assert runs_code_of_the_commit("check")


def test_the_events_are_those_that_give_forks_nothing() -> None:
    assert set(WORKFLOW["on"]) == {"pull_request", "push", "schedule"}


def test_every_job_asks_for_the_least_and_leaves_no_token_in_the_checkout() -> None:
    assert WORKFLOW["permissions"] == {}
    assert {job: JOBS[job]["permissions"] for job in JOBS if may_write(job)} == {
        "code-scanning": {"contents": "read", "actions": "read", "security-events": "write"},
        "comment": {"pull-requests": "write"},
    }
    for job in JOBS.values():
        assert int(job["timeout-minutes"]) <= 60
        for step in job["steps"]:
            if "actions/checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] == "false"


def test_secrets_are_given_to_steps_and_not_to_all_of_a_job() -> None:
    for job in JOBS.values():
        assert "env" not in job
        assert all("env" not in step or "run" in step for step in job["steps"])


def test_nothing_that_a_stranger_writes_becomes_part_of_a_script() -> None:
    """A title or branch name in `run:` would be run."""
    for job in JOBS.values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_every_action_is_named_by_its_major_version() -> None:
    used = {step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step}
    assert len(used) == 5
    assert all(re.fullmatch(r"[\w-]+(/[\w-]+){1,2}@v[0-9]+", name) for name in used)


def test_what_a_job_downloads_another_has_uploaded_before() -> None:
    for name, job in JOBS.items():
        for step in job["steps"]:
            if "download-artifact" in step.get("uses", ""):
                uploads = [
                    one["with"]["name"]
                    for one in JOBS[job["needs"]]["steps"]
                    if "upload-artifact" in one.get("uses", "")
                ]
                assert step["with"]["name"] in uploads, name


def scripts() -> Iterator[str]:
    for job in JOBS.values():
        yield from (step["run"] for step in job["steps"] if "run" in step)
    blocks = re.findall(r"`([^`\n]*)`", (CI / "README.md").read_text(encoding="utf-8"))
    yield from blocks
    yield HOOK["entry"]


def commands() -> list[list[str]]:
    """Every call of moorage, without what the shell does with it."""
    found = []
    for script in scripts():
        for line in re.split(r"\n|&&|\|\|?|;", script):
            call = re.search(r"(?:^|/|\s)moorage (.+)", line.partition(">")[0])
            if call:
                found.append(shlex.split(call[1]))
    return found


HOOK: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))[0]
CALLS = commands()


def test_the_calls_are_found() -> None:
    said = [" ".join(call) for call in CALLS]
    assert "up --stack production" in said
    assert "plan --format markdown --base HEAD^1" in said
    assert "lock --check" in said
    assert {call[0] for call in CALLS} >= {"check", "plan", "preview", "up", "test", "refresh"}


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_every_call_is_one_that_moorage_understands(call: list[str]) -> None:
    assert _parser(call).parse_args(call).command == call[0]


def test_a_call_that_moorage_does_not_understand_would_be_noticed() -> None:
    with pytest.raises(SystemExit):
        _parser(["check", "--fast"]).parse_args(["check", "--fast"])


def test_the_nightly_job_reads_what_a_preview_prints() -> None:
    printed = (ROOT / "moorage" / "cli" / "stacks.py").read_text(encoding="utf-8")
    assert '"changed": result.changed' in printed
    assert "jq --exit-status '.changed == false'" in written("drift").replace("''", "'")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of specs that has the hook, as its users have it but for the installation."""
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "one.yaml").write_text(SPEC)
    hook = {**HOOK, "language": "system"}  # moorage itself comes from the environment of the test
    config = {"repos": [{"repo": "local", "hooks": [hook]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def pre_commit(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    environ = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *words],
        cwd=project,
        env={**os.environ, **environ, "PRE_COMMIT_HOME": str(project.parent / "pre-commit")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_manifest_is_one_that_pre_commit_reads() -> None:
    done = pre_commit(ROOT, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_hook_lets_good_specs_pass_and_stops_bad_ones(project: Path) -> None:
    good = pre_commit(project, "run")
    assert (good.returncode, "Passed" in good.stdout) == (0, True), good.stdout
    (project / "specs" / "one.yaml").write_text(SPEC.replace("team: t", "teem: t"))
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    bad = pre_commit(project, "run")
    assert bad.returncode == 1
    assert "specs/one.yaml:4:1 unknown-key: the spec has no key 'teem'" in bad.stdout


def test_the_hook_looks_at_what_changes_a_verdict_and_at_nothing_else(project: Path) -> None:
    (project / "README.md").write_text("words")
    others = pre_commit(project, "run", "--files", "README.md", "Pulumi.yaml")
    assert "Skipped" in others.stdout
    (project / "policy.yaml").write_text("{apiVersion: moorage/v1, kind: Policie}")
    policy = pre_commit(project, "run", "--files", "policy.yaml")
    assert "Failed" in policy.stdout
    assert "policy.yaml:1:32 unknown-value" in policy.stdout


@pytest.mark.parametrize(
    ("file", "looked_at"),
    [
        ("specs/support/chat.yaml", True),
        ("specs/support/chat.lock.json", True),
        ("specs/policy.yaml", True),
        ("catalog/prices/ec2-gpu.yaml", True),
        ("specs/schema.json", False),
        ("docs/specs/chat.yaml", False),
    ],
)
def test_the_hook_knows_its_files(file: str, *, looked_at: bool) -> None:
    assert (re.search(HOOK["files"], file) is not None) is looked_at


def test_codeowners_names_paths_of_a_project_and_gives_each_an_owner() -> None:
    lines = (CI / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert all(len(rule) == 2 and rule[1].startswith("@") for rule in rules)
    owner = dict(rules)
    paths = [path for path, _ in rules]
    assert owner["/specs/policy.yaml"] == owner["/specs/"] != owner["/specs/support/"]
    assert paths.index("/specs/policy.yaml") > paths.index("/specs/support/")  # the last counts
