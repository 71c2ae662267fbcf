"""What depends on a failure waits for it: the engine is not asked to judge what nobody knows.

With `--continue-on-error` a failed resource has outputs that stay unknown. The engine keeps no
unknown value in a real run: a dependent's provider finds its required inputs missing, and a check
that fails ends the whole run, whatever else there was to deploy (step_generator.go, v3.259). So
does a component that tells outputs and was skipped. Neither of them comes to the engine.

What is skipped stays as it was, and needs what it was made with; and what is being replaced serves
until its new one is well. The engine knows of neither: it would delete what the program declares
no longer, and what has a new one however broken that is. Then nothing is deleted in the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS

from moorage.deploy.aliases import earlier, urn_of
from moorage.deploy.show.values import SIGNATURE
from moorage.deploy.stored import snapshot
from moorage.deploy.stored.snapshot import Standing, opened
from moorage.deploy.urns import is_stack, label, name_of, of_provider, type_of

_REASONS: Final = 3  # that are told of

IsGone = Callable[[str], bool]  # whether a resource was taken away in this run


def watch(standing: Standing, superseded: frozenset[str], is_gone: IsGone) -> None:
    """From here on this program's dependents of failures wait; a preview knows of no failure."""
    if not pulumi.runtime.is_dry_run():
        SETTINGS.monitor = _Monitor(SETTINGS.monitor, standing, superseded, is_gone)


