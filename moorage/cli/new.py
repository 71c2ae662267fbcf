"""`moorage new`: a commented spec from flags, or from answers at the terminal."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moorage.errors import Exit, MoorageError

if TYPE_CHECKING:
    from moorage.plan.catalogue.offers import Catalog, Kind
    from moorage.spec.compose import Answers, Entry

_DOLLARS: Final = re.compile(r"\$?([0-9]{1,9}(\.[0-9]{1,4})?)")
_GGUF: Final = "gguf:*Q4_K_M.gguf"  # the usual choice of a repository with many files


def configure(parser: argparse.ArgumentParser) -> None:
    """What a spec cannot do without; what is left out is asked for on a terminal."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="the service (from the model's id)")
    parser.add_argument("--model", metavar="ID", help="a repository of the Hub, or a GGUF file")
    parser.add_argument(
        "--provider", metavar="KIND", nargs="+", action="extend", help="where it may run, in order"
    )
    parser.add_argument("--tier", metavar="T", help="its privacy tier")
    parser.add_argument("--budget", metavar="USD", help="the most that a month may cost")
    parser.add_argument("--team", metavar="T", help="the team it belongs to")
    parser.add_argument("--owner", metavar="WHO", help="who is asked at three in the morning")
    parser.add_argument("--task", metavar="TASK", help="what it is for (text-generation)")
    parser.add_argument("--revision", metavar="COMMIT", help="the commit of the model")
    parser.add_argument("--quantization", metavar="Q", help="none, a method, or gguf:<pattern>")
    parser.add_argument(
        "--region", metavar="R", nargs="+", action="extend", help="where it may be computed (eu)"
    )
    parser.add_argument("--gpu", metavar="G", help="the GPU of the providers that have one")
    parser.add_argument(
        "--option",
        metavar="[KIND.]KEY=VALUE",
        action="append",
        default=[],
        help="another option of the providers, or of one kind of them",
    )
    parser.add_argument("--output", metavar="PATH", type=Path, help="specs/<team>/<name>.yaml")


def run(args: argparse.Namespace) -> int:
    """Ask, compose, prove, write."""
    from moorage.plan.catalogue import catalog
    from moorage.plan.project import catalog_folder, find_root
    from moorage.spec.compose import compose

    root = find_root(Path.cwd())
    known = catalog.read(catalog_folder(root))
    ask = Asker(terminal=sys.stdin.isatty())
    answers = _answers(args, known, _teams(root, known), ask)
    file = args.output or root / "specs" / answers.team / f"{answers.name}.yaml"
    options = {name: kind.options for name, kind in known.kinds.items()}
    text = compose(answers, options=options, schema=_way(file, root / "specs" / "schema.json"))
    wrong = _faults(text, file, catalog.spec_schema(known))
    for says in wrong:
        print(f"moorage: {says}", file=sys.stderr)
    if wrong:
        return int(Exit.USAGE)
    _write(file, text)
    _tell(file, answers)
    return int(Exit.FINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Something to know, the flag that says it, and what it may be."""

    flag: str
    text: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    needed: bool = True  # whether a default will not do where nobody can be asked
    many: bool = False

    def fault(self, answer: str) -> str:
        """What is wrong with an answer; empty when it will do."""
        from moorage.spec.secrets import redact
        from moorage.spec.words import listing, nearest

        if not self.choices or answer in self.choices:
            return ""
        near = nearest(answer, self.choices)
        hint = f"did you mean '{near}'?" if near else f"it may be {listing(self.choices)}"
        return f"there is no {redact(answer)[:60]!r}; {hint}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Where answers come from: flags first, then the terminal, then what is usual."""

    terminal: bool
    missing: list[str] = field(default_factory=list)  # flags without which nothing is written

    def one(self, question: Question, given: str | None) -> str:
        return self.all(question, None if given is None else [given])[0]

    def all(self, question: Question, given: Sequence[str] | None) -> list[str]:
        if given is not None:
            self._refuse(question, given)
            return list(given)
        if self.terminal:
            return self._asked(question)
        if question.needed or question.default is None:
            self.missing.append(question.flag)
        return [question.default or ""]

    def complete(self) -> None:
        """Refuse in one line where something is missing and nobody can be asked."""
        if self.missing:
            message = f"missing: {', '.join(self.missing)}; give them, or run it on a terminal"
            raise MoorageError(message)

    def _refuse(self, question: Question, given: Iterable[str]) -> None:
        for answer in given:
            if fault := question.fault(answer):
                message = f"{question.flag}: {fault}"
                raise MoorageError(message)

    def _asked(self, question: Question) -> list[str]:
        while True:
            typed = self._typed(question)
            answers = typed.replace(",", " ").split() if question.many else [typed] * bool(typed)
            faults = [fault for answer in answers if (fault := question.fault(answer))]
            if answers and not faults:
                return answers
            print("  " + ("; ".join(faults) or "this one is needed"))

    def _typed(self, question: Question) -> str:
        choices = f" ({', '.join(question.choices)})" if question.choices else ""
        usual = f" [{question.default}]" if question.default is not None else ""
        try:
            return input(f"{question.text}{choices}{usual}: ").strip() or question.default or ""
        except EOFError:
            message = "the answers ended before everything was known; nothing is written"
            raise MoorageError(message) from None


def _teams(root: Path, catalog: Catalog) -> tuple[str, ...]:
    """The teams that the policy knows; none where any team may have services."""
    from moorage.spec import policy_parse, policy_schema

    policy = policy_parse.load(root, schema=policy_schema.build(catalog.kinds)).policy
    return tuple(policy.teams or ()) if policy is not None else ()


def _answers(
    args: argparse.Namespace, catalog: Catalog, teams: tuple[str, ...], ask: Asker
) -> Answers:
    from moorage.spec.compose import Answers
    from moorage.spec.language import TIERS
    from moorage.spec.tasks import TASKS, USUAL
    from moorage.spec.words import label_like

    model = ask.one(Question(flag="--model", text="Model, owner/name or a GGUF file"), args.model)
    usual = label_like(model.rpartition("/")[2]) or "model"
    task = Question(flag="--task", text="Task", default=USUAL, choices=tuple(TASKS), needed=False)
    name = Question(flag="NAME", text="Name of the service", default=usual, needed=False)
    where = Question(
        flag="--provider",
        text="Where it may run, in order",
        choices=tuple(catalog.kinds),
        many=True,
    )
    tier = Question(flag="--tier", text="Privacy tier", default="internal", choices=TIERS)
    answers = {
        "name": ask.one(name, args.name),
        "team": ask.one(Question(flag="--team", text="Team", choices=teams), args.team),
        "task": ask.one(task, args.task),
    }
    kinds = [catalog.kinds.get(kind) for kind in ask.all(where, args.provider)]
    answers["tier"] = ask.one(tier, args.tier)
    budget = ask.one(Question(flag="--budget", text="US dollars a month", default="0"), args.budget)
    ask.complete()
    chosen = [kind for kind in kinds if kind is not None]
    return Answers(
        **answers,
        model=model,
        budget_usd=_money(budget),
        owner=args.owner,
        revision=args.revision,
        quantization=args.quantization or _quantization(chosen),
        regions=tuple(args.region or ()),
        entries=tuple(_entries(args, chosen, ask)),
    )


def _quantization(kinds: Iterable[Kind]) -> str:
    return _GGUF if any(kind.weights == "gguf" for kind in kinds) else "none"


def _money(text: str) -> Decimal:
    from moorage.spec import units

    found = _DOLLARS.fullmatch(text.strip())
    if found is None:
        hint = units.hint("money", text.strip())
        must = "must be US dollars a month such as 0, 25 or 19.99"
        message = f"--budget: {text[:60]!r} {must}{f'; {hint}' if hint else ''}"
        raise MoorageError(message)
    return Decimal(found[1])


def _entries(args: argparse.Namespace, kinds: Sequence[Kind], ask: Asker) -> list[Entry]:
    from moorage.spec.compose import Entry

    said = [_option(text) for text in args.option]
    if args.gpu is not None:
        said.append(("--gpu", None, "gpu", args.gpu))
    for flag, of, key, _ in said:
        _refuse_stray(flag, of, key, kinds)
    return [Entry(kind=kind.name, options=_own(kind, said, ask)) for kind in kinds]


Option = tuple[str, str | None, str, Any]  # the flag, the kind it is for, the key, the value


def _option(text: str) -> Option:
    way, equals, value = text.partition("=")
    of, dot, key = way.rpartition(".")
    if not equals or not key:
        message = f"--option: {text[:60]!r} must be KEY=VALUE or KIND.KEY=VALUE"
        raise MoorageError(message)
    return "--option", of if dot else None, key, _value(value)


def _value(text: str) -> Any:
    """A value as a spec would have it: a number, a list, a mapping, text."""
    from moorage.spec import document

    tree, problems = document.read(f"value: {text}", "")
    node = tree.get("value") if tree is not None and not problems else None
    return text if node is None else document.plain(node)


def _refuse_stray(flag: str, of: str | None, key: str, kinds: Sequence[Kind]) -> None:
    from moorage.spec.words import nearest

    asked = [kind for kind in kinds if of in (None, kind.name)]
    known = {name for kind in asked for name in kind.options.get("properties", {})}
    if key in known:
        return
    near = nearest(key, known)
    hint = f"; did you mean '{near}'?" if near else ""
    names = ", ".join(kind.name for kind in asked) or f"no chosen kind: {of}"
    message = f"{flag}: {key[:60]!r} is no option of {names}{hint}"
    raise MoorageError(message)


def _own(kind: Kind, said: Iterable[Option], ask: Asker) -> Mapping[str, Any]:
    """What is said of a kind, and what it needs besides; an example where nobody can be asked."""
    from moorage.spec.compose import example, flow

    known = kind.options.get("properties", {})
    own = {key: value for _, of, key, value in said if key in known and of in (None, kind.name)}
    for key in kind.options.get("required", ()):
        if key not in own and ask.terminal:
            text = f"{kind.name}: {known[key].get('description', key).rstrip('.')}"
            usual = flow(example(known[key]))
            own[key] = _value(ask.one(Question(flag="--option", text=text, default=usual), None))
    return own


def _faults(text: str, file: Path, schema: dict[str, Any]) -> list[str]:
    """What the parser finds in what would be written, without places: there is no file yet."""
    from moorage.spec.parse import parse

    problems = parse(text, str(file), schema=schema).problems
    return [f"{p.says}; {p.hint}" if p.hint else p.says for p in problems]


def _way(file: Path, schema: Path) -> str:
    return Path(os.path.relpath(schema, Path(file).absolute().parent)).as_posix()


def _write(file: Path, text: str) -> None:
    try:
        if os.path.lexists(file):
            message = f"{file}: is there already, and stays as it is; choose another name"
            raise MoorageError(message)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:  # one that came just now stays, too
            new.write(text)
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror}"
        raise MoorageError(message) from error


def _tell(file: Path, answers: Answers) -> None:
    from moorage.spec.types import Model

    shown = os.path.relpath(file)
    print(f"{shown}: written")
    steps = ["check"] if Model(id=answers.model).is_path else ["lock", "check"]
    print("next: " + " && ".join(f"moorage {step} {shown}" for step in steps))
