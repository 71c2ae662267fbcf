"""64 creates of a second each through the plugin process: a wait must cost nothing but itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import grpc.aio
from clock import Line

from moorage.provider.protocol import provider_pb2, provider_pb2_grpc
from moorage.provider.values import encode

WAITS: Final = 64
LIMIT_S: Final = 1.3  # at most, for all together
ROUNDS: Final = 3

_ROW: Final = Path(__file__).with_name("row.py")


def measure() -> list[Line]:
    """Once with creates that block in a thread, once with creates that wait."""
    process = subprocess.Popen([sys.executable, str(_ROW)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        blocked, paused = asyncio.run(_both(port))
    finally:
        process.terminate()
        process.wait()
    return [
        _line(f"{WAITS} creates that block for 1 s, through gRPC", blocked),
        _line(f"{WAITS} creates that wait for 1 s, through gRPC", paused),
    ]


async def _both(port: int) -> tuple[list[float], list[float]]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
        await stub.Configure(provider_pb2.ConfigureRequest())
        await _creates(stub, {})  # threads and channel are there from now on
        blocked = [await _creates(stub, {"sleep": 1}) for _ in range(ROUNDS)]
        return blocked, [await _creates(stub, {"pause": 1}) for _ in range(ROUNDS)]


async def _creates(stub: Any, waiting: dict[str, float]) -> float:
    start_s = time.perf_counter()
    answers = await asyncio.gather(*(stub.Create(_request(n, waiting)) for n in range(WAITS)))
    took_s = time.perf_counter() - start_s
    if len({answer.id for answer in answers}) != WAITS:
        message = "not every create made something"
        raise SystemExit(message)
    return took_s


def _request(number: int, waiting: dict[str, float]) -> Any:
    return provider_pb2.CreateRequest(
        urn=f"urn:pulumi:bench::bench::moorage:index:Row::row-{number}",
        type="moorage:index:Row",
        name=f"row-{number}",
        properties=encode({"name": f"row-{number}", "sleep": 0, "pause": 0, **waiting}),
        timeout=60,
    )


def _line(what: str, took_s: list[float]) -> Line:
    measured = f"{median(took_s):.2f} s ({min(took_s):.2f} to {max(took_s):.2f})"
    kept = median(took_s) <= LIMIT_S
    return Line(what=what, measured=measured, limit=f"{LIMIT_S:g} s", kept=kept)
