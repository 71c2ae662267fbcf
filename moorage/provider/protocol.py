"""The messages of Pulumi's provider protocol, without the SDK around them.

Importing `pulumi.runtime.proto` runs the packages above it, which cost a plugin 0.2 s at every
start for nothing. The same files are loaded under a name of our own; protobuf gives one class per
message, so whoever has the SDK as well gets the very same ones.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        engine_pb2,
        engine_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        status_pb2,
    )
else:
    _PACKAGE: Final = "moorage.provider._pulumi"

    def _prepare() -> None:
        sdk = importlib.util.find_spec("pulumi")
        folder = Path(sdk.submodule_search_locations[0], "runtime", "proto")
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        # Known, and not executed: its own __init__ would load every protocol there is.
        sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)

    def _load(name: str) -> Any:
        return importlib.import_module(f"{_PACKAGE}.{name}")

    _prepare()
    engine_pb2 = _load("engine_pb2")
    engine_pb2_grpc = _load("engine_pb2_grpc")
    plugin_pb2 = _load("plugin_pb2")
    provider_pb2 = _load("provider_pb2")
    provider_pb2_grpc = _load("provider_pb2_grpc")
    status_pb2 = _load("status_pb2")

__all__ = [
    "engine_pb2",
    "engine_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "status_pb2",
]
