"""Pulumi's resource provider protocol, spoken for the handlers."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct

from moorage.errors import GOES_ON, Exit, MoorageError
from moorage.provider import answers, check, diff, secrets, unfinished
from moorage.provider.calls import Call, Calls, Fault, fault_of
from moorage.provider.engine_log import EngineLog
from moorage.provider.handler import Context, Created, Failure, Found, Handler, Severity, State
from moorage.provider.package import Package
from moorage.provider.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc
from moorage.provider.values import (
    UNKNOWN,
    Path,
    Properties,
    amend,
    decode,
    decode_beside,
    decode_one,
    drop_hollow,
    has_unknown,
)

_Method = Callable[[Any, Any, Any], Coroutine[Any, Any, Any]]


def _in_one_line(method: _Method) -> _Method:
    """A method whose faults, whoever made them, reach the engine in one line each."""

    @functools.wraps(method)
    async def call(self: Provider, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001  else its class is what users read
            await self.fail_unforeseen(error, request, context)

    return call


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The servicer of one package; handlers run in threads, at most 64 at a time."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._handlers = package.handlers
        self._log = EngineLog()
        self._calls = Calls()
        self._config: Mapping[str, Any] = {}
        self._sealed: frozenset[str] = frozenset()  # the texts of what is secret in it
        # By type and id, and under which URN: what this run has made or adopted, and what it keeps.
        self._made: dict[tuple[str, str], str] = {}
        self._kept: dict[tuple[str, str], str] = {}
        self._checked: dict[str, tuple[Struct, State]] = {}  # the last answer for each URN

    async def close(self) -> None:
        """End all waiting, once it is known of every call what it made; let go of the engine."""
        await self._calls.drain()
        await self._log.close()

    # --- the plugin itself

    async def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Say what we understand, and hear where the engine listens."""
        await self._log.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    async def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Serve an engine that did not start us (PULUMI_DEBUG_PROVIDERS)."""
        await self._log.connect(request.address)
        return Empty()

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Say our version."""
        return plugin_pb2.PluginInfo(version=self._package.version)

    async def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Give the package schema, derived from the handlers' shapes."""
        from moorage.provider import schema  # which runs do not need

        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema.build(self._package)))

    async def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Judge the configuration; keys that are not declared are the program's own."""
        news = decode(request.news)
        _, failures = configured(self._package, news.plain)
        marked = news.secrets | self._secret_settings()
        return provider_pb2.CheckResponse(
            inputs=request.news, failures=answers.check_failures(failures, news.plain, marked)
        )

    async def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """No configuration asks for resources to be replaced."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Begin a run; one that was cancelled before does not count any more."""
        self._calls.begin()
        self._made.clear()
        self._kept.clear()
        self._checked.clear()
        given = decode(request.args)
        self._config, _ = configured(self._package, given.plain)
        self._sealed = secrets.texts(self._config, given.secrets | self._secret_settings())
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End all waiting now."""
        self._calls.cancel()
        return Empty()

    # --- resources

    @_in_one_line
    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Fill in defaults and judge the inputs."""
        handler = await self._handler(request, context)
        news = decode(request.news)
        inputs, failures = check.check(handler.shape.inputs, news.plain)
        is_known = not has_unknown(inputs)
        if is_known and not failures:
            failures = handler.check(inputs)
        marked = news.secrets | answers.declared(handler, inputs)
        answer = provider_pb2.CheckResponse(
            failures=answers.check_failures(failures, inputs, marked)
        )
        answer.inputs.CopyFrom(request.news)
        amend(answer.inputs, news, inputs, marked)
        if not is_known:
            drop_hollow(answer.inputs)
        self._checked[request.urn] = answer.inputs, inputs
        return answer

    @_in_one_line
    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare what was declared, and what Read found, with what is declared now."""
        handler = await self._handler(request, context)
        declared = request.old_inputs if request.HasField("old_inputs") else request.olds
        news = self._decoded(request)
        is_same = declared == request.news
        old_inputs = news if is_same else decode_beside(declared, request.news, news)
        state = {"drift": decode_one(request.olds, "drift")}  # all that a diff asks of it
        changes = diff.diff(handler.shape, old_inputs, state, news)
        answer = answers.diff_response(handler, handler.diff(changes, old_inputs, news))
        if not answer.replaces:
            self._kept[_token(request), request.id] = request.urn
        return answer

    @_in_one_line
    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Adopt or create, then wait until it is as it should be."""
        handler = await self._handler(request, context)
        given = decode(request.properties)
        if request.preview:
            foreseen = await self._foreseen(handler, request.urn, given, None)
            return provider_pb2.CreateResponse(properties=foreseen)
        work = functools.partial(handler.create, given.plain)
        made = await self._work(work, request, context, handler, given)
        return provider_pb2.CreateResponse(
            id=made.id,
            properties=answers.encode_outputs(handler, made.state, given),
            refresh_before_update=handler.shape.refresh_before_update,
        )

    @_in_one_line
    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Look at the thing; an answer without properties means that it is gone."""
        handler = await self._handler(request, context)
        state, inputs = decode(request.properties), decode(request.inputs)
        known = Properties(plain=state.plain, secrets=state.secrets | inputs.secrets)
        work = functools.partial(_look, handler, request.id, state.plain, inputs.plain)
        found = await self._work(work, request, context, handler, known)
        if found is None:
            return provider_pb2.ReadResponse()
        told = unfinished.kept(handler.shape, state.plain, found.state)
        return provider_pb2.ReadResponse(
            id=found.id or request.id,
            properties=answers.encode_outputs(handler, told, known),
            inputs=answers.encode_inputs(handler, found.inputs, known.secrets),
            refresh_before_update=handler.shape.refresh_before_update,
        )

    @_in_one_line
    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make the thing as declared, then wait until it is as it should be."""
        handler = await self._handler(request, context)
        state, given = decode(request.olds).plain, decode(request.news)
        if request.preview:
            foreseen = await self._foreseen(handler, request.urn, given, state)
            return provider_pb2.UpdateResponse(properties=foreseen)
        update = handler.update or functools.partial(_look_again, handler)
        work = functools.partial(update, request.id, state, given.plain)
        outputs = await self._work(work, request, context, handler, given, state)
        return provider_pb2.UpdateResponse(
            properties=answers.encode_outputs(handler, outputs, given),
            refresh_before_update=handler.shape.refresh_before_update,
        )

    @_in_one_line
    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the thing away."""
        handler = await self._handler(request, context)
        taker = self._taker(request)
        if taker is not None:
            text = f"{request.id} stays: {_name(taker)} goes on with it"
            await self._log.say_later(request.urn, Severity.WARNING, text)
            return Empty()
        state = decode(request.properties)
        work = functools.partial(handler.delete, request.id, state.plain)
        await self._work(work, request, context, handler, state)
        return Empty()

    # --- how handlers are run

    def _hidden(self, handler: Handler, given: Properties, state: State | None) -> frozenset[str]:
        """The texts that no message of a call may show."""
        texts = answers.hidden_texts(handler, given.plain, given.secrets)
        return texts | answers.hidden_texts(handler, state or {}) | self._sealed

    def _secret_settings(self) -> frozenset[Path]:
        return frozenset((name,) for name, one in self._package.config.items() if one.secret)

    def _decoded(self, request: Any) -> State:
        """The inputs of a diff, which nearly always are those that a check has just answered."""
        answered, inputs = self._checked.get(request.urn, (None, {}))
        return inputs if answered == request.news else decode(request.news).plain

    def _taker(self, request: Any) -> str | None:
        """Who goes on with a thing that is to be deleted under a name that it had before.

        A replacement or a renamed resource adopts the thing that it was to replace, in this run or
        in an earlier one that died before the delete.
        """
        thing = _token(request), request.id
        kept = self._kept.get(thing)
        return self._made.get(thing) or (kept if kept != request.urn else None)

    async def _handler(self, request: Any, context: Any) -> Handler:
        token = _token(request)
        handler = self._handlers.get(token)
        if handler is None:
            known = ", ".join(self._handlers)
            message = f"{token}: no such resource type; there are {known}"
            await _end(context, Fault(message=message), grpc.StatusCode.NOT_FOUND)
        return handler

    async def _foreseen(
        self, handler: Handler, urn: str, given: Properties, state: State | None
    ) -> Struct:
        """What is known before the run, once it is said what it will cost."""
        if text := handler.notice(given.plain, state):
            hidden = self._hidden(handler, given, state)
            await self._log.say_later(urn, Severity.WARNING, secrets.masked(text, hidden))
        return answers.encode_outputs(handler, _preview(handler, given.plain, state), given)

    async def _work(
        self,
        work: Callable[[Context], Any],
        request: Any,
        context: Any,
        handler: Handler,
        given: Properties,
        state: State | None = None,
    ) -> Any:
        """Run a handler's function in a thread; its faults end the call in one line each."""
        call = Call(deadline_s=time.monotonic() + (request.timeout or handler.shape.timeout_s))
        hidden = self._hidden(handler, given, state)
        say = functools.partial(self._log.say, asyncio.get_running_loop(), request.urn)
        asked = Context(
            urn=request.urn,
            deadline_s=call.deadline_s,
            cancelled=call.cancelled,
            log=lambda severity, text, newest: say(severity, secrets.masked(text, hidden), newest),
            config=self._config,
            announce=call.announce,
        )
        outcome = await self._calls.run(call, functools.partial(work, asked))
        thing = outcome.thing if isinstance(outcome, Fault) else outcome
        if isinstance(thing, Created):
            self._made[_token(request), thing.id] = request.urn
        if isinstance(outcome, Fault):
            reason = secrets.masked(outcome.message, hidden)
            details = (
                answers.init_failed(outcome, reason, handler, given) if outcome.thing else None
            )
            await self._fail(outcome, hidden, request.urn, context, details)
        return outcome

    async def _fail(
        self,
        fault: Fault,
        hidden: frozenset[str],
        urn: str,
        context: Any,
        details: bytes | None = None,
    ) -> NoReturn:
        """End a call with a fault in one line; the log tells where one was not foreseen."""
        told = secrets.masked(fault.traceback, hidden)
        if told:
            await self._log.say_later(urn, Severity.DEBUG, told)
        await _end(context, Fault(message=secrets.masked(fault.message, hidden)), details=details)

    async def fail_unforeseen(self, error: Exception, request: Any, context: Any) -> NoReturn:
        """End a call with what a handler raised where it only judges or foresees."""
        hidden = answers.hidden_in(self._handlers[_token(request)], request) | self._sealed
        await self._fail(fault_of(error), hidden, request.urn, context)


