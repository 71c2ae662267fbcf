"""The one door from files to plans: the same for `moorage check`, `moorage plan` and a stack."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import moorage
from moorage.plan import catalog as catalogue
from moorage.plan import files, rules
from moorage.plan.decide import decide
from moorage.plan.offers import Catalog
from moorage.plan.subject import Subject
from moorage.plan.types import Plan
from moorage.spec import source
from moorage.spec.parse import parse
from moorage.spec.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """Every file that was looked at, those that could be understood, and what is wrong so far."""

    files: tuple[str, ...]
    subjects: tuple[Subject, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """The plans of all specs without errors, and everything that is wrong with the others."""

    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()


def load(paths: Sequence[Path], *, root: Path) -> Loaded:
    """Plan every spec that the paths mean: files, folders or globs; `root` is the project."""
    seen = read(paths, root=root)
    plans: list[Plan] = []
    problems = list(seen.problems)
    for subject in seen.subjects:
        found = rules.check(subject)
        problems += found
        if not any(problem.severity == "error" for problem in found):
            plans.append(decide(subject.spec, subject.facts, subject.catalog))
    return Loaded(plans=tuple(plans), problems=tuple(sorted(set(problems))), files=seen.files)


def read(paths: Sequence[Path], *, root: Path) -> Read:
    """Read every spec, its lock and its model's file; judge nothing but the shape."""
    catalog = catalogue.read(catalog_folder(root))
    schema = catalogue.spec_schema(catalog)
    subjects: list[Subject] = []
    problems: list[Problem] = []
    found = files.specs(paths)
    for path in found:
        result = _read_one(path, root, catalog, schema)
        if isinstance(result, Subject):
            subjects.append(result)
        else:
            problems += result
    names = tuple(files.shown(path, root) for path in found)
    return Read(files=names, subjects=_named(subjects), problems=tuple(problems))


def find_root(start: Path) -> Path:
    """The project: the nearest folder upwards that holds Pulumi.yaml, or else `start`."""
    around = (start, *start.parents)
    return next((folder for folder in around if (folder / "Pulumi.yaml").is_file()), start)


def catalog_folder(root: Path) -> Path:
    """The project's catalogue, or the one that lies beside this package."""
    own = root / "catalog"
    return own if own.is_dir() else Path(moorage.__file__).parent.parent / "catalog"


def _read_one(
    path: Path, root: Path, catalog: Catalog, schema: dict[str, object]
) -> Subject | tuple[Problem, ...]:
    name = files.shown(path, root)
    text = source.text(path, file=name)
    if isinstance(text, Problem):
        return (text,)
    parsed = parse(text, name, schema=schema)
    if parsed.spec is None:
        return parsed.problems
    facts = files.facts(parsed.spec.model, path, root)
    return Subject(spec=parsed.spec, parsed=parsed, facts=facts, catalog=catalog)


def _named(subjects: list[Subject]) -> tuple[Subject, ...]:
    """Tell every subject which file has each name first."""
    first: dict[str, str] = {}
    for subject in subjects:
        first.setdefault(subject.spec.name, subject.parsed.file)
    return tuple(dataclasses.replace(subject, names=first) for subject in subjects)
