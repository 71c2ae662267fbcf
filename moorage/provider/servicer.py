"""Pulumi's resource provider protocol, spoken for the handlers."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from moorage import __version__
from moorage.errors import MoorageError
from moorage.provider import derive
from moorage.provider.engine_log import EngineLog
from moorage.provider.handler import (
    Cancelled,
    Context,
    Created,
    Failure,
    Handler,
    Incomplete,
    Severity,
    State,
)
from moorage.provider.values import UNKNOWN, Path, Properties, decode, encode

_WORKERS: Final = 64
_DEFAULT_TIMEOUT_S: Final = 3600.0  # where the program sets no custom timeout
_KINDS: Final = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    """Why a call fails, as the engine shall hear it."""

    message: str
    details: bytes | None = None


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The servicer; handlers run in threads, at most 64 at a time."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._log = EngineLog()
        self._workers = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="handler")
        self._running: set[threading.Event] = set()
        self._cancelled = False

    def cancel(self) -> None:
        """End all waiting now; what exists is reported by the calls that waited."""
        self._cancelled = True
        for event in list(self._running):
            event.set()

    async def close(self) -> None:
        """Let go of the engine."""
        self._workers.shutdown(wait=False)
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
        return plugin_pb2.PluginInfo(version=__version__)

    async def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Give the package schema, derived from the handlers' shapes."""
        shapes = {token: handler.SHAPE for token, handler in self._handlers.items()}
        schema = derive.package(shapes, version=__version__)
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    async def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Accept everything: keys under `moorage:` are the program's, not the provider's."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """No configuration changes what this provider does."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Begin a run; one that was cancelled before does not count any more."""
        self._cancelled = False
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End all waiting now."""
        self.cancel()
        return Empty()

    # --- resources

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Fill in defaults and judge the inputs."""
        handler = await self._handler(request, context)
        news = decode(request.news)
        inputs, failures = derive.check(handler.SHAPE, news.plain)
        if not failures:
            failures = handler.check(inputs)
        return provider_pb2.CheckResponse(
            inputs=_encode_inputs(handler, inputs, news.secrets),
            failures=[_failure(failure) for failure in failures],
        )

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare what was declared, and what Read found, with what is declared now."""
        handler = await self._handler(request, context)
        state = decode(request.olds).plain
        old_inputs = decode(request.old_inputs).plain if request.HasField("old_inputs") else state
        changes = derive.diff(handler.SHAPE, old_inputs, state, decode(request.news).plain)
        return _diff_response(handler, changes)

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Adopt or create, then wait until it is as it should be."""
        handler = await self._handler(request, context)
        given = decode(request.properties)
        if request.preview:
            outputs = _preview(handler, given.plain, None)
            return provider_pb2.CreateResponse(properties=_encode_outputs(handler, outputs, given))
        work = functools.partial(handler.create, given.plain)
        made = await self._work(work, request, context, handler, given)
        return provider_pb2.CreateResponse(
            id=made.id,
            properties=_encode_outputs(handler, made.state, given),
            refresh_before_update=handler.SHAPE.refresh_before_update,
        )

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Look at the thing; an answer without properties means that it is gone."""
        handler = await self._handler(request, context)
        state, inputs = decode(request.properties), decode(request.inputs)
        known = Properties(plain=state.plain, secrets=state.secrets | inputs.secrets)
        work = functools.partial(handler.read, request.id, state.plain, inputs.plain)
        found = await self._work(work, request, context, handler, known)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=_encode_outputs(handler, found.state, known),
            inputs=_encode_inputs(handler, found.inputs, known.secrets),
            refresh_before_update=handler.SHAPE.refresh_before_update,
        )

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make the thing as declared, then wait until it is as it should be."""
        handler = await self._handler(request, context)
        state, given = decode(request.olds).plain, decode(request.news)
        if request.preview:
            outputs = _preview(handler, given.plain, state)
            return provider_pb2.UpdateResponse(properties=_encode_outputs(handler, outputs, given))
        work = functools.partial(handler.update, request.id, state, given.plain)
        outputs = await self._work(work, request, context, handler, given)
        return provider_pb2.UpdateResponse(
            properties=_encode_outputs(handler, outputs, given),
            refresh_before_update=handler.SHAPE.refresh_before_update,
        )

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the thing away."""
        handler = await self._handler(request, context)
        state = decode(request.properties)
        work = functools.partial(handler.delete, request.id, state.plain)
        await self._work(work, request, context, handler, state)
        return Empty()

    # --- how handlers are run

    async def _handler(self, request: Any, context: Any) -> Handler:
        token = request.type or request.urn.split("::")[2].split("$")[-1]
        handler = self._handlers.get(token)
        if handler is None:
            known = ", ".join(self._handlers)
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"{token}: no such resource type; there are {known}"
            )
        assert handler is not None
        return handler

    async def _work(
        self,
        work: Callable[[Context], Result],
        request: Any,
        context: Any,
        handler: Handler,
        given: Properties,
    ) -> Result:
        """Run a handler function in a thread; its faults end the call in one line each."""
        outcome = await self._outcome(work, request, handler, given)
        if isinstance(outcome, _Fault):
            metadata = (("grpc-status-details-bin", outcome.details),) if outcome.details else ()
            await context.abort(grpc.StatusCode.UNKNOWN, outcome.message, metadata)
        return outcome  # type: ignore[return-value]  # abort does not return

    async def _outcome(
        self, work: Callable[[Context], Result], request: Any, handler: Handler, given: Properties
    ) -> Result | _Fault:
        loop = asyncio.get_running_loop()
        try:
            with self._in_flight() as cancelled:
                context = Context(
                    urn=request.urn,
                    deadline_s=time.monotonic() + (request.timeout or _DEFAULT_TIMEOUT_S),
                    cancelled=cancelled,
                    log=functools.partial(self._log.say, loop, request.urn),
                )
                return await loop.run_in_executor(self._workers, work, context)
        except Incomplete as error:
            return _incomplete(error, handler, given)
        except MoorageError as error:
            return _Fault(message=_one_line(str(error)))
        except Exception as error:  # noqa: BLE001  whatever a handler throws is one line
            await self._log.say_later(request.urn, Severity.DEBUG, traceback.format_exc())
            return _Fault(message=f"unexpected fault: {_one_line(str(error)) or 'no message'}")

    @contextmanager
    def _in_flight(self) -> Iterator[threading.Event]:
        if self._cancelled:
            raise Cancelled
        event = threading.Event()
        self._running.add(event)
        try:
            yield event
        finally:
            self._running.discard(event)


def _preview(handler: Handler, inputs: State, state: State | None) -> State:
    unknown = dict.fromkeys(handler.SHAPE.outputs, UNKNOWN)
    return {**unknown, **inputs, **handler.preview(inputs, state)}


def _encode_inputs(handler: Handler, inputs: State, secrets: frozenset[Path]) -> Struct:
    return encode(inputs, secrets | _declared_secrets(handler))


def _encode_outputs(handler: Handler, outputs: State, given: Properties) -> Struct:
    return encode(outputs, given.secrets | _declared_secrets(handler))


def _declared_secrets(handler: Handler) -> frozenset[Path]:
    fields = {**handler.SHAPE.inputs, **handler.SHAPE.outputs}
    return frozenset((name,) for name, field in fields.items() if field.secret)


def _failure(failure: Failure) -> Any:
    return provider_pb2.CheckFailure(property=failure.name, reason=_one_line(failure.reason))


def _diff_response(handler: Handler, changes: list[derive.Change]) -> Any:
    if not changes:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    replaces = [change.path for change in changes if change.replaces]
    detailed = {
        change.path: provider_pb2.PropertyDiff(
            kind=_KINDS[change.kind, change.replaces], inputDiff=change.is_input
        )
        for change in changes
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        replaces=replaces,
        diffs=sorted({change.path.split(".")[0].split("[")[0] for change in changes}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(replaces) and handler.SHAPE.delete_before_replace,
    )


def _incomplete(error: Incomplete, handler: Handler, given: Properties) -> _Fault:
    thing: Created = error.thing
    reason = _one_line(str(error))
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
    details = provider_pb2.ErrorResourceInitFailed(
        id=thing.id,
        properties=_encode_outputs(handler, thing.state, given),
        reasons=[reason],
        inputs=_encode_inputs(handler, given.plain, given.secrets),
        refresh_before_update=handler.SHAPE.refresh_before_update,
    )
    status.details.add().Pack(details)
    return _Fault(message=reason, details=status.SerializeToString())


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
