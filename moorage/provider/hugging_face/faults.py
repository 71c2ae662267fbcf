"""What Hugging Face answers instead of doing what was asked, each as one line for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from moorage.errors import Exit, MoorageError
from moorage.provider.hugging_face.exchange import Answer
from moorage.provider.secrets import MASK

_MOST_WORDS: Final = 300
_CLIENT_FAULT: Final = 400
_SERVER_FAULT: Final = 500
_PASSING: Final = frozenset({408, 425, 429})  # asking again later may help, and changes nothing
_TOO_OFTEN: Final = 429
_SCOPE: Final = "inference.endpoints.write"
_MODELS: Final = "/api/models/"


class PassingError(MoorageError):
    """The service could not be asked just now; it is not known how things stand."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What was asked for, in words: `acme/chat`, of the account `acme`."""

    what: str
    account: str
    token: str | None = field(default=None, repr=False)  # which no message may show
    scope: str = _SCOPE
    variable: str = "HF_TOKEN"  # where the token comes from


def is_passing(answer: Answer) -> bool:
    """Whether the same question may be answered better in a moment."""
    silent = answer.status == 0 or (answer.is_good and answer.json is None)
    return silent or answer.status in _PASSING or answer.status >= _SERVER_FAULT


def is_too_often(answer: Answer) -> bool:
    """Whether it was refused only for how much was asked, so that nothing was done."""
    return answer.status == _TOO_OFTEN


def leaves_doubt(answer: Answer) -> bool:
    """Whether nobody can say what came of the question."""
    return is_passing(answer) and not is_too_often(answer)


def fail(answer: Answer, asked: Asked) -> NoReturn:
    """Raise the line that says what the answer means and what to do."""
    line = told(answer, asked)
    if is_passing(answer):
        raise PassingError(line)
    raise MoorageError(line, exit_code=Exit.UNANSWERED)


def told(answer: Answer, asked: Asked) -> str:
    """The line."""
    if answer.status == 0:
        return f"{asked.what}: Hugging Face gave no answer: {answer.fault}; run up again later"
    if answer.is_good:
        return f"{asked.what}: what answers is not Hugging Face's API; check the address of it"
    explained = _LINES.get(answer.status, _other)
    return f"{asked.what}: {explained(asked, answer, says(answer, asked.token))}"


def says(answer: Answer, token: str | None = None) -> str:
    """The service's own words, on one line and without the token."""
    words = " ".join((_message(answer.json) or answer.text).split())
    words = words.replace(token, MASK) if token else words
    if words.startswith("<"):
        return ""  # a page for people, of whatever stands between
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}..."


def _message(body: Any) -> str:
    """`error` may be a text or an object; some answers have `message` or a list of `errors`."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return ", ".join(filter(None, map(_message, body)))
    if isinstance(body, Mapping):
        parts = (_message(body.get(name)) for name in ("error", "message", "errors", "detail"))
        return next(filter(None, parts), "")
    return ""


def _quoted(words: str) -> str:
    return f": {words}" if words else ""


def _unauthorised(asked: Asked, _answer: Answer, _words: str) -> str:
    known = f"set {asked.variable} to a token that is valid"
    return f"Hugging Face does not know the token (401); {known}"


def _unpaid(asked: Asked, _answer: Answer, words: str) -> str:
    where = "https://huggingface.co/settings/billing"
    return f"{asked.account} cannot pay for it (402){_quoted(words)}; see {where}"


def _forbidden(asked: Asked, _answer: Answer, words: str) -> str:
    if "quota" in words.lower():
        more = "pause something, ask for more at https://endpoints.huggingface.co, or plan for less"
        return f"the quota of {asked.account} does not allow it (403): {words}; {more}"
    need = f"give the token of {asked.variable} the permission {asked.scope} for {asked.account}"
    return f"the token may not do this (403){_quoted(words)}; {need}"


def _missing(asked: Asked, _answer: Answer, words: str) -> str:
    return f"not there (404){_quoted(words)}; check the name and the account {asked.account}"


def _conflict(_asked: Asked, _answer: Answer, words: str) -> str:
    return f"it is being changed by somebody else (409){_quoted(words)}; run up again"


def _too_often(_asked: Asked, answer: Answer, words: str) -> str:
    wait = f" in {answer.retry_after_s:.0f} s" if answer.retry_after_s else " later"
    return f"Hugging Face was asked too often (429){_quoted(words)}; run up again{wait}"


def _refused(_asked: Asked, answer: Answer, words: str) -> str:
    why = words or "it does not say why"
    return f"Hugging Face refuses it ({answer.status}): {why}; correct what it names"


def _other(asked: Asked, answer: Answer, words: str) -> str:
    if _CLIENT_FAULT <= answer.status < _SERVER_FAULT and not is_passing(answer):
        return _refused(asked, answer, words)
    who = "fails" if answer.status >= _SERVER_FAULT else "answers"
    return f"Hugging Face {who} ({answer.status}){_quoted(words)}; run up again later"


def _renamed(asked: Asked, answer: Answer, words: str) -> str:
    """As the Hub answers to a model's earlier name."""
    path = urlsplit(answer.headers.get("location", "")).path
    if not path.startswith(_MODELS):
        return _other(asked, answer, words)
    return f"it is called {path.removeprefix(_MODELS)} by now; declare it by that name"


_LINES: Final[Mapping[int, Callable[[Asked, Answer, str], str]]] = {
    307: _renamed,
    400: _refused,
    401: _unauthorised,
    402: _unpaid,
    403: _forbidden,
    404: _missing,
    409: _conflict,
    422: _refused,
    429: _too_often,
}
