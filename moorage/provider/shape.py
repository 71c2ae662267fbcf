"""The shape of a resource: what it takes and gives, declared once, and all else derived from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["string", "integer", "number", "boolean", "list", "map", "object", "any"]

_PLAIN: Final[Mapping[Kind, type]] = {"string": str, "integer": int, "boolean": bool}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One property: its kind, its meaning, and what a change of it does.

    `items` says what a list or map holds (strings, where nothing is said), `fields` what an
    object has. `rule` judges one known value of the right kind: a reason, or None.
    """

    kind: Kind
    doc: str
    required: bool = False
    secret: bool = False  # marked secret in state and messages, whether the program does so or not
    replaces: bool = False  # a change cannot be made in place
    stable: bool = False  # an output that an update leaves as it is, so its preview knows it
    default: Any = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    rule: Callable[[Any], str | None] | None = None
    items: Field | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    deprecated: str = ""  # what to use instead
    # The type of those values in which there is nothing to find: most values are of it.
    plain: type | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Follow from the rest what every check asks."""
        is_judged = self.choices or self.rule or self.least is not None or self.most is not None
        object.__setattr__(self, "plain", None if is_judged else _PLAIN.get(self.kind))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)  # so what follows from it can be kept
class Shape:
    """A resource type; checks, diffs, the package schema, its class and its page follow from it.

    The outputs of a resource are its inputs and these `outputs`. `drift` among them is
    understood everywhere: a sentence that Read found something changed, cleared by Update.
    """

    doc: str
    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field]
    delete_before_replace: bool = False
    refresh_before_update: bool = False  # for what can die or change by itself
    timeout_s: float = 3600.0  # of a call, where the program sets no custom timeout
    example: str = ""  # Python that declares one, for its page
    import_id: str = ""  # what to give `import`, in words; empty where it cannot be


TEXT = Field(kind="string", doc="")
DRIFT = Field(kind="string", doc="What was found changed outside; empty when all is as declared.")


def items_of(one: Field) -> Field:
    """What a list or map holds."""
    return one.items or TEXT
