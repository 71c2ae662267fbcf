"""What no listing tells of a route: that its payer may pay, and that it answers."""

from __future__ import annotations

import re
from typing import Any, Final

from moorage import login
from moorage.errors import Exit, MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face.faults import Asked, fail
from moorage.provider.hugging_face.routing import look
from moorage.provider.serving import ask

_ANSWER_S: Final = 60.0  # for one token
_SCOPE: Final = "inference.serverless.write"
_SHOWN: Final = 8  # organisations named in a message
# A resource group of an organisation: no listing that this token may read tells whose it is.
_GROUP: Final = re.compile(r"[0-9a-f]{24}")


def check_payer(inputs: State, context: Context) -> None:
    """The organisation that is to pay must be one of the token's own; a group is taken as it is."""
    payer = inputs.get("billTo")
    if payer is None or _GROUP.fullmatch(payer):
        return
    hub = look.Host(url=look.hub().url, token=login.asking_token())
    answer = look.read(hub, "/api/whoami-v2", context)
    told = answer.json if answer.is_good else None
    if not isinstance(told, dict):
        fail(answer, _asked(payer, f"whose token that is, to bill {payer}"))
    orgs = [org.get("name") for org in told.get("orgs") or () if isinstance(org, dict)]
    if payer not in orgs:
        known = ", ".join(map(str, orgs[:_SHOWN])) or "no organisation"
        message = f"billTo {payer}: the token belongs to {known}; name one of those that may pay"
        raise MoorageError(message, exit_code=Exit.PROBLEMS)


def prove(inputs: State, state: State, context: Context) -> None:
    """One request, paid once: it is never sent again by itself."""
    router, payer = look.router(), inputs.get("billTo")
    path, body = _question(inputs["task"], state["servedModel"])
    way = state["url"].removeprefix(router.url)
    headers = {"X-HF-Bill-To": payer} if payer else {}
    asked = look.post(router, f"{way}{path}", body, headers)
    answer = look.ask(asked, context, timeout_s=_ANSWER_S)
    if not answer.is_good:
        fail(answer, _asked(payer or "the token's account", state["servedModel"]))


def _asked(account: str, what: str) -> Asked:
    return Asked(
        what=what,
        account=account,
        token=login.asking_token(),
        scope=_SCOPE,
        variable=login.asking_variable(),
    )


def _question(task: str, model: str) -> tuple[str, dict[str, Any]]:
    if task == "text-to-speech":
        return "/audio/speech", {"model": model, "input": ask.PING}
    embedding = {"model": model, "input": ask.PING}
    return ask.smallest(task, model) or ("/embeddings", embedding)
