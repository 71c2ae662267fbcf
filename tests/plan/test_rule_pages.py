"""Every slug has its page, and every page is true: its mistake is told so, put right it is not.

MOORAGE_WRITE_CASES=1 writes what moorage says into the pages anew, for review.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import moorage
from moorage.plan.fleet import FLEET_RULES
from moorage.plan.load import read
from moorage.plan.locks.lock import read as read_lock
from moorage.plan.relock import moved
from moorage.plan.rules import RULES
from moorage.plan.slugs import SAID
from moorage.spec.problems import Problem
from moorage.spec.slugs import SLUGS
from moorage.twin.hub import Repo, serve
from tests.plan import pages
from tests.plan.pages import PAGES, Page
from tests.plan.projects import furnish, judge, specs
from tests.plan.test_cases import WRITE

SEVERITIES = {slug: rule.severity for slug, rule in RULES.items()}
SEVERITIES |= {slug: rule.severity for slug, rule in FLEET_RULES.items()}
SEVERITIES["revision-behind"] = "warning"
BY_LOCKING = ("lock-moved", "revision-behind", "hub-refused")
SMALL = "bartowski--smollm2-135m-instruct-gguf"


@pytest.mark.parametrize("slug", sorted(SAID))
def test_a_page_says_what_its_rule_says(slug: str) -> None:
    page = pages.read(slug)
    assert page.text.startswith(f"# {slug}\n\n> {SAID[slug]}\n\n")
    assert f"\nSeverity: {SEVERITIES.get(slug, 'error')}" in page.text
    assert re.findall(r"^## (.*)$", page.text, re.MULTILINE) == ["Bad", "Good", "What to do"]


@pytest.mark.parametrize("slug", sorted(set(SAID) - set(BY_LOCKING)))
def test_the_bad_example_of_a_page_is_told_as_it_says(slug: str, tmp_path: Path) -> None:
    page, root = pages.read(slug), tmp_path / "project"
    pages.build(page, "bad", root)
    problems = judge(root).problems
    compare(page, "".join(f"{row}\n" for row in problems).replace(str(root), "<project>"))
    assert slug in {row.rule for row in problems}
    assert {row.rule for row in problems if row.severity == "error"} <= {slug}


@pytest.mark.parametrize("slug", sorted(set(SAID) - set(BY_LOCKING)))
def test_the_good_example_of_a_page_is_fine(slug: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    pages.build(pages.read(slug), "good", root)
    loaded = judge(root)
    assert slug not in {row.rule for row in loaded.problems}
    assert [row for row in loaded.problems if row.severity == "error"] == []
    assert len(loaded.plans) == len(specs(root))


@pytest.mark.parametrize("side", ["bad", "good"])
@pytest.mark.parametrize("slug", ["lock-moved", "revision-behind"])
def test_what_moved_upstream_is_told_as_its_page_says(slug: str, side: str, tmp_path: Path) -> None:
    page, root = pages.read(slug), tmp_path / "project"
    pages.build(page, side, root)
    furnish(root)
    (subject,) = read(specs(root), root=root).subjects
    new = read_lock(pages.locked(root / "chat.yaml", page.needs["upstream"][side]), "new")
    assert not isinstance(new, Problem)
    head = page.needs.get("head", {}).get(side, new.model.revision)
    said = "".join(f"{row}\n" for row in moved(subject, new, head=head))
    if side == "bad":
        compare(page, said)
    else:
        assert said == ""


@pytest.mark.parametrize("side", ["bad", "good"])
def test_what_the_hub_refuses_is_told_as_its_page_says(side: str, tmp_path: Path) -> None:
    page, root = pages.read("hub-refused"), tmp_path / "project"
    pages.build(page, side, root)
    furnish(root)
    (root / "chat.lock.json").unlink(missing_ok=True)
    (root / "Pulumi.yaml").touch()
    model = pages.known(SMALL)["model"]
    file = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)
    there = {model["id"]: Repo(files={model["files"][0]["name"]: file}, revision=model["revision"])}
    with serve(there) as hub:
        done = subprocess.run(
            [sys.executable, "-m", "moorage", "lock", "chat.yaml"],
            cwd=root,
            env={"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "PYTHONPATH": str(PACKAGE)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == (1 if side == "bad" else 0)
    if side == "bad":
        compare(page, done.stdout)


def test_there_is_a_page_for_every_slug_and_no_other() -> None:
    there = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert there == set(SAID)


def test_the_index_has_every_page_with_its_line() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([a-z-]+)\]\(\1\.md\) \| (.*?) \| (\w+) \|$", index, re.MULTILINE)
    wanted = {(slug, says, SEVERITIES.get(slug, "error")) for slug, says in SAID.items()}
    assert set(rows) == wanted
    assert len(rows) == len(wanted)


PACKAGE = Path(moorage.__file__).parent.parent
CATALOGUE = "moorage/plan/catalogue/integrity.py"  # `moorage catalog check` has words of its own
MAKERS = {"problem", "of", "_problem", "_note", "_stop", "_refuse_access", "Obstacle", "Refusal"}
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")


def printed(source: str) -> set[str]:
    """The slugs that a module gives to what makes a problem."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = [row.value for row in node.keywords if row.arg == "rule"]
        texts = [row for row in node.args[:2] if isinstance(row, ast.Constant)]
        given += texts[:1] if name in MAKERS and not given else []
        values = [row.value for row in given if isinstance(row, ast.Constant)]
        found |= {row for row in values if isinstance(row, str) and SLUG.fullmatch(row)}
    return found


def test_every_slug_that_the_code_can_print_is_known() -> None:
    found: set[str] = set()
    for path in sorted((PACKAGE / "moorage").glob("*/**/*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(("moorage/spec/", "moorage/plan/", "moorage/cli/", "moorage/hub/")):
            found |= set() if name == CATALOGUE else printed(path.read_text(encoding="utf-8"))
    assert found - set(SAID) == set()
    assert len(found & set(SAID)) > 70  # the search itself still finds them
    assert set(SAID) == {*RULES, *FLEET_RULES, *SLUGS}


def compare(page: Page, said: str) -> None:
    if WRITE:
        text = page.text.replace(f"```text\n{page.said}```", f"```text\n{said}```")
        (PAGES / f"{page.slug}.md").write_text(text, encoding="utf-8")
        return
    assert said == page.said
