"""Variables of an engine's environment that are not a spec's to set."""

from __future__ import annotations

import re
from typing import Final

# Where each engine takes the key from that opens it; moorage makes and keeps that.
KEYS: Final = {
    "vllm": "VLLM_API_KEY",
    "sglang": "API_KEY",
    "tei": "API_KEY",
    "llama.cpp": "LLAMA_API_KEY",
    "custom": "API_KEY",
}
# What an instance's own shell, loader and Docker go by, before there is any container.
STEERS: Final = re.compile(r"PATH|HOME|DOCKER_\w*|LD_\w*")
