"""Containers for tests, made as Docker's Pulumi plugin makes them, with a small engine inside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import docker.errors

from moorage.provider.docker_host import labels
from moorage.provider.handler import State
from tests.docker import rootfs
from tests.docker.engine import Engine

KEY: Final = "sk-of-the-engine"
HUB_TOKEN: Final = "hf_of_the_container"
PORT: Final = 8000
BLOCKS: Final = 64  # of 16 tokens
MODEL: Final = "served"
# Loads for so long, then answers chats and metrics; tells a secret, as engines do in their traces.
SERVER: Final = f"""
import http.server, os, sys, time
loads_s, ends = float(sys.argv[1]), sys.argv[2:]
print("loading with " + os.environ["HF_TOKEN"], flush=True)
time.sleep(loads_s)
if ends:
    print("\\x1b[31mValueError:\\x1b[0m no such layer", flush=True)
    sys.exit(int(ends[0]))
class Engine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.tell('vllm:cache_config_info{{block_size="16",num_gpu_blocks="{BLOCKS}"}} 1.0\\n'
                  if self.path == "/metrics" else '{{"version": "0.33.0"}}')
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != "Bearer " + os.environ["API_KEY"]:
            return self.send_error(401)
        self.tell('{{"model": "{MODEL}"}}')
    def tell(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_):
        pass
print("serving", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", {PORT}), Engine).serve_forever()
"""


@dataclass(frozen=True, kw_only=True)
class Harbour:
    """A Docker engine, and the image that containers are of."""

    engine: Engine
    image: str

    def run(self, slot: State, *arguments: str, **settings: Any) -> Any:
        """A container in its slot; arguments: seconds of loading, and the code to exit with."""
        return self.engine.client.containers.run(
            self.image,
            name=slot["name"],
            entrypoint=[rootfs.INTERPRETER, "-u", "-c", SERVER],
            command=[*(arguments or ("0",))],
            ports={f"{PORT}/tcp": (slot.get("address", "127.0.0.1"), slot["port"])},
            environment={"HF_TOKEN": HUB_TOKEN, "API_KEY": KEY},
            device_requests=_gpus(slot.get("deviceIds", ())),
            labels={
                labels.OWNER: slot["owner"],
                labels.SERVICE: slot.get("service", "chat"),
                labels.DIGEST: slot.get("digest", "a"),
                labels.CLAIM: slot.get("claim", "of none"),
            },
            stop_signal="SIGKILL",
            detach=True,
            **settings,
        )

    def slot_inputs(self, **inputs: Any) -> State:
        """What a ContainerSlot is given, with its defaults."""
        return {
            "host": self.engine.host,
            "owner": "shop/prod/chat",
            "service": "chat",
            "digest": "a",
            "image": self.image,
            "address": "127.0.0.1",
            "devices": [],
            "blueGreen": False,
            **inputs,
        }

    def ready_inputs(self, container: Any, port: int, **inputs: Any) -> State:
        """What an EngineReady is given, with its defaults."""
        return {
            "host": self.engine.host,
            "owner": "shop/prod/chat",
            "container": container.name,
            "containerId": container.id,
            "url": f"http://127.0.0.1:{port}",
            "key": KEY,
            "probe": {"path": "/v1/chat/completions", "body": "{}"},
            "blueGreen": False,
            "readyTimeoutSeconds": 60,
            **inputs,
        }

    def containers(self) -> list[Any]:
        """All that there are."""
        return list(self.engine.client.containers.list(all=True))

    def proofs(self) -> list[str]:
        """Containers that proved something and should be gone."""
        return [one.id for one in self.containers() if labels.PROOF in one.labels]

    def clear(self) -> None:
        """Leave no container."""
        for one in self.containers():
            with suppress(docker.errors.APIError):
                one.remove(force=True, v=True)


def _gpus(ids: Sequence[str]) -> list[Any]:
    if not ids:
        return []
    request = docker.types.DeviceRequest(driver="nvidia", device_ids=[*ids], capabilities=[["gpu"]])
    return [request]
