"""A deed of the caller, a fault or its undoing, done in a thread while arrivals go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Action:
    def __init__(self, name: str, call: Callable[[], object]) -> None:
        self.began_s: float | None = None
        self.ended_s: float | None = None
        self.error: Exception | None = None
        self._name = name
        self._call = call
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self.began_s = time.monotonic()
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return self.began_s is not None and not self._thread.is_alive()

    def finish(self, limit_s: float) -> None:
        """Start it unless that was done, and wait for its end."""
        if self.began_s is None:
            self.start()
        self._thread.join(limit_s)

    @property
    def trouble(self) -> str | None:
        """What went wrong with it, in words."""
        if self.began_s is None:
            return None
        if self.error is not None:
            return f"the {self._name} failed: {str(self.error) or type(self.error).__name__}"
        return None if self.is_over else f"the {self._name} did not end in time"

    def _run(self) -> None:
        try:
            self._call()
        except Exception as error:  # noqa: BLE001 - whatever the caller's deed raises is reported
            self.error = error
        finally:
            self.ended_s = time.monotonic()
