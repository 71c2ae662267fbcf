"""The stage of the handlers' contract: what a subclass gives, and how its handler is driven."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

import pytest

from moorage.provider import locate
from moorage.provider.handler import Handler, State
from moorage.provider.package import Package
from moorage.provider.testing import samples, trial
from moorage.provider.testing.client import Client, EngineEar, InitFailed, Refused, served
from moorage.provider.testing.trial import Trials
from moorage.provider.values import decode, has_unknown

Missing = Literal["remote", "foreign", "wait", "id", "import"]

_PATIENCE_S: Final = 30.0
_MOST_POINTS: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What a create has made, and of what."""

    id: str
    declared: State
    state: State


class Stage:
    """One resource type and the world behind it.

    lacks: what this kind of resource has not got, and why, of
        remote: it makes nothing that could be listed, doubled or left behind;
        foreign: nobody else can have a thing of its name;
        wait: it is ready as soon as it exists;
        id: it cannot be read by the id that create gave it;
        import: it cannot be imported.
    unreadable: inputs that the real thing never gives back, and why.
    effects: the audit events of Python that count as touching the world outside.
    """

    package: ClassVar[Package]
    token: ClassVar[str]
    config: Mapping[str, Any] = MappingProxyType({})  # of the provider; `world` may set it
    lacks: ClassVar[Mapping[Missing, str]] = {}
    unreadable: ClassVar[Mapping[str, str]] = {}
    effects: ClassVar[frozenset[str]] = trial.EFFECTS
    short_s: ClassVar[float] = 1.0  # a custom timeout, ended in the middle of a wait

    client: Client
    ear: EngineEar

    # --- to be given by the subclass

    def inputs(self) -> State:
        """Inputs as a program gives them; every secret input among them."""
        raise NotImplementedError

    def changed(self) -> State:
        """The inputs with a change that is made in place."""
        raise NotImplementedError

    def replaced(self) -> State:
        """The inputs with a change that asks for a new thing."""
        raise NotImplementedError

    def waiting(self) -> State:
        """Inputs of a thing that exists soon and is not ready for a minute or more."""
        raise NotImplementedError

    def things(self) -> Mapping[str, Any]:
        """What exists in the world, foreign things included: key -> anything comparable."""
        raise NotImplementedError

    def plant_foreign(self) -> None:
        """Put a thing that is not ours where `inputs` would put one."""
        raise NotImplementedError

    def remove(self, id_: str) -> None:
        """Take the thing away behind our back."""
        raise NotImplementedError

    def import_id(self, id_: str) -> str:
        """What a user gives to `import` for the thing of this id."""
        return id_

    def missing_id(self, made: Made) -> str:
        """What a user gives to `import` for a thing that is not there any more."""
        return self.import_id(made.id)

    def writes(self) -> int | None:
        """How many calls have changed the world so far, where it can be told."""
        return None

    def secret_texts(self) -> tuple[str, ...]:
        """Secrets besides those that inputs and outputs declare."""
        return ()

    @staticmethod
    def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
        """Override it to cut short what the handler pauses, in every process that calls it."""

    # --- the provider, in this process and in others

    @pytest.fixture(scope="class", name="_provided")
    @classmethod
    def _provide(cls) -> Iterator[tuple[EngineEar, Client]]:
        with EngineEar() as ear, served(ear) as start:
            client = start(cls.package)
            client.token = cls.token
            yield ear, client

    @pytest.fixture
    def world(self) -> object:
        """Override it to set the world up before a test, and to take it down afterwards."""

    @pytest.fixture(autouse=True)
    def _stage(
        self,
        world: object,  # noqa: ARG002
        _provided: tuple[EngineEar, Client],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.hurry(monkeypatch)
        self.ear, self.client = _provided
        self.ear.lines.clear()
        self.client.heard.clear()
        self.client.secrets = frozenset()
        self.client.configure(dict(self.config))

    @pytest.fixture(scope="class", name="_forking")
    @classmethod
    def _fork(cls, request: pytest.FixtureRequest) -> Iterator[Trials]:
        file, name = str(request.path), cls.__qualname__
        with trial.trials(
            cls.__module__, file, f"{name}.package", cls.effects, hurry=f"{name}.hurry"
        ) as running:
            yield running

    @pytest.fixture
    def tried(self, _forking: Trials) -> Trials:
        """Calls in processes that may be killed."""
        _forking.config = self.config
        return _forking

    @property
    def _handler(self) -> Handler:
        return self.package.handlers[self.token]

    def _needs(self, *capabilities: Missing) -> None:
        for each in capabilities:
            if each in self.lacks:
                pytest.skip(self.lacks[each])

    def _needs_update(self) -> None:
        if self._handler.update is None:
            pytest.skip("nothing is changed in place: every change of an input replaces it")

    # --- what is done again and again

    def _checked(self, inputs: State) -> State:
        answer, failures = self.client.check(inputs)
        assert not failures, f"the inputs are refused: {failures}"
        self.client.secrets = answer.secrets
        return answer.plain

    def _made(self) -> Made:
        declared = self._checked(self.inputs())
        answer = self.client.create(declared)
        return Made(id=answer.id, declared=declared, state=decode(answer.properties).plain)

    def _world(self) -> Mapping[str, Any]:
        return {} if "remote" in self.lacks else self.things()

    def _one_thing(self, at: str = "") -> None:
        things = self._world()
        assert "remote" in self.lacks or len(things) == 1, f"{at} there are {list(things)}"

    def _difference(self, made: Made, inputs: State) -> Any:
        return self.client.diff(made.declared, inputs, **made.state)

    def _is_same(self, made: Made, *, besides: Mapping[str, str] | None = None) -> None:
        """The program's inputs differ in nothing from what is known of the thing."""
        difference = self._difference(made, self._checked(self.inputs()))
        paths = [path for path in difference.detailedDiff if _root(path) not in (besides or {})]
        assert not paths, f"the same program would change {', '.join(paths)}"

    def _declares(self, found: Any, declared: State) -> None:
        """What was read by its id would declare the thing anew."""
        inputs, failures = self.client.check(decode(found.inputs).plain)
        assert not failures, f"the inputs that were read are refused: {failures}"
        names = (declared.keys() | inputs.plain.keys()) - self.unreadable.keys()
        wrong = [name for name in names if inputs.plain.get(name) != declared.get(name)]
        assert not wrong, f"read otherwise than declared: {', '.join(sorted(wrong))}"

    def _is_as(self, made: Made, declared: State, at: str) -> None:
        by_id = "id" not in self.lacks
        found = self.client.read(made.id, *(({}, {}) if by_id else (made.state, declared)))
        assert found.HasField("properties"), f"{at}: it was made again, and is not found"
        self._declares(found, declared)

    def _ends_partly(self, call: Callable[[], object]) -> InitFailed | Refused:
        """The call fails, and what exists by then is told with its id."""
        with pytest.raises((InitFailed, Refused)) as failed:
            call()
        is_one_line(str(failed.value))
        if "remote" not in self.lacks:
            assert isinstance(failed.value, InitFailed), f"the thing is lost: {failed.value}"
            assert failed.value.id, "the thing is told without its id"
            self._one_thing()
        assert isinstance(failed.value, InitFailed | Refused)
        return failed.value

    def _until(self, true: Callable[[], object]) -> None:
        end_s = time.monotonic() + _PATIENCE_S
        while not true():
            assert time.monotonic() < end_s, "nothing came to exist"
            time.sleep(0.01)

    def _located(self, declared: State) -> str | None:
        question = {"type": self.token, "urn": "urn", "inputs": declared}
        answers = io.StringIO()
        locate.main(self.package.handlers, [json.dumps(question)], answers)
        found: str | None = json.loads(answers.getvalue())["id"]
        return found

    def _previews(self, made: Made, inputs: State) -> Iterator[tuple[str, Any]]:
        yield "Check", self.client.check_request(inputs)
        yield "Diff", self.client.diff_request(made.declared, inputs, **made.state)
        yield "Create", self.client.create_request(inputs, preview=True)
        if self._handler.update is not None:
            yield "Update", self.client.update_request(made.id, made.state, inputs, preview=True)

    def _killed(
        self, tried: Trials, method: str, request: Callable[[], tuple[Made, Any]]
    ) -> Iterator[tuple[str, Made]]:
        """The call dies at its first effect, at its second, and so on until it passes through."""
        for number in range(1, _MOST_POINTS):
            made, asked = request()
            outcome = tried.call(method, asked, kill_at=number)
            assert outcome.was_killed or outcome.fault is None, f"{method}: {outcome.fault}"
            yield f"{method} killed after {['nothing', *outcome.effects][-1]}", made
            if not outcome.was_killed:
                assert outcome.effects, f"{method} has no effect that is seen; name its `effects`"
                return
        pytest.fail(f"{method} has more than {_MOST_POINTS} effects")

    def _whole_life(self) -> frozenset[str]:
        """Every call that there is, those that fail among them; the secrets that occurred."""
        given = {**self.inputs(), **self.changed()}
        fields = self._handler.shape.inputs
        for name, one in fields.items():
            assert not one.secret or name in given, f"give the secret input {name}, to look for it"
        made = self._made()
        self._read_and_change(made)
        self.client.delete(made.id, made.state)
        self._fail()
        marked = map(samples.secret_texts, self.client.heard)
        return frozenset(self.secret_texts()).union(*marked)

    def _read_and_change(self, made: Made) -> None:
        inputs = self._checked(self.inputs()), self._checked(self.changed())
        self.client.read(made.id, made.state, made.declared)
        if "id" not in self.lacks:
            self.client.read(made.id, {}, {})
        if "import" not in self.lacks:
            self.client.read(self.import_id(made.id), {}, {})
        self.client.create(inputs[0], preview=True)
        self._difference(made, inputs[1])
        if self._handler.update is not None:
            self.client.update(made.id, made.state, inputs[1], preview=True)
            self.client.update(made.id, made.state, inputs[1])

    def _fail(self) -> None:
        if "wait" not in self.lacks:
            waiting = self._checked(self.waiting())
            with suppress(Refused):
                self._delete_unready(waiting)
        if not self.lacks.keys() & {"remote", "foreign"}:
            self.plant_foreign()
            with suppress(Refused):
                self._made()

    def _delete_unready(self, waiting: State) -> None:
        try:
            self.client.create(waiting, timeout=self.short_s)
        except InitFailed as failed:
            self.client.delete(failed.id, failed.properties.plain)


def of(found: Any) -> Made:
    """What a read has found."""
    inputs, state = decode(found.inputs).plain, decode(found.properties).plain
    return Made(id=found.id, declared=inputs, state=state)


def is_one_line(message: str) -> None:
    """As every message to users is."""
    assert message, "the message is empty"
    assert "\n" not in message, f"the message has several lines: {message}"
    assert "Traceback" not in message, f"the message shows Python: {message}"
    assert not message.startswith("unexpected fault"), f"not foreseen: {message}"


def comes_true(foreseen: State, state: State) -> None:
    """Every output that was known beforehand is as it was foreseen."""
    known = {name: value for name, value in foreseen.items() if not has_unknown(value)}
    wrong = [name for name, value in known.items() if state.get(name) != value]
    assert not wrong, f"foreseen otherwise than it came: {', '.join(wrong)}"


def _root(path: str) -> str:
    return path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
