"""A new spec from a few answers: commented text that a team can read, and the parser accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct, field

from moorage.spec import document
from moorage.spec.forms import Schema
from moorage.spec.tasks import TASKS, USUAL
from moorage.spec.types import Model
from moorage.spec.words import listing

_COLUMN: Final = 36  # where comments begin
_COMMENT_LENGTH: Final = 90
_PLAIN: Final = re.compile(
    r"[A-Za-z_./][A-Za-z0-9_./*+@-]*(:[A-Za-z0-9_./*+@-]+)*"  # a word, a repository, gguf:<name>
    r"|[0-9]+(\.[0-9]+)?(ms|s|m|h|d|%)"
    r"|[0-9a-f]{39}[a-df]"  # a commit that nobody takes for a number
)
_SENTENCE: Final = re.compile(r"(?<=[.;]) ")

_TIERS: Final = {
    "public": "anything may serve it",
    "internal": "authenticated access only; nothing is kept or trained on",
    "confidential": "dedicated hardware in the named regions",
    "restricted": "own hosts only; nothing leaves them",
}


class Entry(Struct, frozen=True, kw_only=True):
    """One entry of `providers`; options that are needed and not given get an example."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Answers(Struct, frozen=True, kw_only=True):
    """What must be known to begin a spec."""

    name: str
    team: str
    model: str
    entries: tuple[Entry, ...]
    tier: str
    budget_usd: Decimal
    owner: str | None = None
    revision: str | None = None
    task: str = USUAL
    quantization: str = "none"
    regions: tuple[str, ...] = ()


def compose(answers: Answers, *, options: Mapping[str, Schema], schema: str) -> str:
    """The text; `options` has each kind's own schema, `schema` the way to the spec's, for editors.

    Whether the answers are good is for the parser to say.
    """
    blocks = (
        _head(answers, schema),
        _model(answers),
        _privacy(answers),
        _budget(answers),
        _providers(answers, options),
        _levels(answers),
    )
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _head(answers: Answers, schema: str) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={schema}"
    yield "# What is commented out may be left so; an editor completes and explains every key."
    yield "apiVersion: moorage/v1"
    yield "kind: ModelService"
    yield _line("name", answers.name, "unique among all specs")
    yield _line("team", answers.team)
    asked = "who is asked at three in the morning"
    if answers.owner is None:
        yield _hidden("owner", f"{answers.team}-oncall@example.com", asked)
    else:
        yield _line("owner", answers.owner, asked)


def _model(answers: Answers) -> Iterator[str]:
    yield "model:"
    yield _line("id", answers.model, "", 1)
    if not Model(id=answers.model).is_path:
        yield from _revision(answers.revision)
    yield _line("task", answers.task, TASKS[answers.task].says if answers.task in TASKS else "", 1)
    if not Model(id=answers.model).is_path:
        yield _line("quantization", answers.quantization, "how the weights are stored", 1)
    if answers.task in TASKS and TASKS[answers.task].generates:
        says = "tokens of prompt and answer together; left out, the model's own limit"
        yield _hidden("max_model_len", 16384, says, 1)


def _revision(revision: str | None) -> Iterator[str]:
    if revision is None:
        yield _commented("  # revision:", "the commit to pin: `moorage lock` tells it")
    else:
        yield _line("revision", revision, "the commit; branches and tags move", 1)


def _privacy(answers: Answers) -> Iterator[str]:
    yield "privacy:"
    yield _line("tier", answers.tier, _TIERS.get(answers.tier, ""), 1)
    where = "where requests may be computed: areas or regions"
    if answers.regions:
        yield _line("regions", answers.regions, where, 1)
    else:
        yield _hidden("regions", ["eu"], f"{where}; left out, anywhere", 1)


def _budget(answers: Answers) -> Iterator[str]:
    yield "budget:"
    yield _line("monthly_usd", answers.budget_usd, "the most that a month may cost", 1)
    yield _line("on_breach", "refuse", "or cheapest-route, or scale-to-zero", 1)


def _providers(answers: Answers, options: Mapping[str, Schema]) -> Iterator[str]:
    yield _commented("providers:", "in order: who is asked first, who takes over")
    for entry in answers.entries:
        own = options.get(entry.kind, {})
        yield _commented(f"  - kind: {flow(entry.kind)}", _brief(own))
        yield from _options(entry, own)


def _options(entry: Entry, own: Schema) -> Iterator[str]:
    known: Mapping[str, Schema] = own.get("properties", {})
    for key, value in entry.options.items():
        yield _line(key, value, _brief(known.get(key, {})), 2)
    for key in own.get("required", ()):
        if key not in entry.options:
            yield _line(key, example(known[key]), "an example: put in your own", 2)
    for key, schema in known.items():
        if key not in entry.options and key not in own.get("required", ()):
            yield _hidden(key, example(schema), _brief(schema), 2)


def _levels(answers: Answers) -> Iterator[str]:
    generates = answers.task in TASKS and TASKS[answers.task].generates
    times = {"ttft_p95": "2s", "tpot_p95": "100ms"} if generates else {}
    yield _line("slo", {**times, "error_rate": "1%"}, "how well it must answer: measured")
    if len(answers.entries) > 1:
        takes_over = {"time_to_recover": "15s", "lost_before_first_token": 0}
        yield _line("failover", takes_over, "what a failover may cost: measured")
    tokens = {"input_tokens": 512, "output_tokens": 128} if generates else {"input_tokens": 128}
    yield _line("load", {"rps": 1, **tokens}, "what to expect: costs and tests use it")


def example(schema: Schema) -> Any:
    """A value that a schema allows: its own example, its default, its first choice."""
    if "examples" in schema:
        return schema["examples"][0]
    return schema.get("default", next(iter(schema.get("enum", ())), None))


def flow(value: Any) -> str:
    """A value as YAML in one line; text is quoted wherever some reader could misread it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(own)}" for key, own in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and document.resolve(text) == text


def _quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    if letter in ('"', "\\"):
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _line(key: str, value: Any, comment: str = "", depth: int = 0) -> str:
    return _commented(f"{'  ' * depth}{key}: {flow(value)}", comment)


def _hidden(key: str, value: Any, comment: str, depth: int = 0) -> str:
    return _commented(f"{'  ' * depth}# {key}: {flow(value)}", comment)


def _commented(text: str, comment: str) -> str:
    return f"{text:<{_COLUMN - 1}} # {comment}" if comment else text


def _brief(schema: Schema) -> str:
    """The choices, or the description as far as one line has room for it."""
    if "enum" in schema:
        return listing(schema["enum"])
    said, *more = _SENTENCE.split(" ".join(str(schema.get("description", "")).split()))
    for part in more:
        if len(said) + len(part) > _COMMENT_LENGTH:
            break
        said = f"{said} {part}"
    return said.rstrip(".;")
