"""How an endpoint differs from its inputs, field by field, and whose doing that is.

What the inputs leave open is no difference, nor is what the autoscaler does, nor is the pause of
the budget guard: a change that only undid those would restart the endpoint at every deployment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.provider.handler import State
from moorage.provider.hugging_face.client import Record
from moorage.provider.hugging_face.endpoints import endpoint_inputs, endpoint_owner
from moorage.provider.hugging_face.endpoints.endpoint_shape import SHAPE

# Absent from the inputs, these are whatever the service makes them.
LEFT_OPEN: Final = frozenset(
    {"task", "framework", "notifications", "experimentalFeatures", "network"}
)
_OPEN: Final = LEFT_OPEN | {
    *("revision", "namespace", "scaleToZeroMinutes", "scalingMetric", "scalingThreshold"),
}
_WHOLE: Final[Mapping[str, Any]] = {  # absent from the inputs, there should be none of these
    "tags": [],
    "command": [],
    "args": [],
    "env": {},
    "cacheHttpResponses": False,
}
_UNQUOTED: Final = frozenset({"env", "secrets", "command", "args", "customRouter"})
_MOST_TOLD: Final = 6


def differences(record: Record, account: str, inputs: State) -> list[str]:
    """The names of what differs, members of maps by their keys."""
    found = endpoint_inputs.declared(record, account)
    return [*_fields(found, inputs), *_secrets(record, inputs), *_pause(record, inputs)]


def sentence(record: Record, account: str, inputs: State, whose: str) -> str | None:
    """What Read found changed, in one line; None when all is as declared.

    `whose` says what is wrong with whose it is, where something is.
    """
    found = endpoint_inputs.declared(record, account)
    names = differences(record, account, inputs)
    told = [_told(name, found, inputs) for name in names[:_MOST_TOLD]]
    if len(names) > _MOST_TOLD:
        told.append(f"and {len(names) - _MOST_TOLD} more")
    return "; ".join(filter(None, [*_failure(record), whose, *told])) or None


def _fields(found: State, inputs: State) -> Iterator[str]:
    own = endpoint_inputs.own_framework(inputs.get("framework"), inputs["engine"])
    inputs = {**inputs, "framework": own}
    for name in SHAPE.inputs:
        if name in endpoint_inputs.UNTOLD or name == "paused":
            continue
        if name in _OPEN and name not in inputs:
            continue
        there, wanted = found.get(name, _WHOLE.get(name)), inputs.get(name, _WHOLE.get(name))
        yield from _ANY.get(name, _compared)(name, there, wanted)


def _compared(name: str, there: Any, wanted: Any) -> Iterator[str]:
    if there == wanted:
        return
    if not isinstance(there, dict) or not isinstance(wanted, dict):
        yield name
        return
    for key in sorted(there.keys() | wanted.keys()):
        if there.get(key) != wanted.get(key):
            yield f"{name}.{key}"


def _unordered(name: str, there: Any, wanted: Any) -> Iterator[str]:
    return _compared(name, sorted(there), sorted(wanted))


def _as_far_as_declared(name: str, there: Any, wanted: Any) -> Iterator[str]:
    """What the service has filled in beside it is its own; nothing is as much as was asked."""
    if wanted in (None, {}, []):
        return
    if isinstance(wanted, dict) and isinstance(there, dict):
        there = {key: one for key, one in there.items() if key in wanted}
    yield from _compared(name, there, wanted)


def _options(name: str, there: Any, wanted: Any) -> Iterator[str]:
    """Options that say what the service does by itself are as good as not given."""
    return _as_far_as_declared(name, there or {}, endpoint_inputs.own_options(wanted or {}))


def _as_declared_or_absent(name: str, there: Any, wanted: Any) -> Iterator[str]:
    """The same of what there must be none of when it is not declared."""
    judge = _compared if wanted is None else _as_far_as_declared
    return judge(name, there, wanted)


_ANY: Final = {
    "tags": _unordered,
    "engineOptions": _options,
    "privateLink": _as_declared_or_absent,
    "customRouter": _as_declared_or_absent,
    "experimentalFeatures": _as_far_as_declared,
    "notifications": _as_far_as_declared,
    "network": _as_far_as_declared,
}


def _secrets(record: Record, inputs: State) -> Iterator[str]:
    """Secrets by their names alone, as far as they are told; where none are declared, any will do.

    They cannot be read back, so an import tells none of those that are there.
    """
    told, wanted = record["model"].get("secrets"), inputs.get("secrets")
    if isinstance(told, dict) and wanted:
        for key in sorted(told.keys() ^ wanted.keys()):
            yield f"secrets.{key}"


def _pause(record: Record, inputs: State) -> Iterator[str]:
    rests = record["status"]["state"] == "paused"
    if rests != inputs["paused"] and not (rests and endpoint_owner.is_guarded(record)):
        yield "paused"


def _failure(record: Record) -> Iterator[str]:
    status = record["status"]
    if status["state"] in ("failed", "updateFailed"):
        yield f"it {status['state']}: {status.get('errorMessage') or status.get('message')}"


def _told(name: str, found: State, inputs: State) -> str:
    root = name.split(".", maxsplit=1)[0]
    if root == "paused":
        return "it was resumed by somebody" if inputs["paused"] else "it was paused by somebody"
    there, wanted = found.get(root), inputs.get(root)
    if root in _UNQUOTED or not _is_plain(there) or not _is_plain(wanted):
        return f"{name} differs"
    return f"{name} is {_word(there)}, declared {_word(wanted)}"


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _word(value: Any) -> str:
    return "absent" if value is None else str(value)
