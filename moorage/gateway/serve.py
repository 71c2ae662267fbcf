"""The life of the gateway's process: start, reload on SIGHUP, an orderly end on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from moorage.gateway.app import Gateway, Server, log
from moorage.gateway.health import Health
from moorage.gateway.relay import Relay
from moorage.gateway.routes import Routes, RoutesError, load
from moorage.gateway.upstream import UpstreamClient

FINE, USAGE, INTERRUPTED = 0, 2, 130  # exit codes, as everywhere in moorage

IDLE_CONNECTION_S = 75.0
# Requests in flight get 5 s: aiohttp waits this long before and again after it closes their input.
HALF_GRACE_S = 2.5


def serve(path: Path) -> int:
    """Run the gateway until a signal ends it; return the exit code."""
    try:
        routes = load(path)
        _log_to_stderr()
        if path.stat().st_mode & 0o077:
            log.warning("%s holds keys and is open to others: chmod 600", path)
        return asyncio.run(_run(path, routes))
    except RoutesError as error:
        print(error, file=sys.stderr)
        return USAGE


async def _run(path: Path, routes: Routes) -> int:
    client = UpstreamClient()
    health = Health(client.probe)
    gateway = Gateway(routes, Relay(client, health))
    ended = _signalled(lambda: _reload(path, gateway, health))
    try:
        async with _listening(path, gateway):
            return FINE if await ended == signal.SIGTERM else INTERRUPTED
    finally:
        await health.close()
        await client.close()


def _signalled(reload: Callable[[], None]) -> asyncio.Future[signal.Signals]:
    """Reload on SIGHUP; return what a signal to end will complete."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[signal.Signals] = loop.create_future()

    def end(by: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(by)

    loop.add_signal_handler(signal.SIGHUP, reload)
    loop.add_signal_handler(signal.SIGTERM, end, signal.SIGTERM)
    loop.add_signal_handler(signal.SIGINT, end, signal.SIGINT)
    return ended


@asynccontextmanager
async def _listening(path: Path, gateway: Gateway) -> AsyncIterator[None]:
    server = Server(
        gateway.handle,
        handler_cancellation=True,  # a client that goes away takes its backend's work with it
        keepalive_timeout=IDLE_CONNECTION_S,
        access_log=None,
        logger=log,
    )
    runner = web.ServerRunner(server, shutdown_timeout=HALF_GRACE_S)
    await runner.setup()
    try:
        await _bind(runner, gateway.routes, path)
        yield
        log.info("ending; requests in flight get %g s", 2 * HALF_GRACE_S)
    finally:
        await runner.cleanup()


async def _bind(runner: web.ServerRunner, routes: Routes, path: Path) -> None:
    site = web.TCPSite(runner, routes.host, routes.port)
    try:
        await site.start()
    except OSError as error:
        says = f"listen: cannot bind {routes.host}:{routes.port}: {_reason(error)}"
        raise RoutesError(says, at=path) from None
    log.info("listening on %s routes=%s", site.name, routes.digest[:12])


def _reason(error: OSError) -> str:
    """asyncio repeats the address before the reason."""
    return (error.strerror or "no such address").rpartition(": ")[2]


def _reload(path: Path, gateway: Gateway, health: Health) -> None:
    old = gateway.routes
    try:
        new = load(path)
    except RoutesError as error:
        log.error("reload refused, the routes in force stay: %s", error)
        return
    if (new.host, new.port) != (old.host, old.port):
        log.warning("listen is read at start only: still on %s:%d", old.host, old.port)
    gateway.routes = replace(new, host=old.host, port=old.port)
    health.keep(new.backends())
    log.info("reloaded routes=%s services=%d", new.digest[:12], len(new.services))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"))
    logging.Formatter.converter = time.gmtime
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
