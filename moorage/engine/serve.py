"""llama.cpp's OpenAI-compatible server around one model file, until a signal ends it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from moorage.engine.tiny import EMBEDDING_TASKS
from moorage.errors import MoorageError

_MAGIC: Final = b"GGUF"
_ENDINGS: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One model behind one address; `context_tokens` is what each request may use."""

    model: Path
    alias: str
    task: str
    host: str
    port: int
    context_tokens: int
    parallel: int
    threads: int | None
    key: str | None = field(repr=False)


def serve(service: Service) -> NoReturn:
    """Serve until SIGTERM or SIGINT."""
    check(service)
    # Blocked before any thread starts, so that only the wait below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    threading.Thread(target=_run, args=(service,), daemon=True).start()
    received = signal.sigwait(_ENDINGS)
    _leave(0, f"{signal.Signals(received).name}: {service.alias} ends")


def check(service: Service) -> None:
    """Refuse what llama.cpp would answer with a page of log or a crash."""
    check_model(service.model)
    _check_port(service.host, service.port)


def check_model(model: Path) -> None:
    """Refuse a path that does not lead to a GGUF file."""
    try:
        with model.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        message = f"{model}: cannot read the model file: {error.strerror}"
        raise MoorageError(message) from error
    if magic != _MAGIC:
        message = f"{model}: not a GGUF file (it begins with {magic!r}); give a model in GGUF form"
        raise MoorageError(message)


def _check_port(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        message = f"{host}:{port}: cannot listen: {cause}; choose another port"
        raise MoorageError(message) from error


def _run(service: Service) -> None:
    try:
        server = _start(service)
    except Exception as error:  # noqa: BLE001  llama.cpp throws what it likes
        cause = "damaged, or of a kind it does not know; the log above says more"
        _leave(2, f"{service.model}: llama.cpp cannot load it ({cause}): {error}")
    print(f"{service.alias} is served at {server.listening_address}", file=sys.stderr, flush=True)
    threading.Event().wait()  # the server lives as long as the object


def _start(service: Service) -> Any:
    from xllamacpp import Server

    return Server(_parameters(service))


def _parameters(service: Service) -> Any:
    from xllamacpp import CommonParams, llama_pooling_type

    params = CommonParams()
    params.model.path = str(service.model)
    params.model_alias = {service.alias}
    params.hostnames = [service.host]
    params.port = service.port
    params.api_keys = [service.key] if service.key else []
    params.n_ctx = service.context_tokens * service.parallel  # llama.cpp divides it by the slots
    params.n_parallel = service.parallel
    params.ui = False
    threads = service.threads or _threads()
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    if service.task in EMBEDDING_TASKS:
        params.embedding = True
        params.n_ubatch = params.n_batch = max(params.n_batch, service.context_tokens)
        params.pooling_type = llama_pooling_type.LLAMA_POOLING_TYPE_UNSPECIFIED
    return params


def _threads() -> int:
    """Half of the processors: threads that spin for one that is taken make all others wait."""
    return max(1, (os.cpu_count() or 2) // 2)


def _leave(code: int, message: str) -> NoReturn:
    """End now: llama.cpp's threads would hold up an ordinary exit."""
    print(message, file=sys.stderr, flush=True)
    os._exit(code)
