"""The real request that proves that an endpoint serves, and the name that it serves under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import exchange, faults
from moorage.provider.hugging_face.endpoints.endpoint_images import ENGINES
from moorage.provider.hugging_face.exchange import Answer, Question
from moorage.provider.serving import ask

_ANSWER_S: Final = 60.0
_LONGEST_WAKE_S: Final = 600.0
_WAKE: Final = "X-Scale-Up-Timeout"
_NOT_FOUND: Final = 404
_TEI: Final[Mapping[str, tuple[str, Any]]] = {  # which has no /v1 for these tasks
    "text-ranking": ("/rerank", {"query": ask.PING, "texts": [ask.PING]}),
    "text-classification": ("/predict", {"inputs": ask.PING}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Where an endpoint is called, and with what."""

    url: str  # as the service tells it
    token: str = field(repr=False)
    wakes: bool = False  # it may be asleep, and shall be woken

    def ask(self, path: str, body: Any, context: Context) -> Answer:
        """One request to it, given up when nobody waits for it any more."""
        wake_s = min(_LONGEST_WAKE_S, context.remaining_s()) if self.wakes else 0.0
        question = Question(
            method="GET" if body is None else "POST",
            url=self.url.rstrip("/") + path,
            token=self.token or None,
            body=body,
            headers={_WAKE: f"{wake_s:.0f}"} if wake_s >= 1 else {},
        )
        return exchange.ask(question, context, longest_s=_ANSWER_S + wake_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What a request to it has shown: that it serves, or why not, and whether that may pass."""

    serves: bool = False
    model: str = ""
    path: str = ""  # what was answered, well where it serves, without a body or with this one
    body: Any = field(default=None, repr=False)
    answer: Answer = field(default_factory=Answer)

    @property
    def may_pass(self) -> bool:
        """Whether it may serve in a moment: its weights load, or its replica is on its way."""
        return faults.is_passing(self.answer)


def base_url(url: str, engine: str) -> str:
    """Where its clients begin."""
    return url.rstrip("/") + _root({"engine": engine})


def prove(door: Door, inputs: State, context: Context) -> Proof:
    """Ask it for its models, then for one answer; the first that is refused tells."""
    told = Answer(status=_NOT_FOUND)
    root = _root(inputs)
    if root:
        told = door.ask(f"{root}/models", None, context)
        if not told.is_good and told.status != _NOT_FOUND:
            return Proof(path=f"{root}/models", answer=told)
    model = _first(told.json) or str(inputs["repository"])
    path, body = _question(inputs, model)
    answer = door.ask(path, body, context)
    if not _is_served(answer):
        return Proof(path=path, answer=answer)
    # Who may not call it is tried with the cheapest question that it has answered.
    asked = (f"{root}/models", None) if told.is_good else (path, body)
    return Proof(serves=True, model=model, path=asked[0], body=asked[1], answer=answer)


def served(door: Door, inputs: State, context: Context) -> str | None:
    """The name that it serves under; None where it does not say so now."""
    root = _root(inputs)
    told = door.ask(f"{root}/models", None, context) if root else Answer()
    return _first(told.json)


def _root(inputs: State) -> str:
    """Where its clients begin: the toolkit alone does not speak OpenAI's API."""
    engine = ENGINES.get(inputs["engine"])
    return "/v1" if engine is None or engine.has_image else ""


def _is_served(answer: Answer) -> bool:
    """An answer need not be JSON: it may be a picture."""
    return answer.is_good and bool(answer.text)


def _question(inputs: State, model: str) -> tuple[str, Any]:
    """What to ask, by the task; the model's list alone where no short question is known."""
    probe, root = inputs.get("probe"), _root(inputs)
    if probe:
        return root + probe["path"], probe.get("body")
    task = inputs.get("task", "text-generation")
    if not root:
        return "/", {"inputs": ask.PING}
    if inputs["engine"] == "tei" and task in _TEI:
        return _TEI[task]
    path, body = ask.smallest(task, model) or ("/models", None)
    return root + path, body


def _first(models: Any) -> str | None:
    listed = models.get("data") if isinstance(models, Mapping) else None
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, Mapping) and isinstance(one.get("id"), str):
            return str(one["id"])
    return None
