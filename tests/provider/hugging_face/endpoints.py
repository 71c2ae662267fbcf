"""What the tests of InferenceEndpoint share: inputs, a twin to work on, and time that flies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from moorage.provider.hugging_face import client
from moorage.provider.hugging_face.endpoints import (
    endpoint_price,
    endpoint_states,
    endpoint_wait,
    endpoint_writes,
    watch,
)
from moorage.provider.testing.client import Client, InitFailed, Refused
from moorage.provider.testing.stage import is_one_line
from moorage.provider.values import decode
from moorage.twin import face
from tests.provider import impatient

TOKEN: Final = "moorage:index:InferenceEndpoint"
OWNER: Final = "shop/prod/chat"
ID: Final = "acme/chat"
INPUTS: Final[dict[str, Any]] = {
    "name": "chat",
    "namespace": "acme",
    "owner": OWNER,
    "vendor": "aws",
    "region": "eu-west-1",
    "repository": "acme/chat",
    "revision": "0" * 40,
    "task": "text-generation",
    "accelerator": "gpu",
    "instanceType": "nvidia-l4",
    "instanceSize": "x1",
    "engine": "vllm",
    "image": "vllm/vllm-openai:v0.33.0",
    "access": "private",
    "readyTimeoutSeconds": 20,
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """What state knows of an endpoint after a call."""

    id: str
    state: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class World:
    """A twin, and the provider that works on it as the engine would."""

    twin: face.Twin
    provider: Client

    def checked(self, **changes: Any) -> dict[str, Any]:
        """Inputs as the engine gives them; None takes one away."""
        wanted = {name: one for name, one in {**INPUTS, **changes}.items() if one is not None}
        answer, failures = self.provider.check(wanted)
        assert not failures, failures
        return answer.plain

    def create(self, **changes: Any) -> Made:
        answer = self.provider.create(self.checked(**changes))
        return Made(id=answer.id, state=decode(answer.properties).plain)

    def update(self, made: Made, **changes: Any) -> Made:
        answer = self.provider.update(made.id, made.state, self.checked(**changes))
        return Made(id=made.id, state=decode(answer.properties).plain)

    def read(self, made: Made, **changes: Any) -> Made | None:
        found = self.provider.read(made.id, made.state, self.checked(**changes))
        state = decode(found.properties).plain
        return Made(id=found.id, state=state) if found.HasField("properties") else None

    def delete(self, made: Made) -> None:
        self.provider.delete(made.id, made.state)

    def failed(self, call: Callable[[], object]) -> tuple[str, Made | None]:
        """The line that a call ends with, and what is in state all the same."""
        with pytest.raises((Refused, InitFailed)) as caught:
            call()
        return self.told(caught.value)

    def told(self, error: Exception) -> tuple[str, Made | None]:
        """The same of a call that has ended."""
        line = str(error)
        is_one_line(line)
        assert not any(token in line for token in self.twin.world.people.texts()), line
        if isinstance(error, InitFailed):
            return line, Made(id=error.id, state=error.properties.plain)
        return line, None

    def sent(self, method: str = "") -> list[str]:
        """The writes to the API, or the requests of one method, in order."""
        asked = [one for one in self.twin.requests if one.host == "endpoints"]
        return [
            f"{one.method} {one.path}"
            for one in asked
            if (one.method == method if method else one.method != "GET")
        ]


@contextmanager
def world(
    provider: Client, monkeypatch: pytest.MonkeyPatch, scenario: face.Scenario | None = None
) -> Iterator[World]:
    """A twin, with its addresses and tokens in the environment."""
    with face.serve(scenario) as twin:
        for name, value in twin.environment().items():
            monkeypatch.setenv(name, value)
        provider.token = TOKEN
        yield World(twin=twin, provider=provider)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause be longer than the twin needs; nothing else is changed."""
    impatient.hurry(monkeypatch)
    monkeypatch.setattr(endpoint_writes, "_LOOKS_S", (0.0, 0.01, 0.02))
    monkeypatch.setattr(endpoint_writes, "_TRIES_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr(endpoint_writes, "_ENDING_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr(endpoint_writes, "_ENDING_LONG_S", 0.05)
    monkeypatch.setattr(endpoint_wait, "_LOADING_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr(endpoint_states, "_SETTLED_S", 0.5)
    monkeypatch.setattr(endpoint_price, "_BELIEVED_S", 0.0)
    monkeypatch.setattr(watch, "gap_s", lambda age_s, waiters: 0.05)
    monkeypatch.setattr(client, "_own_accounts", {})
