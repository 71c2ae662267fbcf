"""A provider plugin for tests: its only resource is a file, and creating one may take for ever.

`moorage:index:Marker` has the inputs `path` (the thing itself: a file holding the URN), `waitFor`
(create waits until this path exists) and `fail` (create fails with this text). Deleting it fails
while a file of its path with `.stuck` behind it exists, an update while one with `.frozen` does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.empty_pb2 import Empty

from moorage.provider.protocol import plugin_pb2, provider_pb2_grpc, status_pb2
from moorage.provider.protocol import provider_pb2 as proto


def plain(struct: Any) -> dict[str, Any]:
    return {k: v for k, v in struct.items()}  # noqa: C416 (a Struct is no dict)


def packed(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


class Markers(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return proto.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        return Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version="0.1.0")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return proto.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return proto.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return proto.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        old, new = plain(request.old_inputs), plain(request.news)
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        kind = proto.DiffResponse.DIFF_SOME if changed else proto.DiffResponse.DIFF_NONE
        replaces = [key for key in changed if key == "path"]
        return proto.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = plain(request.properties)
        if request.preview:
            return proto.CreateResponse(properties=request.properties)
        if inputs.get("fail"):
            context.abort(grpc.StatusCode.UNKNOWN, str(inputs["fail"]))
        path = Path(inputs["path"])
        path.write_text(request.urn, encoding="utf-8")
        self.wait(inputs, str(path), request, context)
        return proto.CreateResponse(id=str(path), properties=request.properties)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        if Path(f"{request.id}.frozen").exists():
            context.abort(grpc.StatusCode.UNKNOWN, "it cannot be changed now")
        self.wait(plain(request.news), request.id, request, context)
        return proto.UpdateResponse(properties=request.news)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not Path(request.id).exists():
            return proto.ReadResponse()
        properties = request.properties if len(request.properties) else packed({"path": request.id})
        inputs = request.inputs if len(request.inputs) else packed({"path": request.id})
        return proto.ReadResponse(id=request.id, properties=properties, inputs=inputs)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        if Path(f"{request.id}.stuck").exists():
            context.abort(grpc.StatusCode.UNKNOWN, "it is in use")
        Path(request.id).unlink(missing_ok=True)
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not os.environ.get("STUBBORN"):
            self.cancelled.set()
        return Empty()

    def wait(self, inputs: dict[str, Any], identity: str, request: Any, context: Any) -> None:
        while inputs.get("waitFor") and not Path(inputs["waitFor"]).exists():
            if self.cancelled.wait(0.05):
                reasons = ["cancelled while it waited"]
                detail = proto.ErrorResourceInitFailed(
                    id=identity, properties=packed(inputs), inputs=packed(inputs), reasons=reasons
                )
                self.abort_with(detail, context)

    def abort_with(self, detail: Any, context: Any) -> None:
        any_detail = Packed()
        any_detail.Pack(detail)
        status = status_pb2.Status(code=2, message="not ready", details=[any_detail])
        context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
        context.abort(grpc.StatusCode.UNKNOWN, "not ready")


def locate() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        path = Path(asked["inputs"]["path"])
        there = path.exists() and path.read_text(encoding="utf-8") == asked["urn"]
        print(json.dumps({"urn": asked["urn"], "id": str(path) if there else None}), flush=True)


def serve() -> None:
    beside = any(word.startswith("--beside=") for word in sys.argv)
    if "STARTS" in os.environ:
        with Path(os.environ["STARTS"]).open("a", encoding="utf-8") as file:
            file.write("beside\n" if beside else "engine\n")
    if beside and "LAME" in os.environ:
        sys.exit("it does not start")
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Markers(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    parent = Path(f"/proc/{os.getppid()}")
    while parent.exists():
        time.sleep(0.2)
    os._exit(0)  # creates that wait are left waiting, as a provider without care would


if __name__ == "__main__":
    locate() if sys.argv[1:] == ["locate"] else serve()