def _token(request: Any) -> str:
    return str(request.type or request.urn.split("::")[2].split("$")[-1])


def _name(urn: str) -> str:
    return urn.split("::", 3)[-1]


async def _end(
    context: Any,
    fault: Fault,
    status: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
    details: bytes | None = None,
) -> NoReturn:
    metadata = (("grpc-status-details-bin", details),) if details else ()
    await context.abort(status, fault.message, metadata)
    raise AssertionError("abort does not return")


def _look(
    handler: Handler, id_: str, state: State, inputs: State, context: Context
) -> Found | None:
    """Where nobody answers and the run is to go on, the thing is taken to be as it was.

    A look that fails would end the whole run, and with it the healing of all that is elsewhere.
    """
    try:
        return handler.read(id_, state, inputs, context)
    except MoorageError as silence:
        is_by_the_way = handler.shape.refresh_before_update and os.environ.get(GOES_ON)
        if not (is_by_the_way and inputs) or silence.exit_code != Exit.UNANSWERED:
            raise
        context.warn(f"it is taken to be as it was: {silence}")
        return Found(state=state, inputs=inputs)


def _look_again(handler: Handler, id_: str, state: State, inputs: State, context: Context) -> State:
    """What an earlier run left unready and cannot be changed in place: it may be ready now."""
    found = handler.read(id_, state, inputs, context)
    if found is None:
        message = f"{id_} is gone; run up with --refresh to have it made again"
        raise MoorageError(message)
    return found.state


def _preview(handler: Handler, inputs: State, state: State | None) -> State:
    outputs = handler.shape.outputs
    kept = {name: state.get(name) for name, one in outputs.items() if one.stable} if state else {}
    return {**dict.fromkeys(outputs, UNKNOWN), **kept, **inputs, **handler.preview(inputs, state)}


def configured(package: Package, given: State) -> tuple[State, list[Failure]]:
    """The declared part of the configuration; what is no text arrives as JSON text."""
    ours = {
        name: _from_json(given[name]) if one.kind != "string" else given[name]
        for name, one in package.config.items()
        if name in given
    }
    return check.check(package.config, ours)


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