class _Monitor:
    """The engine's resource monitor, as the SDK speaks to it."""

    def __init__(
        self, monitor: Any, standing: Standing, superseded: frozenset[str], is_gone: IsGone
    ) -> None:
        self._monitor = monitor
        self._standing = standing
        self._is_gone = is_gone
        self._failed: list[str] = []  # what the engine says has failed, or was skipped for it
        self._waiting: set[str] = set()  # what it was not told of
        self._renamed: dict[str, str] = {}  # what stands under another name: URN -> that one
        self._declared: set[str] = set()  # what the program still has, as it stands
        self._superseded = {*superseded}  # what has an old one beside it, which may still serve

    def __getattr__(self, name: str) -> Any:
        return getattr(self._monitor, name)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """Let what cannot be judged wait; what stands is told as it was, or it would be deleted."""
        urn = urn_of(request)
        stood = self._stood_as(request, urn)
        self._declared.add(stood or urn)
        if self._waits(request):
            if stood is None:
                self._waiting.add(urn)
                return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.FAIL)
            self._leave_as_it_is(request, self._standing[stood].get("inputs") or {})
        elif not self._waiting_or_failed.isdisjoint(_needed(request)):
            _make_no_room(request)
        answer = self._monitor.RegisterResource(request)
        if answer.result != resource_pb2.SUCCESS:
            self._failed.append(answer.urn)
        if stood is not None and self._is_another(stood, answer.id):
            self._superseded.add(stood)
        return answer

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Nothing is read by an id that nobody knows."""
        self._declared.add(urn_of(request))
        if self._failed and (request.id == rpc.UNKNOWN or self._mentions_waiting(request)):
            urn = urn_of(request)
            if not self._stands(urn):
                self._waiting.add(urn)
                return resource_pb2.ReadResourceResponse(urn=urn, result=resource_pb2.FAIL)
            self._hang_on_failed(request)
        return self._monitor.ReadResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """What failed or waits has no outputs to complete it; what stands keeps those it had.

        The stack as well: an unknown value within a secret is kept as the text that stands for it,
        and would be told for an address.
        """
        if request.urn in self._waiting or request.urn in self._failed:
            return None
        if self._failed and _holds_unknown(request.outputs):
            if self._stands(self._stood(request.urn)):
                return None
            _drop_unknown(request.outputs)
        return self._monitor.RegisterResourceOutputs(request)

    def SignalAndWaitForShutdown(self, request: Any) -> Any:  # noqa: N802
        """Once all is declared, and before the engine deletes what is not."""
        held = (self._held_by(self._stood(urn)) for urn in self._failed)
        why = list(dict.fromkeys(one for one in held if one is not None))
        if why:
            more = f"; and {len(why) - _REASONS} more" if len(why) > _REASONS else ""
            message = f"this run deletes nothing: {'; '.join(why[:_REASONS])}{more}"
            raise pulumi.RunError(message)
        return self._monitor.SignalAndWaitForShutdown(request)

    def _stood(self, urn: str) -> str:
        return self._renamed.get(urn, urn)

    def _is_another(self, urn: str, id_: str) -> bool:
        """Whether the engine has made a new thing, beside the one that stands."""
        before = self._standing[urn].get("id")
        return bool(id_ and before) and id_ != before and self._stands(urn)

    def _held_by(self, urn: str) -> str | None:
        """What would be deleted and is needed by what has failed, or was left out."""
        if urn in self._superseded:
            return f"the old {label(urn)} stays until the new one is well"
        for needed in self._needs(urn):
            stale = f"{label(urn)}, which is not brought up to date,"
            if needed not in self._declared:
                return f"{label(needed)} is not declared any more, and {stale} still needs it"
            if needed in self._superseded:
                return f"{stale} may still need the old {label(needed)}"
        return None

    def _needs(self, urn: str) -> Iterator[str]:
        """What a resource of the state needs of what the program declares, at whatever remove."""
        seen, further = {urn}, [urn]
        while further:
            for needed in snapshot.needs(self._standing.get(further.pop(), {})) - seen:
                seen.add(needed)
                if self._stands(needed) and not _is_engines(needed):
                    further.append(needed)
                    yield needed

    def _waits(self, request: Any) -> bool:
        is_unjudged = request.custom and _has_unknown(request)
        return bool(self._failed) and (is_unjudged or self._mentions_waiting(request))

    def _mentions_waiting(self, request: Any) -> bool:
        return not self._waiting.isdisjoint(_mentioned(request))

    @property
    def _waiting_or_failed(self) -> set[str]:
        return {*self._waiting, *self._failed}

    def _stands(self, urn: str) -> bool:
        return urn in self._standing and not self._is_gone(urn)

    def _stood_as(self, request: Any, urn: str) -> str | None:
        """The URN under which it is there from an earlier run."""
        found = next(filter(self._stands, [urn, *earlier(request, self._renamed)]), None)
        if found is not None and found != urn:
            self._renamed[urn] = found
        return found

    def _leave_as_it_is(self, request: Any, inputs: Mapping[str, Any]) -> None:
        """It keeps its values, and the engine skips it.

        They stand in the request itself, as those that are to be ignored do not count where a
        thing is replaced; a value that is sealed in the state can be ignored only.
        """
        fields = request.object.fields
        unknown = [key for key in fields if _is_unknown(fields[key])]
        request.ignoreChanges.extend(f"[{json.dumps(key)}]" for key in unknown)
        for key in unknown:
            known = opened(inputs.get(key))
            if known is not None:
                request.object.update({key: known})
        request.propertyDependencies.clear()
        if _is_unknown(request.replacement_trigger):
            request.ClearField("replacement_trigger")
        _make_no_room(request)
        self._hang_on_failed(request)

    def _hang_on_failed(self, request: Any) -> None:
        """The engine skips what depends on what failed; of what waits it has never heard."""
        known = [urn for urn in request.dependencies if urn not in self._waiting]
        request.dependencies[:] = [*known, self._failed[0]]


def _is_engines(urn: str) -> bool:
    """Whether the engine itself declares it: the stack, and providers that no program names."""
    kind = type_of(urn)
    is_default = kind.startswith("pulumi:providers:") and name_of(urn).startswith("default")
    return is_stack(urn) or is_default


def _make_no_room(request: Any) -> None:
    """What is skipped must not have been deleted first, nor what would be replaced with it.

    The engine takes the steps of a replacement for one each when it looks for what to skip.
    """
    request.deleteBeforeReplace, request.deleteBeforeReplaceDefined = False, True


def _mentioned(request: Any) -> Iterator[str]:
    """Every resource that it depends on, and its providers."""
    yield from _needed(request)
    yield of_provider(request.provider)
    if isinstance(request, resource_pb2.RegisterResourceRequest):
        yield from map(of_provider, request.providers.values())


def _needed(request: Any) -> Iterator[str]:
    """Every resource for whose failure the engine skips it; one only read has fewer of them."""
    yield from request.dependencies
    yield request.parent
    if isinstance(request, resource_pb2.RegisterResourceRequest):
        yield from request.replace_with
        yield request.deletedWith


def _has_unknown(request: Any) -> bool:
    return rpc.UNKNOWN in request.provider or _holds_unknown(request.object)


def _holds_unknown(struct: Any) -> bool:
    return any(map(_is_unknown, struct.fields.values()))


def _drop_unknown(struct: Any) -> None:
    """Take away what is not known, and the secrets of which nothing is."""
    fields = struct.fields
    for key in [key for key, value in fields.items() if _is_nothing_known(value)]:
        del fields[key]
    for value in filter(_is_unknown, fields.values()):
        if value.HasField("struct_value"):
            _drop_unknown(value.struct_value)
        else:
            value.null_value = 0  # of a list no member can go without moving the others


def _is_nothing_known(value: Any) -> bool:
    fields = value.struct_value.fields
    if SIGNATURE not in fields:
        return bool(value.string_value == rpc.UNKNOWN)
    return "value" not in fields or fields["value"].string_value == rpc.UNKNOWN


def _is_unknown(value: Any) -> bool:
    if value.HasField("struct_value"):
        return _holds_unknown(value.struct_value)
    if value.HasField("list_value"):
        return any(map(_is_unknown, value.list_value.values))
    return bool(value.string_value == rpc.UNKNOWN)
