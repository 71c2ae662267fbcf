"""Starts: of the provider, until it tells its port; and of the stack program, until it may run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Final

from clock import Line, Took, in_turns, told, took
from generate import ROOT
from pace import promise

PROVIDER_S: Final = 0.35  # at most
PROGRAM_S: Final = 0.5  # at most
RUNS: Final = 10

_PROTOCOL: Final = "import pulumi.runtime.proto.provider_pb2_grpc"


def measure() -> list[Line]:
    """Ten of each, in turns."""
    runs = in_turns(
        RUNS,
        {
            "provider": provider,
            "protocol": lambda: _python(_PROTOCOL),
            "program": lambda: _python("import stacks.__main__"),
            "nothing": lambda: _python("pass"),
        },
    )
    return [
        promise("start of the provider, from exec to its port", runs["provider"], PROVIDER_S),
        Line(what="importing the SDK's protocol alone would take", measured=told(runs["protocol"])),
        promise("import of the stack program, with the interpreter", runs["program"], PROGRAM_S),
        Line(what="the interpreter alone", measured=told(runs["nothing"])),
    ]


def provider() -> Took:
    """Start our plugin as the engine does, until the line with its port."""
    command = [sys.executable, "-m", "moorage.provider", "127.0.0.1:9"]
    start_s = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = process.stdout.readline()
    wall_s = time.perf_counter() - start_s
    os.kill(process.pid, signal.SIGTERM)  # it may have ended: no engine listens there
    process.stdout.close()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    if not port.strip().isdecimal():
        message = "the provider tells no port"
        raise SystemExit(message)
    return Took(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime, out=port)


def _python(code: str) -> Took:
    return took([sys.executable, "-c", code], ROOT)
