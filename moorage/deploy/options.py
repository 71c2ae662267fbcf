"""Options of an operation: which resources, how many at once, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

PARALLEL: Final = 64  # waiting for a model to load costs nothing, so many may wait at once

# What each operation of the engine takes of an option; the rest does not concern it.
_TAKES: Final = {
    "preview": ("target", "exclude", "target_dependents", "replace", "refresh", "message"),
    "up": (
        *("target", "exclude", "target_dependents", "replace", "refresh", "message"),
        "continue_on_error",
    ),
    "refresh": ("target", "exclude", "target_dependents", "message"),
    "import": (),
    "destroy": ("target", "target_dependents", "refresh", "message", "continue_on_error"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How one operation shall go about it; the defaults fit a stack whose things take long."""

    targets: tuple[str, ...] = ()  # URNs, names or Type::name: only these
    target_dependents: bool = False  # and what depends on them
    exclude: tuple[str, ...] = ()  # all but these
    replace: tuple[str, ...] = ()  # these anew
    parallel: int = PARALLEL
    # One provider's failure must not keep the others, which take over for it, from coming up.
    continue_on_error: bool = True
    expect_no_changes: bool = False  # do nothing, and fail when there is something to do
    refresh: bool = False  # look at every thing first
    message: str = ""  # for the history

    @property
    def names_resources(self) -> bool:
        """Whether names have to be looked up in the state."""
        return bool(self.targets or self.exclude or self.replace)

    @property
    def is_partial(self) -> bool:
        """Whether some of the stack is left alone."""
        return bool(self.targets or self.exclude)

    @property
    def goes_on(self) -> bool:
        """Whether what cannot be seen is taken to be as it was: nobody asked for a look."""
        return self.continue_on_error and not self.refresh


DEFAULT: Final = Options()


def arguments(options: Options, operation: str) -> dict[str, Any]:
    """The keyword arguments of the Automation API's method for an operation."""
    asked = {
        "target": list(options.targets),
        "exclude": list(options.exclude),
        "replace": list(options.replace),
        "target_dependents": options.target_dependents,
        "refresh": options.refresh,
        "message": options.message,
        "continue_on_error": options.continue_on_error,
    }
    wanted = {key: asked[key] for key in _TAKES[operation] if asked[key]}
    return {**wanted, "parallel": options.parallel, "color": "never"}
