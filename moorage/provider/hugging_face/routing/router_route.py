"""RouterRoute: a way through the Hugging Face router; proven, never created."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import (
    DRIFT,
    Context,
    Created,
    Failure,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.hugging_face.faults import PassingError
from moorage.provider.hugging_face.routing import look, route_proof, routes
from moorage.provider.hugging_face.routing.routes import POLICIES, Served
from moorage.provider.values import UNKNOWN

_MODEL: Final = re.compile(r"[A-Za-z0-9._-]{1,96}/[A-Za-z0-9._-]{1,96}")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
_SHOWN: Final = 8  # providers named in a message


def _is_model(text: str) -> str | None:
    return None if _MODEL.fullmatch(text) else "must be a model of the Hub, as owner/name"


def _is_slug(text: str) -> str | None:
    if text in ("auto", *POLICIES):
        return "must be one provider; where the router may choose, name a policy instead"
    return None if _SLUG.fullmatch(text) else "must be a provider's slug such as together"


SHAPE: Final = Shape(
    doc="A way through the Hugging Face router to a model; it is proven, not created.",
    inputs={
        "model": Field(
            kind="string",
            doc="The model, as the Hub calls it.",
            required=True,
            replaces=True,
            rule=_is_model,
        ),
        "task": Field(
            kind="string",
            doc="What the model is for, in the Hub's words.",
            default=routes.CHAT,
            replaces=True,
        ),
        "provider": Field(
            kind="string",
            doc="The one provider that may answer; the router never fails over from it.",
            replaces=True,
            rule=_is_slug,
        ),
        "policy": Field(
            kind="string",
            doc="How the router chooses among all that serve the model, where none is pinned.",
            choices=POLICIES,
            replaces=True,
        ),
        "billTo": Field(
            kind="string", doc="The organisation that pays, or the id of its resource group."
        ),
        "minContext": Field(
            kind="integer", doc="How many tokens a request may have at least.", least=1
        ),
        "maxUsdPerMtokInput": Field(
            kind="number", doc="The most that a million tokens of prompts may cost.", least=0
        ),
        "maxUsdPerMtokOutput": Field(
            kind="number", doc="The most that a million tokens of answers may cost.", least=0
        ),
        "prove": Field(
            kind="boolean",
            doc="Whether one request of one token is sent, and paid, as a proof.",
            default=False,
        ),
    },
    outputs={
        "url": Field(kind="string", doc="Base URL for OpenAI's clients.", required=True),
        "servedModel": Field(kind="string", doc="The name to ask for.", required=True),
        "providers": Field(kind="list", doc="Who may answer.", required=True),
        "contextTokens": Field(
            kind="integer", doc="How many tokens each of them takes; empty where one is silent."
        ),
        "inputUsdPerMtok": Field(
            kind="number", doc="What a million tokens of prompts cost at the dearest of them."
        ),
        "outputUsdPerMtok": Field(
            kind="number", doc="What a million tokens of answers cost at the dearest of them."
        ),
        "drift": DRIFT,
    },
    timeout_s=300.0,
    import_id="`owner/name:provider`, or `owner/name:policy` where the router chooses",
    example=(
        "from moorage.resources import RouterRoute\n\n"
        'RouterRoute("chat", model="Qwen/Qwen3-8B", provider="together", bill_to="acme")'
    ),
)


def check(inputs: State) -> list[Failure]:
    """Either a provider is pinned, or a policy says how one is chosen."""
    given = [name for name in ("provider", "policy") if inputs.get(name) is not None]
    if len(given) != 1:
        says = "name either a provider or a policy"
        return [Failure(name="provider", reason=f"{says}, not both" if given else says)]
    if given == ["policy"] and not routes.chats(inputs["task"]):
        reason = f"the router chooses for chats only; name a provider for {inputs['task']}"
        return [Failure(name="policy", reason=reason)]
    return []


def preview(inputs: State, state: State | None) -> State:  # noqa: ARG001
    """Of a chat the way is known; the other tasks have the provider's own name for the model."""
    known = [inputs.get(name) for name in ("model", "task", "provider", "policy")]
    if UNKNOWN in known or not routes.chats(inputs["task"]):
        return {"drift": None}
    return {
        "url": f"{look.router().url}/v1",
        "servedModel": _id(inputs),
        "drift": None,
    }


