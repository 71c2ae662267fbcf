"""Who serves a model behind the router, in which words, and whether that will do; mostly pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from moorage.provider.handler import Context, State
from moorage.provider.hugging_face.exchange import Answer
from moorage.provider.hugging_face.faults import Asked, fail
from moorage.provider.hugging_face.routing import look

POLICIES: Final = ("fastest", "cheapest", "preferred")
CHAT: Final = "text-generation"

_ABSENT: Final = 404
_MAPPING: Final = "inferenceProviderMapping"
_CONVERSATION: Final = "conversational"
# The router's own words for tasks.
_MAPPED: Final = {
    "text-generation": (_CONVERSATION, "text-generation"),
    "image-text-to-text": (_CONVERSATION, "image-text-to-text"),
    "sentence-similarity": ("sentence-similarity", "feature-extraction"),
}
_CHATS: Final = frozenset({"text-generation", "image-text-to-text"})
# Whom the router passes OpenAI's own request through to, and under which path; read from the
# routes of huggingface_hub 2.4. The other providers have words of their own for these tasks.
PASSED_THROUGH: Final = {
    ("together", "feature-extraction"): "/together/v1",
    ("together", "text-to-image"): "/together/v1",
    ("together", "text-to-speech"): "/together/v1",
    ("deepinfra", "feature-extraction"): "/deepinfra/v1/openai",
    ("deepinfra", "text-to-speech"): "/deepinfra/v1/openai",
    ("scaleway", "feature-extraction"): "/scaleway/v1",
    ("nscale", "text-to-image"): "/nscale/v1",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """One provider that the Hub maps a model to; None is what nobody says."""

    provider: str
    task: str  # in the router's words
    status: str  # live | staging | error
    provider_id: str | None = None
    context: int | None = None  # tokens
    input_usd: float | None = None  # for a million tokens
    output_usd: float | None = None

    @property
    def has_price(self) -> bool:
        """Whether both ways have one."""
        return self.input_usd is not None and self.output_usd is not None


def chats(task: str) -> bool:
    """Whether the router's own /v1 speaks it."""
    return task in _CHATS


def base(provider: str, task: str) -> str | None:
    """The path that ends in what OpenAI's clients append to; None: only in other words."""
    if chats(task):
        return "/v1"
    wanted = "feature-extraction" if task == "sentence-similarity" else task
    return PASSED_THROUGH.get((provider, wanted))


def ask(model: str, context: Context) -> tuple[Served, ...] | None:
    """Everybody who serves a model; None where the Hub has no such model."""
    path = f"/api/models/{quote(model)}?expand={_MAPPING}"
    hub, router = look.hub(), look.router()
    answer = look.read(hub, path, context)
    if answer.status == _ABSENT:
        return None
    mapped = _mapped(_understood(answer, _asked(f"the mapping of {model}", hub)))
    if not any(row.task == _CONVERSATION for row in mapped):
        return tuple(mapped)  # the router's list knows chats only
    answer = look.read(router, f"/v1/models/{quote(model)}", context)
    if answer.status == _ABSENT:
        return tuple(mapped)
    listed = _listed(_understood(answer, _asked(f"the router's list of {model}", router)))
    return tuple(_joined(row, listed.get(row.provider)) for row in mapped)


def usable(served: Sequence[Served], task: str) -> dict[str, Served]:
    """Who serves the task, by the provider."""
    words = _MAPPED.get(task, (task,))
    return {row.provider: row for row in served if row.task in words}


def faults(row: Served, inputs: State) -> Iterator[str]:
    """What speaks against a provider, one clear reason each."""
    if row.status != "live":
        yield f"the router says {row.status}"
    if base(row.provider, inputs["task"]) is None:
        yield f"it answers {inputs['task']} in words of its own, not in OpenAI's"
    if not chats(inputs["task"]):
        return  # nobody tells prices and contexts of other tasks
    wanted = inputs.get("minContext")
    if wanted is not None and row.context is None:
        yield f"it does not say how many tokens it takes, and {wanted} are wanted"
    elif wanted is not None and row.context is not None and row.context < wanted:
        yield f"it takes {row.context} tokens, and {wanted} are wanted"
    if not row.has_price:
        yield "it does not say what it costs"
    yield from _too_dear("Input", row.input_usd, inputs)
    yield from _too_dear("Output", row.output_usd, inputs)


def _too_dear(way: str, usd: float | None, inputs: State) -> Iterator[str]:
    most = inputs.get(f"maxUsdPerMtok{way}")
    if most is not None and usd is not None and usd > most:
        yield f"{way.lower()} costs ${usd:g} per million tokens, and ${most:g} is the most"


def _asked(what: str, of: look.Host) -> Asked:
    return Asked(what=what, account="your account", token=of.token, scope="repo.content.read")


def _understood(answer: Answer, asked: Asked) -> Any:
    if not answer.is_good or not isinstance(answer.json, dict):
        fail(Answer(status=200) if answer.is_good else answer, asked)
    return answer.json


def _mapped(body: Any) -> list[Served]:
    """The Hub's mapping, which is told by provider, or as a list; a row without a task is none."""
    told = body.get(_MAPPING) or {}
    if isinstance(told, dict):
        told = [{"provider": key, **row} for key, row in told.items() if isinstance(row, dict)]
    rows = told if isinstance(told, list) else []
    return [
        Served(
            provider=str(row.get("provider")),
            task=str(row["task"]),
            status=str(row.get("status")),
            provider_id=row.get("providerId"),
        )
        for row in rows
        if isinstance(row, dict) and row.get("task")
    ]


def _listed(body: Any) -> Mapping[str, Mapping[str, Any]]:
    """The router's rows of a model, by provider."""
    model = body.get("data", body)
    rows = model.get("providers") if isinstance(model, dict) else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {row["provider"]: row for row in rows if isinstance(row.get("provider"), str)}


def _joined(row: Served, listed: Mapping[str, Any] | None) -> Served:
    if listed is None or row.task not in (_CONVERSATION, *_CHATS):
        return row
    told = listed.get("pricing")
    pricing = told if isinstance(told, dict) else {}
    free = 0.0 if listed.get("is_free") is True else None
    return Served(
        provider=row.provider,
        task=row.task,
        status="error" if listed.get("status") == "error" else row.status,
        provider_id=row.provider_id,
        context=_tokens(listed.get("context_length")),
        input_usd=_usd(pricing.get("input"), free),
        output_usd=_usd(pricing.get("output"), free),
    )


def _tokens(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _usd(value: object, otherwise: float | None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return otherwise
    return float(value)
