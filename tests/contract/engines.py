"""Engines in processes of their own, started for a check and ended after it."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

KEY: Final = "sk-engine"
_LISTENS_WITHIN_S: Final = 20.0
_ENDS_WITHIN_S: Final = 20.0
_LOOK_S: Final = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """An engine's address, and the process that it is."""

    url: str
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: IO[bytes] | None = None

    def listens(self) -> Started:
        """Itself, as soon as somebody may connect, or it has ended."""
        end_s = time.monotonic() + _LISTENS_WITHIN_S
        while not self.is_open() and time.monotonic() < end_s:
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(_LOOK_S)
        return self

    def is_open(self) -> bool:
        """Whether a connection is taken."""
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def said(self) -> str:
        """Its log so far."""
        return "" if self.log is None else Path(self.log.name).read_text("utf-8")

    def ended(self) -> tuple[int | None, str]:
        """Its exit code and its log, once it has ended."""
        code = None if self.process is None else self.process.wait(timeout=_ENDS_WITHIN_S)
        return code, self.said()

    def end(self) -> None:
        """Ask it to end, as Docker and systemd do."""
        if self.process is not None:
            self.process.terminate()


@dataclass(slots=True)
class Engines:
    """Those of one check; where `instead` is set, nobody is started, and it is asked."""

    instead: str = ""
    started: list[Started] = field(default_factory=list)

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> Started:
        """An engine on a free port, with a key; it may not listen yet."""
        if self.instead:
            return Started(url=self.instead)
        port = _free_port()
        log = tempfile.NamedTemporaryFile()  # noqa: SIM115  closed with its process
        command = [sys.executable, "-m", "moorage.twin.engine", *words]
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env={"VLLM_API_KEY": KEY, **(environment or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        self.started.append(Started(url=url, port=port, process=process, log=log))
        return self.started[-1]

    def close(self) -> None:
        """End them all."""
        for one in self.started:
            assert one.process is not None
            assert one.log is not None
            one.process.kill()
            one.process.wait()
            one.log.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