def create(inputs: State, context: Context) -> Created:
    """Prove that the way leads to the model."""
    return Created(id=_id(inputs), state=_proven(inputs, context))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """A way that is closed stays in state and says why; the next `up` asks for the proof again."""
    if not state:
        return _standing(id_, context)
    declared = {name: value for name, value in state.items() if name in SHAPE.inputs}
    wanted = inputs or declared
    try:
        served = routes.ask(wanted["model"], context)
        found = _state(wanted, served or ())
    except MoorageError as error:
        if isinstance(error, PassingError) or error.exit_code == Exit.INTERRUPTED:
            raise
        return Found(state={**state, "drift": str(error)}, inputs=wanted)
    return Found(state=found, inputs=wanted)


def update(id_: str, state: State, inputs: State, context: Context) -> State:  # noqa: ARG001
    """Prove it again."""
    return _proven(inputs, context)


def delete(id_: str, state: State, context: Context) -> None:
    """There is nothing to take away."""


def _standing(id_: str, context: Context) -> Found | None:
    """A way that is open, with what would declare it."""
    model, _, suffix = id_.rpartition(":")
    if not _MODEL.fullmatch(model):
        message = f"{id_}: not a way through the router; write owner/name:provider"
        raise MoorageError(message)
    served = routes.ask(model, context)
    pinned = suffix not in POLICIES
    rows = [row for row in served or () if not pinned or row.provider == suffix]
    if not rows:
        return None
    inputs: State = {
        "model": model,
        "task": _task(rows),
        "provider" if pinned else "policy": suffix,
        "prove": False,
    }
    return Found(state=_state(inputs, served or ()), inputs=inputs)


def _task(rows: list[Served]) -> str:
    """The Hub's word for what a provider does with the model; a chat, where that is among it."""
    tasks = [row.task for row in rows]
    return routes.CHAT if "conversational" in tasks else tasks[0]


def _proven(inputs: State, context: Context) -> State:
    served = routes.ask(inputs["model"], context)
    if served is None:
        message = f"the Hub has no model {inputs['model']}, or not for this token"
        raise MoorageError(message, exit_code=Exit.PROBLEMS)
    state = _state(inputs, served)
    route_proof.check_payer(inputs, context)
    if inputs["prove"]:
        route_proof.prove(inputs, state, context)
    return state


def _state(inputs: State, served: tuple[Served, ...]) -> State:
    """What the way is, or the one line that says why it will not do."""
    rows = _chosen(inputs, routes.usable(served, inputs["task"]))
    wrong = [(row.provider, fault) for row in rows for fault in routes.faults(row, inputs)]
    if wrong:
        raise _refused(inputs, f"{wrong[0][0]} will not do: {wrong[0][1]}")
    first = rows[0]
    served_model = _id(inputs) if routes.chats(inputs["task"]) else first.provider_id
    return {
        **inputs,
        "url": f"{look.router().url}{routes.base(first.provider, inputs['task'])}",
        "servedModel": served_model or inputs["model"],
        "providers": [row.provider for row in rows],
        "contextTokens": _known(min, [row.context for row in rows]),
        "inputUsdPerMtok": _known(max, [row.input_usd for row in rows]),
        "outputUsdPerMtok": _known(max, [row.output_usd for row in rows]),
        "drift": None,
    }


def _known(worst: Callable[[list[Any]], Any], values: list[Any]) -> Any:
    """The worst of them; None where one is not told."""
    return None if None in values else worst(values)


def _chosen(inputs: State, known: Mapping[str, Served]) -> list[Served]:
    """The pinned provider; under a policy everybody whom the router could choose."""
    pinned = inputs.get("provider")
    if pinned is not None and pinned not in known:
        others = ", ".join(sorted(known)[:_SHOWN]) or "nobody"
        raise _refused(inputs, f"{pinned} does not serve it; {others} does")
    if pinned is not None:
        return [known[pinned]]
    live = [row for _, row in sorted(known.items()) if row.status == "live"]
    if not live:
        raise _refused(inputs, "no provider is live for it")
    return live


def _refused(inputs: State, why: str) -> MoorageError:
    says = f"{inputs['model']} for {inputs['task']} through the router: {why}"
    return MoorageError(says, exit_code=Exit.PROBLEMS)


def _id(inputs: State) -> str:
    return f"{inputs['model']}:{inputs.get('provider') or inputs.get('policy')}"


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    check=check,
    preview=preview,
    needs=("huggingface_hub.hf_api",),
)
