"""Rules about what a spec publishes: its folder is there, and holds nothing that must stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.plan.facts import LocalFolder
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.spec.problems import Problem


def _folder(subject: Subject) -> Iterator[Problem]:
    for number, folder in _folders(subject):
        if folder.fault:
            says = f"{folder.path}: {folder.fault}"
            hint = "correct the path; `moorage up` wants it there"
            yield subject.problem("published-folder", says, hint, "publish", number, "folder")


def _by_accident(subject: Subject) -> Iterator[Problem]:
    for number, folder in _folders(subject):
        if folder.private:
            says = f"{folder.path}: {folder.private}, and all of it would be published"
            hint = "publish a folder that holds only what others may have"
            yield subject.problem("published-by-accident", says, hint, "publish", number, "folder")


def _folders(subject: Subject) -> Iterator[tuple[int, LocalFolder]]:
    for number, row in enumerate(subject.spec.publish):
        if row.folder is not None:
            yield number, subject.facts.folders[row.folder]


RULES: Final[dict[str, Rule]] = {
    "published-folder": Rule(
        says="a folder that is published is there", check=_folder, severity="warning"
    ),
    "published-by-accident": Rule(
        says="nothing is published that is not meant for others", check=_by_accident
    ),
}
