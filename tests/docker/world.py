"""A machine with GPUs for whoever has none: a Docker engine, and an image in the place of vLLM's.

`python -m tests.docker.world`, as root, serves until a signal. `moorage up --stack docker` goes
there with the `export` lines that it prints; it is real but for the GPUs and the model.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from tests.docker import engine, image
from tests.docker_plugin import place as plugin

_ROOT: Final = Path(__file__).parents[2]
_GPUS: Final = 2
_KV_TOKENS: Final = 150_000  # what specs/docker/chat.yaml has proven, and a little more


def main() -> int:
    """Be the world until a signal."""
    argparse.ArgumentParser(prog="python -m tests.docker.world", description=__doc__).parse_args()
    if reason := engine.unavailable():
        sys.stderr.write(f"{reason}\n")
        return 1
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with made() as environment:
        print("\n".join(f"export {name}={value}" for name, value in environment.items()))
        print("# the world is ready", flush=True)
        over.wait()
    return 0


@contextmanager
def made() -> Iterator[dict[str, str]]:
    """The variables that lead there."""
    with engine.running(gpus=_GPUS) as started:
        image.load(started)
        text = f"FROM {image.NAME}:1\nENV MOORAGE_TWIN_KV_TOKENS={_KV_TOKENS}\n"
        started.client.images.build(fileobj=io.BytesIO(text.encode()), tag=_vllm(), rm=True)
        environment = {"DOCKER_HOST": f"unix://{started.place.socket}"}
        if not plugin.has_real():
            environment["PATH"] = f"{plugin.FOLDER}{os.pathsep}{os.environ.get('PATH', '')}"
        yield environment


def _vllm() -> str:
    """The image that a spec gets which names no version of vLLM."""
    text = (_ROOT / "catalog" / "engines.yaml").read_text(encoding="utf-8")
    vllm = yaml.safe_load(text)["engines"]["vllm"]
    return str(vllm["image"].format(version=vllm["versions"][0]))


if __name__ == "__main__":
    sys.exit(main())
