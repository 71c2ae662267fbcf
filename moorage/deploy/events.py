"""Events are what happens during one operation on a stack, in our own few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pulumi.automation import DiagnosticEvent, EngineEvent
from pulumi.automation.events import StepEventMetadata

from moorage.deploy.faults import clean
from moorage.deploy.urns import label


@dataclass(frozen=True, kw_only=True, slots=True)
class Began:
    """An operation on the stack began."""

    operation: str  # preview, up, refresh or destroy
    stack: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """The program declared a resource; the engine may yet wait for what it depends on."""

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The engine began a step on one resource."""

    urn: str
    step: str  # Pulumi's word: create, update, same, …
    # Never printed whole: what is secret after the step may still be plain before it.
    detail: StepEventMetadata | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """The engine finished a step on one resource."""

    urn: str
    step: str
    detail: StepEventMetadata | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """A step on one resource failed; why is told by a `Said` of severity error."""

    urn: str
    step: str
    detail: StepEventMetadata | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The engine, the provider or the program said something, of one resource or of none."""

    text: str
    severity: str  # info, warning or error
    urn: str = ""
    newest_only: bool = False  # only the newest of such lines is worth a look


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """The driver itself says something that stays."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The operation is over; `changes` counts resources per step."""

    operation: str
    stack: str
    fine: bool
    changes: Mapping[str, int]
    duration_s: float


Event = Began | Registered | Started | Finished | Failed | Said | Note | Ended

PENDING = "Attempting to deploy or update resources with"


def translate(event: EngineEvent) -> Event | None:
    """One engine event in our words; None for what nobody needs to see."""
    if event.diagnostic_event is not None:
        return _said(event.diagnostic_event)
    for step_event, kind in (
        (event.resource_pre_event, Started),
        (event.res_outputs_event, Finished),
        (event.res_op_failed_event, Failed),
    ):
        if step_event is not None:
            metadata = step_event.metadata
            step = getattr(metadata.op, "value", str(metadata.op))
            return kind(urn=metadata.urn, step=step, detail=metadata)
    return None


def _said(diagnostic: DiagnosticEvent) -> Event | None:
    severity = diagnostic.severity.removesuffix("#err")
    if severity == "debug":
        return None
    return Said(
        text=_shortened(clean(diagnostic.message)),
        severity=severity,
        urn=diagnostic.urn or "",
        newest_only=bool(diagnostic.ephemeral),
    )


def _shortened(text: str) -> str:
    """The engine's three paragraphs on pending operations end in advice that is not ours."""
    if not text.startswith(PENDING):
        return text
    names = [label(line.split(",")[0][4:]) for line in text.splitlines() if line.startswith("  * ")]
    return f"an earlier run died at work on {', '.join(names)}; the next up or destroy settles that"


def is_component(event: Started | Finished | Failed) -> bool:
    """Whether a resource only holds others together: nobody works on it, and nothing can fail."""
    state = (event.detail.new or event.detail.old) if event.detail else None
    return state is not None and not state.custom
