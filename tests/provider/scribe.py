"""A language host that writes no language: `python -m tests.provider.scribe` as Pulumi starts one.

What it is asked to write as a program it hands back as it came, in Pulumi's own configuration
language: so a test sees the code of an import without the host of any real language.
"""

from __future__ import annotations

import signal
from concurrent import futures
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class Scribe(LanguageServer):
    """Only what an import asks for."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def GenerateProgram(self, request: Any, context: Any) -> Any:  # noqa: N802
        source = {name: text.encode() for name, text in request.source.items()}
        return language_pb2.GenerateProgramResponse(source=source)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # which is how Pulumi ends it
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Scribe(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
