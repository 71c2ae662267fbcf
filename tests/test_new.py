"""`moorage new` as people run it: by flags in a script, by answers at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from moorage.plan.catalogue import catalog
from moorage.spec.parse import parse
from moorage.spec.types import Spec
from tests import warm
from tests.spec.support import ROOT, SCHEMA

INTERRUPT = "Ctrl-C"
GIVEN = [
    *("--model", "Qwen/Qwen3-8B", "--tier", "internal"),
    *("--budget", "19.99", "--team", "support"),
]
ROUTER = [*GIVEN, "--provider", "hf-router"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "specs").mkdir()
    return tmp_path


def new(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return warm.moorage("new", *words, cwd=project)


def spec_of(file: Path) -> Spec:
    parsed = parse(file.read_text(encoding="utf-8"), file.name, schema=SCHEMA)
    assert parsed.spec is not None, parsed.problems
    return parsed.spec


def test_flags_alone_write_a_spec_and_say_what_comes_next(project: Path) -> None:
    done = new(project, "support-chat", *ROUTER, "--region", "eu", "--owner", "a@example.com")
    file = "specs/support/support-chat.yaml"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"{file}: written\nnext: moorage lock {file} && moorage check {file}\n")
    spec = spec_of(project / file)
    assert (spec.name, spec.team, spec.owner) == ("support-chat", "support", "a@example.com")
    assert (spec.model.id, str(spec.budget.monthly_usd)) == ("Qwen/Qwen3-8B", "19.99")
    assert (spec.privacy.tier, spec.privacy.regions) == ("internal", ("eu",))


def test_the_name_comes_from_the_model_where_none_is_given(project: Path) -> None:
    assert new(project, *ROUTER).returncode == 0
    assert spec_of(project / "specs" / "support" / "qwen3-8b.yaml").name == "qwen3-8b"


def test_the_header_leads_to_the_schema_wherever_the_file_lies(project: Path) -> None:
    assert new(project, *ROUTER, "--output", "services/deep/down/chat.yaml").returncode == 0
    first = (project / "services/deep/down/chat.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../../specs/schema.json"
    assert new(project, *ROUTER).returncode == 0
    first = (project / "specs/support/qwen3-8b.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schema.json"


def test_a_file_that_is_there_is_never_overwritten(project: Path) -> None:
    file = project / "specs" / "support" / "qwen3-8b.yaml"
    file.parent.mkdir()
    file.write_text("mine")
    done = new(project, *ROUTER)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is there already, and stays as it is" in done.stderr
    assert file.read_text() == "mine"


def test_what_is_missing_is_told_in_one_line_where_nobody_can_be_asked(project: Path) -> None:
    done = new(project, "chat", "--model", "Qwen/Qwen3-8B")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "moorage: missing: --team, --provider, --tier, --budget; give them, or run it on a "
        "terminal\n"
    )
    assert list((project / "specs").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--provider", "hf-endpiont"], "--provider: there is no 'hf-endpiont'; did you mean 'hf-"),
        (["--tier", "secret"], "--tier: there is no 'secret'; it may be public, internal, conf"),
        (["--task", "embeddings"], "--task: there is no 'embeddings'"),
        (["--budget", "1k"], "--budget: '1k' must be US dollars a month such as 0, 25 or 19.99"),
        (["--budget", "1k"], "or 19.99; write 1000"),
        (["--budget", "1e9"], "--budget: '1e9' must be US dollars"),
        (["--budget", "-1"], "--budget: '-1' must be US dollars"),
        (["--budget", "nan"], "--budget: 'nan' must be US dollars"),
        (["--gpu", "nvidia-l4"], "--gpu: 'gpu' is no option of hf-router"),
        (["--option", "polcy=fastest"], "'polcy' is no option of hf-router; did you mean 'policy'"),
        (["--option", "policy"], "--option: 'policy' must be KEY=VALUE or KIND.KEY=VALUE"),
        (["--option", "policy=best"], "'policy' must be fastest, cheapest or preferred, not"),
        (["--team", "Support Team"], "'team' must be at most 24 lower-case letters"),
        (["--team", "../../etc"], "'team' must be at most 24 lower-case letters"),
        (["--revision", "hf_abcdefghijklmnopqrstuvwxyz"], "looks like a Hugging Face token"),
        (["--output", "specs"], "specs: is there already"),
        (["--output", "Pulumi.yaml/x.yaml"], "Pulumi.yaml/x.yaml: cannot be written: "),
    ],
)
def test_an_answer_that_will_not_do_is_one_line_and_writes_nothing(
    project: Path, words: list[str], says: str
) -> None:
    done = new(project, *ROUTER, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert says in done.stderr
    assert "hf_abc" not in done.stderr
    assert [path for path in project.rglob("*") if path.is_file()] == [project / "Pulumi.yaml"]


def test_options_reach_the_kinds_that_have_them(project: Path) -> None:
    words = ["--provider", "hf-endpoint", "docker-host", "--gpu", "nvidia-l40s"]
    words += ["--option", "docker-host.host=ssh://gpu-box-7", "--option", "count=2"]
    words += ["--option", "hf-endpoint.replicas={min: 1, max: 3}"]
    assert new(project, "chat", *GIVEN, *words).returncode == 0
    first, second = spec_of(project / "specs" / "support" / "chat.yaml").providers
    assert dict(first.options) == {
        "gpu": "nvidia-l40s",
        "count": 2,
        "replicas": {"min": 1, "max": 3},
    }
    assert dict(second.options) == {"host": "ssh://gpu-box-7", "gpu": "nvidia-l40s", "count": 2}


def test_a_flag_given_twice_adds_to_the_first(project: Path) -> None:
    done = new(project, "support-chat", *ROUTER, "--provider", "openai")
    assert done.returncode == 0, done.stderr
    spec = spec_of(project / "specs" / "support" / "support-chat.yaml")
    assert [target.kind for target in spec.providers] == ["hf-router", "openai"]


def test_a_key_that_a_kind_needs_has_an_example_that_says_so(project: Path) -> None:
    assert new(project, "chat", *GIVEN, "--provider", "openai").returncode == 0
    text = (project / "specs" / "support" / "chat.yaml").read_text()
    assert "url: http://127.0.0.1:11434/v1" in text
    assert "# an example: put in your own" in text


def test_a_kind_that_loads_gguf_files_gets_the_usual_pattern(project: Path) -> None:
    assert new(project, "chat", *GIVEN, "--provider", "local").returncode == 0
    assert spec_of(project / "specs/support/chat.yaml").model.quantization == "gguf:*Q4_K_M.gguf"


def test_a_model_file_needs_no_lock(project: Path) -> None:
    done = new(project, "mine", *GIVEN, "--provider", "local", "--model", "./mine.gguf")
    assert done.stdout.endswith("next: moorage check specs/support/mine.yaml\n")


def test_a_team_is_one_of_the_policys_where_it_names_them(project: Path) -> None:
    """It may still be any team where the policy names none."""
    policy = "{apiVersion: moorage/v1, kind: Policy, budgets: {teams: {supports: {}}}}"
    (project / "specs" / "policy.yaml").write_text(policy)
    done = new(project, *ROUTER)
    assert (done.returncode, done.stderr) == (
        2,
        "moorage: --team: there is no 'support'; did you mean 'supports'?\n",
    )
    (project / "specs" / "policy.yaml").write_text("{apiVersion: moorage/v1, kind: Policy}")
    assert new(project, *ROUTER).returncode == 0


def typed(project: Path, answers: Sequence[str], *words: str) -> tuple[int, str]:
    """Run it on a real terminal and answer each question as it comes."""
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "moorage", "new", *words]
    with subprocess.Popen(command, cwd=project, stdin=theirs, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        said, left, deadline = "", list(answers), time.monotonic() + 30
        while time.monotonic() < deadline:
            if not select.select([mine], [], [], 0.5)[0]:
                # One that comes just before Python begins to read is heard by the next key only.
                if left == [INTERRUPT] and said.endswith(": "):
                    answer(run, mine, INTERRUPT)
                continue
            try:
                said += os.read(mine, 4096).decode()
            except OSError:  # the other end is closed: the program has ended
                break
            if said.endswith(": ") and left:
                answer(run, mine, left[0])
                if left[0] != INTERRUPT:
                    left.pop(0)
        with suppress(subprocess.TimeoutExpired):
            run.wait(timeout=10)  # its terminal is closed a moment before it has ended
        run.kill()  # does nothing to one that has ended
    os.close(mine)
    return run.returncode, said.replace("\r\n", "\n")


def answer(run: subprocess.Popen[bytes], terminal: int, text: str) -> None:
    if text == INTERRUPT:
        run.send_signal(signal.SIGINT)  # what a terminal makes of Ctrl-C
    else:
        os.write(terminal, text.encode())


def test_a_terminal_is_asked_for_what_is_missing(project: Path) -> None:
    lines = ["Qwen/Qwen3-8B\n", "support\n", "\n", "hf-endpiont\n", "hf-endpoint, docker-host\n"]
    lines += ["\n", "confidential\n", "2500\n", "ssh://gpu-box-7\n"]
    lines[5:6] = []
    code, said = typed(project, lines, "support-chat")
    assert code == 0, said
    assert "did you mean 'hf-endpoint'?" in said
    assert "Privacy tier (public, internal, confidential, restricted) [internal]: " in said
    asked = "The Docker host, by SSH or this machine (local, or the socket of its engine)"
    assert f"docker-host: {asked} [ssh://gpu-box-1]: " in said
    spec = spec_of(project / "specs" / "support" / "support-chat.yaml")
    assert [target.kind for target in spec.providers] == ["hf-endpoint", "docker-host"]
    assert spec.providers[1].options["host"] == "ssh://gpu-box-7"
    assert (spec.model.task, spec.privacy.tier) == ("text-generation", "confidential")


def test_a_terminal_is_not_asked_for_what_flags_say(project: Path) -> None:
    code, said = typed(project, ["\n"], "chat", *ROUTER)
    assert code == 0
    assert said.count("]: ") == 1  # the task
    assert "Task (text-generation, " in said


def test_who_ends_the_answers_early_has_written_nothing(project: Path) -> None:
    code, said = typed(project, ["\x04"], "chat")
    assert code == 2
    assert "the answers ended before everything was known; nothing is written" in said
    assert list((project / "specs").iterdir()) == []


def test_who_interrupts_has_written_nothing(project: Path) -> None:
    code, said = typed(project, [INTERRUPT], "chat")
    assert (code, list((project / "specs").iterdir())) == (130, [])
    assert "Traceback" not in said


def test_every_kind_of_the_catalogue_can_be_begun_with(project: Path) -> None:
    for kind in catalog.read(ROOT / "catalog").kinds:
        name = f"my-{kind}"
        done = new(project, name, *GIVEN, "--provider", kind)
        assert (done.returncode, done.stderr) == (0, "")
        assert spec_of(project / "specs" / "support" / f"{name}.yaml").providers[0].kind == kind
