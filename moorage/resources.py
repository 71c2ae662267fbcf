"""The Pulumi resource classes (tokens `moorage:index:*`) that components declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions


class _Moored(pulumi.CustomResource):
    """A resource of our provider: camelCase on the wire, snake_case in Python."""

    def __init__(
        self,
        kind: str,
        resource_name: str,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        opts: ResourceOptions | None,
    ) -> None:
        props = {**dict.fromkeys(outputs), **inputs}
        super().__init__(f"moorage:index:{kind}", resource_name, props, opts)


def _wire(name: str) -> Any:
    """The output that is called `name` on the wire.

    Names are mapped here and not by Pulumi's translate hooks: those would also rename the keys
    of nested maps, environment variables and file names among them.
    """
    return property(lambda self: self.__dict__[name])


class Process(_Moored):
    """A process of this machine that serves HTTP; `directory` is its identity."""

    directory: Output[str]
    owner: Output[str]
    command: Output[Sequence[str]]
    host: Output[str]
    port: Output[int]
    pid: Output[int]
    url: Output[str]
    log: Output[str]
    started_at: Output[str] = _wire("startedAt")

    def __init__(
        self,
        resource_name: str,
        *,
        directory: Input[str],
        owner: Input[str],
        command: Input[Sequence[Input[str]]],
        environment: Input[Mapping[str, Input[str]]] | None = None,
        files: Input[Mapping[str, Input[str]]] | None = None,
        host: Input[str] | None = None,
        port: Input[int] | None = None,
        ready: Input[Mapping[str, Any]] | None = None,
        ready_key: Input[str] | None = None,
        reload_signal: Input[str] | None = None,
        stop_grace_seconds: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "directory": directory,
            "owner": owner,
            "command": command,
            "environment": _secret(environment),
            "files": _secret(files),
            "host": host,
            "port": port,
            "ready": ready,
            "readyKey": _secret(ready_key),
            "reloadSignal": reload_signal,
            "stopGraceSeconds": stop_grace_seconds,
        }
        outputs = ["pid", "url", "log", "startedAt"]
        super().__init__("Process", resource_name, inputs, outputs, opts)


class ApiKey(_Moored):
    """A random bearer key, the same until it is replaced."""

    prefix: Output[str]
    value: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        prefix: Input[str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        opts = ResourceOptions.merge(opts, ResourceOptions(additional_secret_outputs=["value"]))
        super().__init__("ApiKey", resource_name, {"prefix": prefix}, ["value"], opts)


class ModelFile(_Moored):
    """One GGUF file on this machine: given by path, downloaded, or generated."""

    task: Output[str]
    source: Output[str]
    local_path: Output[str] = _wire("localPath")
    sha256_actual: Output[str] = _wire("sha256Actual")
    served_model: Output[str] = _wire("servedModel")

    def __init__(
        self,
        resource_name: str,
        *,
        task: Input[str],
        path: Input[str] | None = None,
        repo: Input[str] | None = None,
        revision: Input[str] | None = None,
        file: Input[str] | None = None,
        sha256: Input[str] | None = None,
        size_bytes: Input[int] | None = None,
        offline: Input[str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "task": task,
            "path": path,
            "repo": repo,
            "revision": revision,
            "file": file,
            "sha256": sha256,
            "sizeBytes": size_bytes,
            "offline": offline,
        }
        outputs = ["source", "localPath", "sha256Actual", "servedModel"]
        super().__init__("ModelFile", resource_name, inputs, outputs, opts)


class OpenAIServer(_Moored):
    """An OpenAI-compatible server that is already there: proven, never created."""

    url: Output[str]
    api_key: Output[str | None] = _wire("apiKey")
    served_model: Output[str] = _wire("servedModel")

    def __init__(
        self,
        resource_name: str,
        *,
        url: Input[str],
        task: Input[str],
        api_key: Input[str | None] | None = None,
        model: Input[str] | None = None,
        model_hint: Input[str] | None = None,
        timeout_seconds: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "url": url,
            "task": task,
            "apiKey": _secret(api_key),
            "model": model,
            "modelHint": model_hint,
            "timeoutSeconds": timeout_seconds,
        }
        super().__init__("OpenAIServer", resource_name, inputs, ["servedModel"], opts)


def _secret(value: Input[Any] | None) -> Output[Any] | None:
    return None if value is None else Output.secret(value)
