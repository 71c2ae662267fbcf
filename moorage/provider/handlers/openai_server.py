"""OpenAIServer: a server that is already there and speaks OpenAI's API; proven, never created."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import (
    DRIFT,
    Cancelled,
    Context,
    Created,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.serving import ask, probe
from moorage.provider.values import UNKNOWN

_GLANCE_S: Final = 3.0  # for a look whether it is still there
_ANSWER_S: Final = 60.0  # for one answer; a model may have to be loaded for it
_PAUSE_S: Final = 1.0
_CHAT_TASK: Final = "text-generation"
_EMBEDDING_TASK: Final = "feature-extraction"


def _is_address(url: str) -> str | None:
    good = url.startswith(("http://", "https://"))
    return None if good else "must begin with http:// or https://"


SHAPE: Final = Shape(
    doc="An OpenAI-compatible server that is already there; it is proven, not created.",
    inputs={
        "url": Field(
            kind="string",
            doc="Base URL, ending in /v1.",
            required=True,
            replaces=True,
            rule=_is_address,
        ),
        "task": Field(kind="string", doc="What the model is for.", required=True),
        "apiKey": Field(kind="string", doc="Bearer key of the server.", secret=True),
        "model": Field(kind="string", doc="The name under which the server has the model."),
        "modelHint": Field(kind="string", doc="The model's id, looked for among its models."),
        "timeoutSeconds": Field(kind="number", doc="How long to wait for it.", default=60),
    },
    outputs={
        "servedModel": Field(kind="string", doc="The name to ask for.", required=True),
        "drift": DRIFT,
    },
    refresh_before_update=True,
    import_id="its base URL; with `#model` after it where it has several models",
)


def preview(inputs: State, state: State | None) -> State:
    """A name that is given is known; so is one that was found before."""
    served = inputs.get("model") or (state or {}).get("servedModel", UNKNOWN)
    return {"servedModel": served, "drift": None}


def create(inputs: State, context: Context) -> Created:
    """Prove that the server answers for the model."""
    return Created(id=inputs["url"], state=_proven(inputs, context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """A server that is silent stays in state; the next `up` asks for the proof again."""
    if not state:
        return _standing(id_, context)
    answer = _ask(inputs or state, "/models", None, context, timeout_s=_GLANCE_S)
    found = None
    if not answer.is_good:
        found = f"{id_} does not answer: {answer}"
    elif state["servedModel"] not in _names(answer):
        found = f"{id_} has no {state['servedModel']} any more"
    return Found(state={**state, "drift": found}, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:  # noqa: ARG001
    """Prove that the server answers for the model."""
    return _proven(inputs, context)


def delete(id_: str, state: State, context: Context) -> None:
    """The server is not ours."""


def _standing(id_: str, context: Context) -> Found | None:
    """A server that is there, with what it says of itself; nobody there is no server."""
    url, _, name = id_.partition("#")
    inputs: State = {"url": url, "timeoutSeconds": SHAPE.inputs["timeoutSeconds"].default}
    if name:
        inputs["model"] = name
    answer = _ask(inputs, "/models", None, context, timeout_s=_GLANCE_S)
    if answer.fault or (name and answer.is_good and name not in _names(answer)):
        return None
    _raise_if_final(answer, url)
    served = _served(inputs, _names(answer))
    inputs["task"] = _task(inputs, served, context)
    return Found(id=url, state={**inputs, "servedModel": served}, inputs=inputs)


def _task(inputs: State, served: str, context: Context) -> str:
    """What the server does with the model, found out by asking for it."""
    for task in (_CHAT_TASK, _EMBEDDING_TASK):
        if _use({**inputs, "task": task}, served, context, timeout_s=_ANSWER_S).is_good:
            return task
    message = f"{inputs['url']}: {served} answers neither chats nor embeddings; see that it serves"
    raise MoorageError(message, exit_code=Exit.UNANSWERED)


def _proven(inputs: State, context: Context) -> State:
    url = inputs["url"]
    began_s = time.monotonic()
    end_s = min(began_s + inputs["timeoutSeconds"], context.deadline_s)
    while True:
        answer = _ask(inputs, "/models", None, context, timeout_s=_within(_GLANCE_S, end_s))
        if answer.is_good:
            served = _served(inputs, _names(answer))
            answer = _use(inputs, served, context, timeout_s=_within(_ANSWER_S, end_s))
            if answer.is_good:
                return {**inputs, "servedModel": served}
        _raise_if_final(answer, url)
        if time.monotonic() + _PAUSE_S >= end_s:
            message = (
                f"{url} does not serve after {time.monotonic() - began_s:.0f} s: {answer};"
                " start the server there, or correct the address"
            )
            raise MoorageError(message, exit_code=Exit.UNANSWERED)
        context.progress(f"waiting for {url}: {answer}")
        context.pause(_PAUSE_S)


def _within(wanted_s: float, end_s: float) -> float:
    return max(0.1, min(wanted_s, end_s - time.monotonic()))


def _use(inputs: State, served: str, context: Context, *, timeout_s: float) -> probe.Answer:
    path, body = ask.smallest(inputs["task"], served) or ("/models", None)
    return _ask(inputs, path, body, context, timeout_s=timeout_s)


def _ask(
    inputs: State, path: str, body: Any, context: Context, *, timeout_s: float
) -> probe.Answer:
    question = probe.Question(
        url=inputs["url"].rstrip("/") + path,
        body=None if body is None else json.dumps(body),
        key=inputs.get("apiKey"),
    )
    answer = probe.ask(question, timeout_s=timeout_s, given_up=context.cancelled.is_set)
    if answer is None:
        raise Cancelled
    return answer


def _raise_if_final(answer: probe.Answer, url: str) -> None:
    if (refusal := ask.refused(answer, url)) is not None:
        raise MoorageError(refusal, exit_code=Exit.UNANSWERED)


def _names(answer: probe.Answer) -> list[str]:
    with suppress(ValueError, KeyError, TypeError):
        return [str(model["id"]) for model in json.loads(answer.text)["data"]]
    return []


def _served(inputs: State, names: list[str]) -> str:
    """The one name to use, without guessing."""
    if given := inputs.get("model"):
        return str(given)
    if len(names) == 1:
        return names[0]
    hint = inputs.get("modelHint")
    if hint in names:
        return str(hint)
    message = (
        f"{inputs['url']} has {', '.join(sorted(names)) or 'no models'}"
        f" and none is called {hint or 'as the spec says'}; name one of them as model"
    )
    raise MoorageError(message)


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    preview=preview,
)
