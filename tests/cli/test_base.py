"""`moorage plan --base`: a change is compared with any commit, by one call of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from moorage.cli.base import exported
from moorage.errors import MoorageError
from tests import warm

SPEC = """\
apiVersion: moorage/v1
kind: ModelService
name: {name}
team: t
model: {{id: any/model}}
budget: {{monthly_usd: 100}}
privacy: {{tier: internal}}
providers:
  - {{kind: openai, url: "https://{name}.example.com/v1", api_key_env: KEY, monthly_usd: {usd}}}
"""


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "a step")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of a repository, with one service committed."""
    root = tmp_path / "repo" / "services"
    (root / "specs").mkdir(parents=True)
    (root / "Pulumi.yaml").touch()
    (root / "specs" / "one.yaml").write_text(SPEC.format(name="one", usd=10))
    (root / "other.txt").write_text("not exported")
    git(root.parent, "init", "-q", "-b", "main")
    commit(root.parent)
    return root


def moorage(project: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return warm.moorage(*words, cwd=project, env={**os.environ, **environ})


def changed(project: Path, *words: str) -> str:
    done = moorage(project, "plan", "--format", "markdown", "--base", "main", *words)
    assert done.stderr == ""
    return done.stdout[done.stdout.index("Against") :]


def test_what_a_change_costs_is_told_against_its_base(project: Path) -> None:
    assert changed(project) == "Against `main`:\n\nNo service changes.\n"
    (project / "specs" / "one.yaml").write_text(SPEC.format(name="one", usd=12.5))
    (project / "specs" / "two.yaml").write_text(SPEC.format(name="two", usd=7))
    text = changed(project)
    assert "| one | changed | $10.00 → $12.50 (+$2.50) |" in text
    assert "| two | added | $0.00 → $7.00 (+$7.00) |" in text
    assert "- one: openai-1 updated: monthly_usd `10` → `12.5`" in text


def test_only_the_paths_asked_for_are_compared(project: Path) -> None:
    (project / "specs" / "one.yaml").write_text(SPEC.format(name="one", usd=12.5))
    (project / "specs" / "two.yaml").write_text(SPEC.format(name="two", usd=7))
    text = changed(project, "specs/two.yaml")
    assert "| two | added" in text
    assert "one" not in text


def test_a_base_before_there_were_specs_has_none(project: Path) -> None:
    (project / "specs" / "one.yaml").unlink()
    commit(project)
    (project / "specs").mkdir(exist_ok=True)
    (project / "specs" / "one.yaml").write_text(SPEC.format(name="one", usd=10))
    assert "| one | added |" in changed(project)


def test_the_folder_is_that_of_the_base_and_does_not_stay(project: Path) -> None:
    (project / "specs" / "one.yaml").write_text("changed")
    (project / "policy.yaml").write_text("not committed")
    with exported("main", root=project) as folder:
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
        assert names == {"Pulumi.yaml", "specs", "specs/one.yaml"}
        assert (folder / "specs" / "one.yaml").read_text() == SPEC.format(name="one", usd=10)
    assert not folder.parent.exists()


def test_the_folder_does_not_stay_when_the_work_in_it_fails(project: Path) -> None:
    place = Path()

    def work() -> None:
        nonlocal place
        with exported("main", root=project) as folder:
            place = folder
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert place.name == "project"
    assert not place.exists()


def test_a_link_of_the_base_leads_nowhere(project: Path) -> None:
    (project / "specs" / "evil.yaml").symlink_to("/etc/passwd")
    (project / "catalog").symlink_to("/etc")
    commit(project)
    with exported("main", root=project) as folder:
        assert {path.name for path in folder.rglob("*")} == {"Pulumi.yaml", "specs", "one.yaml"}


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("nowhere", "--base: there is no commit 'nowhere' here; fetch it first"),
        ("--output=/tmp/x", "--base: '--output=/tmp/x' is not the name of a commit"),
        ("-h", "--base: '-h' is not the name of a commit"),
        ("", "--base: '' is not the name of a commit"),
        ("main:specs", "--base: there is no commit 'main:specs' here"),
        ("$(touch x)", "--base: there is no commit '$(touch x)' here"),
    ],
)
def test_a_base_that_is_not_there_is_one_line_and_exit_2(
    project: Path, ref: str, says: str
) -> None:
    done = moorage(project, "plan", f"--base={ref}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"moorage: {says}")
    assert not (project / "x").exists()


def test_without_git_or_a_repository_it_says_so(project: Path, tmp_path: Path) -> None:
    done = moorage(project, "plan", "--base", "main", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (
        2,
        "moorage: --base needs git, and there is none on PATH\n",
    )
    bare = tmp_path / "bare"
    bare.mkdir()
    with (
        pytest.raises(MoorageError, match="this is no git repository") as told,
        exported("main", root=bare),
    ):
        pass
    assert told.value.exit_code == 2


def test_nothing_of_it_stays_behind(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    assert moorage(project, "plan", "--base", "main", TMPDIR=str(folder)).returncode == 0
    assert moorage(project, "plan", "--base", "nowhere", TMPDIR=str(folder)).returncode == 2
    assert list(folder.iterdir()) == []
