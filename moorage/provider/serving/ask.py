"""One real request: the smallest by task, and what its answer proves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.serving import probe

PING: Final = "ping"
_CHATS: Final = frozenset({"text-generation", "text2text-generation", "conversational"})
_SEES: Final = frozenset({"image-text-to-text", "any-to-any"})
_EMBEDS: Final = frozenset({"feature-extraction", "sentence-similarity"})
_REFUSALS: Final = frozenset({401, 403})
_FINAL: Final = frozenset({400, 404, 405, 422})  # asking again would not help


class NotYet(MoorageError):  # noqa: N818  it may come right by itself
    """It does not serve now, and may in a moment."""

    def __init__(self, reason: str, *, status: int = 0) -> None:
        super().__init__(reason, exit_code=Exit.UNANSWERED)
        self.reason = reason
        self.status = status  # of HTTP; 0 where nothing came back


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A request that was served, and the model that says so, where it names itself."""

    model: str | None = None


def smallest(task: str, model: str) -> tuple[str, dict[str, Any]] | None:
    """The path below /v1 and the body of the least that proves a task; None: no short one."""
    if task in _CHATS | _SEES:
        messages = [{"role": "user", "content": PING}]
        return "/chat/completions", {"model": model, "messages": messages, "max_tokens": 1}
    if task in _EMBEDS:
        return "/embeddings", {"model": model, "input": PING}
    if task == "text-to-image":
        return "/images/generations", {"model": model, "prompt": PING, "n": 1}
    return None


def prove(
    url: str,
    key: str | None,
    path: str,
    body: str | None,
    timeout_s: float,
    *,
    given_up: Callable[[], bool] = lambda: False,
) -> Answer:
    """Ask the engine at `url` (without /v1) once.

    Raises NotYet while it may still come, and MoorageError where asking again would not help.
    """
    question = probe.Question(url=url.rstrip("/") + path, body=body, key=key)
    answer = probe.ask(question, timeout_s=timeout_s, given_up=given_up)
    if answer is None:
        raise NotYet("nobody waits for its answer any more")
    if (refusal := refused(answer, url)) is not None:
        raise MoorageError(refusal, exit_code=Exit.UNANSWERED)
    if not is_served(answer):
        reason = "its answer is empty" if answer.is_good else str(answer)
        raise NotYet(reason, status=answer.status)
    return Answer(model=_model(answer.json))


def is_served(answer: probe.Answer) -> bool:
    """An answer need not be JSON: it may be a picture."""
    return answer.is_good and bool(answer.text)


def refused(answer: probe.Answer, url: str) -> str | None:
    """What is wrong, where the same question would be refused again."""
    if answer.status in _REFUSALS:
        return f"{url} refuses the key ({answer.status}); give the key of that server"
    if answer.status in _FINAL:
        return f"{url} does not serve the model: {answer}"
    return None


def _model(told: Any) -> str | None:
    model = told.get("model") if isinstance(told, Mapping) else None
    return model if isinstance(model, str) else None
