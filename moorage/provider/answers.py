"""Answers to the engine: messages of Pulumi's protocol, with every secret marked or masked."""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.protobuf.struct_pb2 import Struct

from moorage.provider import secrets, unfinished
from moorage.provider.calls import Fault, one_line
from moorage.provider.handler import Change, Failure, Handler, State
from moorage.provider.protocol import provider_pb2, status_pb2
from moorage.provider.values import Path, Properties, decode, encode

_KINDS: Final = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
_DIFFS: Final = {
    (*change, is_input): provider_pb2.PropertyDiff(kind=kind, inputDiff=is_input)
    for change, kind in _KINDS.items()
    for is_input in (True, False)
}


def declared(handler: Handler, values: State) -> frozenset[Path]:
    """Where the values are secret by declaration."""
    return frozenset(secrets.declared(handler.shape, values))


def hidden_texts(
    handler: Handler, values: State, marked: frozenset[Path] = frozenset()
) -> frozenset[str]:
    """The texts that no message may show."""
    return secrets.texts(values, marked | declared(handler, values))


def hidden_in(handler: Handler, request: Any) -> frozenset[str]:
    """The texts of whatever the engine has sent that no message may show."""
    sent = (getattr(request, name, None) for name in ("news", "olds", "properties", "inputs"))
    told = [decode(one) for one in sent if one is not None]
    return frozenset().union(*(hidden_texts(handler, one.plain, one.secrets) for one in told))


def encode_inputs(handler: Handler, inputs: State, marked: frozenset[Path]) -> Struct:
    """Inputs for the engine; what is marked stays secret."""
    return encode(inputs, marked | declared(handler, inputs))


def encode_outputs(handler: Handler, outputs: State, given: Properties) -> Struct:
    """Outputs for the engine; a text with a secret in it is one itself."""
    marked = given.secrets | declared(handler, outputs)
    hidden = hidden_texts(handler, given.plain, given.secrets) | hidden_texts(handler, outputs)
    own = {name: value for name, value in outputs.items() if name not in handler.shape.inputs}
    return encode(outputs, marked.union(secrets.exposing(own, hidden)))


def check_failures(failures: list[Failure], inputs: State, marked: frozenset[Path]) -> list[Any]:
    """What is wrong; the engine prints the value of a named property, so a secret is not named."""
    if not failures:
        return []
    sealed, hidden = {path[0] for path in marked}, secrets.texts(inputs, marked)
    told = []
    for failure in failures:
        reason = secrets.masked(one_line(failure.reason), hidden)
        if failure.name.split(".")[0].split("[")[0] in sealed:
            told.append(provider_pb2.CheckFailure(reason=f"{failure.name}: {reason}"))
        else:
            told.append(provider_pb2.CheckFailure(property=failure.name, reason=reason))
    return told


def diff_response(handler: Handler, changes: list[Change]) -> Any:
    """What an update would change, in place or by a replacement."""
    if not changes:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    replaces = {c.path for c in changes if c.replaces or (handler.update is None and c.is_input)}
    detailed = {
        change.path: _DIFFS[change.kind, change.path in replaces, change.is_input]
        for change in changes
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        replaces=sorted(replaces),
        diffs=sorted({change.path.split(".")[0].split("[")[0] for change in changes}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(replaces) and handler.shape.delete_before_replace,
    )


def init_failed(fault: Fault, reason: str, handler: Handler, given: Properties) -> bytes:
    """What exists though its create or update failed, as the engine takes it beside the failure."""
    assert fault.thing is not None
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
    begun = unfinished.marked(handler.shape, fault.thing.state)
    details = provider_pb2.ErrorResourceInitFailed(
        id=fault.thing.id,
        properties=encode_outputs(handler, begun, given),
        reasons=[reason],
        inputs=encode_inputs(handler, given.plain, given.secrets),
        refresh_before_update=handler.shape.refresh_before_update,
    )
    status.details.add().Pack(details)
    packed: bytes = status.SerializeToString()
    return packed
