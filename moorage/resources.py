"""The resource classes of moorage, derived from the shapes of its handlers.

Names are as usual in Python, members of objects included; keys of maps stay as they
are. Not to be edited: the provider's command `resources` prints it anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal, NotRequired, TypedDict, TypeVar

import pulumi
from pulumi import Input, Output, ResourceOptions

_T = TypeVar("_T")
_R = TypeVar("_R", bound=pulumi.CustomResource)


@dataclass(frozen=True)
class _Each:
    """What every value of a map holds; its keys are the user's own."""

    value: Any


def _to_wire(value: Any, within: Any) -> Any:
    """The value with the members of its objects called as on the wire."""
    if inspect.isawaitable(value) or isinstance(value, Output):
        return Output.from_input(value).apply(lambda known: _to_wire(known, within))
    if isinstance(value, list | tuple):
        return [_to_wire(item, within) for item in value]
    if isinstance(value, Mapping) and isinstance(within, _Each):
        return {key: _to_wire(item, within.value) for key, item in value.items()}
    if isinstance(value, Mapping) and isinstance(within, dict):
        known = {name: within.get(name, (name, None)) for name in value}
        return {wire: _to_wire(value[name], inner) for name, (wire, inner) in known.items()}
    return value


def _from_wire(value: Any, within: Any) -> Any:
    """The value with the members of its objects called as in Python."""
    if within is int and isinstance(value, float):
        return int(value)
    if isinstance(value, list):
        return [_from_wire(item, within) for item in value]
    if isinstance(value, dict) and isinstance(within, _Each):
        return {key: _from_wire(item, within.value) for key, item in value.items()}
    if isinstance(value, dict) and isinstance(within, dict):
        names = {wire: (name, inner) for name, (wire, inner) in within.items()}
        known = {wire: names.get(wire, (wire, None)) for wire in value}
        return {name: _from_wire(value[wire], inner) for wire, (name, inner) in known.items()}
    return value


def _known(resource: pulumi.Resource, wire: str, within: Any = None) -> Output[_T]:
    """The output that is called so on the wire."""
    value: Output[Any] = resource.__dict__[wire]
    if within is None:
        return value
    return value.apply(lambda known: _from_wire(known, within))


def _secret(value: Any) -> Output[Any] | None:
    return None if value is None else Output.secret(value)


def _json(value: Any) -> Output[str] | None:
    """Providers are configured by texts."""
    return None if value is None else Output.json_dumps(value)


def _deprecated(value: Any, name: str, instead: str) -> Any:
    if value is not None:
        pulumi.log.warn(f"{name} is deprecated: {instead}")
    return value


def _options(
    opts: ResourceOptions | None, secrets: Iterable[str], *, delete_first: bool = False
) -> ResourceOptions:
    """The options, and what is so whether the program says it or not.

    The engine asks a provider which goes first in a replacement, but not in one that a user
    asks for; so the program says it too.
    """
    first = ResourceOptions(delete_before_replace=delete_first or None)
    secret = ResourceOptions(additional_secret_outputs=list(secrets))
    return ResourceOptions.merge(ResourceOptions.merge(first, opts), secret)


def _existing(
    resource: type[_R],
    token: str,
    wired: Iterable[str],
    name: str,
    key: Input[str],
    opts: ResourceOptions | None,
) -> _R:
    """A resource that is read by its id, and never changed."""
    made = resource.__new__(resource)
    found = ResourceOptions.merge(opts, ResourceOptions(id=key))
    pulumi.CustomResource.__init__(made, token, name, dict.fromkeys(wired), found)
    return made


class ModelFileOffline(StrEnum):
    """What to do without the Hub: refuse, or serve the generated tiny model."""

    REFUSE = "refuse"
    TINY = "tiny"


ModelFileOfflineText = Literal["refuse", "tiny"]


class ProcessReloadSignal(StrEnum):
    """Signal that makes it read changed files without a restart."""

    SIGHUP = "SIGHUP"
    SIGUSR1 = "SIGUSR1"
    SIGUSR2 = "SIGUSR2"


ProcessReloadSignalText = Literal["SIGHUP", "SIGUSR1", "SIGUSR2"]


class RouterRoutePolicy(StrEnum):
    """How the router chooses among all that serve the model, where none is pinned."""

    FASTEST = "fastest"
    CHEAPEST = "cheapest"
    PREFERRED = "preferred"


RouterRoutePolicyText = Literal["fastest", "cheapest", "preferred"]


class ProcessReadyArgs(TypedDict):
    """What proves that it serves."""

    path: Input[str]
    """Path of the API call that proves it serves."""
    body: NotRequired[Input[str] | None]
    """JSON to POST; without it the call is a GET."""
    contains: NotRequired[Input[str] | None]
    """Text that the answer must contain."""
    timeout_seconds: NotRequired[Input[float] | None]
    """How long to wait for it. Default: 120."""


class ProcessReady(TypedDict):
    """What proves that it serves."""

    path: str
    """Path of the API call that proves it serves."""
    body: NotRequired[str | None]
    """JSON to POST; without it the call is a GET."""
    contains: NotRequired[str | None]
    """Text that the answer must contain."""
    timeout_seconds: float
    """How long to wait for it. Default: 120."""


_PROCESS_READY: Final[dict[str, Any]] = {
    "path": ("path", None),
    "body": ("body", None),
    "contains": ("contains", None),
    "timeout_seconds": ("timeoutSeconds", None),
}


class ApiKey(pulumi.CustomResource):
    """A random bearer key, the same until it is replaced."""

    _wired: ClassVar = ("prefix", "value")
    _secrets: ClassVar[list[str]] = ["value"]

    def __init__(
        self,
        resource_name: str,
        *,
        prefix: Input[str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        prefix: What the key begins with. Default: "sk-moorage".
        """
        inputs: dict[str, Any] = {
            "prefix": prefix,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:ApiKey", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> ApiKey:
        """The one that exists under this id: read, and never changed."""
        return _existing(ApiKey, "moorage:index:ApiKey", ApiKey._wired, resource_name, id, opts)

    @property
    @pulumi.getter(name="prefix")
    def prefix(self) -> Output[str]:
        """What the key begins with. Default: "sk-moorage"."""
        return _known(self, "prefix")

    @property
    @pulumi.getter(name="value")
    def value(self) -> Output[str]:
        """The key."""
        return _known(self, "value")


class ModelFile(pulumi.CustomResource):
    """One GGUF file on this machine: given by path, downloaded, or generated."""

    _wired: ClassVar = (
        "task",
        "path",
        "repo",
        "revision",
        "file",
        "sha256",
        "sizeBytes",
        "offline",
        "localPath",
        "sha256Actual",
        "source",
        "servedModel",
        "fingerprint",
        "drift",
    )
    _secrets: ClassVar[list[str]] = []

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
        offline: Input[ModelFileOffline | ModelFileOfflineText] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        task: What the model is for.
        path: A file that is here already.
        repo: Repository of the Hub.
        revision: Its commit.
        file: File in it.
        sha256: Digest that the file must have.
        size_bytes: Size that the file must have.
        offline: What to do without the Hub: refuse, or serve the generated tiny model. Default:
            "refuse".
        """
        inputs: dict[str, Any] = {
            "task": task,
            "path": path,
            "repo": repo,
            "revision": revision,
            "file": file,
            "sha256": sha256,
            "sizeBytes": size_bytes,
            "offline": offline,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:ModelFile", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> ModelFile:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            ModelFile,
            "moorage:index:ModelFile",
            ModelFile._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="task")
    def task(self) -> Output[str]:
        """What the model is for."""
        return _known(self, "task")

    @property
    @pulumi.getter(name="path")
    def path(self) -> Output[str | None]:
        """A file that is here already."""
        return _known(self, "path")

    @property
    @pulumi.getter(name="repo")
    def repo(self) -> Output[str | None]:
        """Repository of the Hub."""
        return _known(self, "repo")

    @property
    @pulumi.getter(name="revision")
    def revision(self) -> Output[str | None]:
        """Its commit."""
        return _known(self, "revision")

    @property
    @pulumi.getter(name="file")
    def file(self) -> Output[str | None]:
        """File in it."""
        return _known(self, "file")

    @property
    @pulumi.getter(name="sha256")
    def sha256(self) -> Output[str | None]:
        """Digest that the file must have."""
        return _known(self, "sha256")

    @property
    @pulumi.getter(name="sizeBytes")
    def size_bytes(self) -> Output[int | None]:
        """Size that the file must have."""
        return _known(self, "sizeBytes")

    @property
    @pulumi.getter(name="offline")
    def offline(self) -> Output[ModelFileOfflineText]:
        """What to do without the Hub: refuse, or serve the generated tiny model. Default:
        "refuse".
        """
        return _known(self, "offline")

    @property
    @pulumi.getter(name="localPath")
    def local_path(self) -> Output[str]:
        """Where the file is."""
        return _known(self, "localPath")

    @property
    @pulumi.getter(name="sha256Actual")
    def sha256_actual(self) -> Output[str]:
        """Its digest."""
        return _known(self, "sha256Actual")

    @property
    @pulumi.getter(name="source")
    def source(self) -> Output[str]:
        """path, hub or generated."""
        return _known(self, "source")

    @property
    @pulumi.getter(name="servedModel")
    def served_model(self) -> Output[str]:
        """The name to serve it as."""
        return _known(self, "servedModel")

    @property
    @pulumi.getter(name="fingerprint")
    def fingerprint(self) -> Output[str | None]:
        """Size and time, to see the file changed."""
        return _known(self, "fingerprint")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class OpenAIServer(pulumi.CustomResource):
    """An OpenAI-compatible server that is already there; it is proven, not created."""

    _wired: ClassVar = (
        "url",
        "task",
        "apiKey",
        "model",
        "modelHint",
        "timeoutSeconds",
        "servedModel",
        "drift",
    )
    _secrets: ClassVar[list[str]] = ["apiKey"]

    def __init__(
        self,
        resource_name: str,
        *,
        url: Input[str],
        task: Input[str],
        api_key: Input[str] | None = None,
        model: Input[str] | None = None,
        model_hint: Input[str] | None = None,
        timeout_seconds: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        url: Base URL, ending in /v1.
        task: What the model is for.
        api_key: Bearer key of the server.
        model: The name under which the server has the model.
        model_hint: The model's id, looked for among its models.
        timeout_seconds: How long to wait for it. Default: 60.
        """
        inputs: dict[str, Any] = {
            "url": url,
            "task": task,
            "apiKey": _secret(api_key),
            "model": model,
            "modelHint": model_hint,
            "timeoutSeconds": timeout_seconds,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:OpenAIServer", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> OpenAIServer:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            OpenAIServer,
            "moorage:index:OpenAIServer",
            OpenAIServer._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """Base URL, ending in /v1."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="task")
    def task(self) -> Output[str]:
        """What the model is for."""
        return _known(self, "task")

    @property
    @pulumi.getter(name="apiKey")
    def api_key(self) -> Output[str | None]:
        """Bearer key of the server."""
        return _known(self, "apiKey")

    @property
    @pulumi.getter(name="model")
    def model(self) -> Output[str | None]:
        """The name under which the server has the model."""
        return _known(self, "model")

    @property
    @pulumi.getter(name="modelHint")
    def model_hint(self) -> Output[str | None]:
        """The model's id, looked for among its models."""
        return _known(self, "modelHint")

    @property
    @pulumi.getter(name="timeoutSeconds")
    def timeout_seconds(self) -> Output[float]:
        """How long to wait for it. Default: 60."""
        return _known(self, "timeoutSeconds")

    @property
    @pulumi.getter(name="servedModel")
    def served_model(self) -> Output[str]:
        """The name to ask for."""
        return _known(self, "servedModel")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class Process(pulumi.CustomResource):
    """A process of this machine that serves HTTP; its directory is its identity."""

    _wired: ClassVar = (
        "directory",
        "owner",
        "command",
        "environment",
        "files",
        "host",
        "port",
        "ready",
        "readyKey",
        "reloadSignal",
        "stopGraceSeconds",
        "pid",
        "url",
        "log",
        "startedAt",
        "argumentsDigest",
        "drift",
    )
    _secrets: ClassVar[list[str]] = ["environment", "files", "readyKey"]

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
        ready: Input[ProcessReadyArgs],
        ready_key: Input[str] | None = None,
        reload_signal: Input[ProcessReloadSignal | ProcessReloadSignalText] | None = None,
        stop_grace_seconds: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        directory: Absolute path; holds the log and the files, and is removed with the process.
        owner: Whose it is, as project/stack/name; what another owns is refused.
        command: Program and arguments; {port} and {directory} are filled in.
        environment: Variables; {port} and {directory} are filled in.
        files: Private files written into the directory before start.
        host: Where it listens. Default: "127.0.0.1".
        port: Fixed port; without it a free one is chosen and kept. At least 1. At most 65535.
        ready: What proves that it serves.
        ready_key: Bearer key of that call.
        reload_signal: Signal that makes it read changed files without a restart.
        stop_grace_seconds: Time between SIGTERM and SIGKILL. Default: 10.
        """
        inputs: dict[str, Any] = {
            "directory": directory,
            "owner": owner,
            "command": command,
            "environment": _secret(environment),
            "files": _secret(files),
            "host": host,
            "port": port,
            "ready": _to_wire(ready, _PROCESS_READY),
            "readyKey": _secret(ready_key),
            "reloadSignal": reload_signal,
            "stopGraceSeconds": stop_grace_seconds,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets, delete_first=True)
        super().__init__("moorage:index:Process", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> Process:
        """The one that exists under this id: read, and never changed."""
        return _existing(Process, "moorage:index:Process", Process._wired, resource_name, id, opts)

    @property
    @pulumi.getter(name="directory")
    def directory(self) -> Output[str]:
        """Absolute path; holds the log and the files, and is removed with the process."""
        return _known(self, "directory")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str]:
        """Whose it is, as project/stack/name; what another owns is refused."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="command")
    def command(self) -> Output[Sequence[str]]:
        """Program and arguments; {port} and {directory} are filled in."""
        return _known(self, "command")

    @property
    @pulumi.getter(name="environment")
    def environment(self) -> Output[Mapping[str, str] | None]:
        """Variables; {port} and {directory} are filled in."""
        return _known(self, "environment")

    @property
    @pulumi.getter(name="files")
    def files(self) -> Output[Mapping[str, str] | None]:
        """Private files written into the directory before start."""
        return _known(self, "files")

    @property
    @pulumi.getter(name="host")
    def host(self) -> Output[str]:
        """Where it listens. Default: "127.0.0.1"."""
        return _known(self, "host")

    @property
    @pulumi.getter(name="port")
    def port(self) -> Output[int]:
        """Where it listens."""
        return _known(self, "port")

    @property
    def ready(self) -> Output[ProcessReady]:
        """What proves that it serves."""
        return _known(self, "ready", _PROCESS_READY)

    @property
    @pulumi.getter(name="readyKey")
    def ready_key(self) -> Output[str | None]:
        """Bearer key of that call."""
        return _known(self, "readyKey")

    @property
    @pulumi.getter(name="reloadSignal")
    def reload_signal(self) -> Output[ProcessReloadSignalText | None]:
        """Signal that makes it read changed files without a restart."""
        return _known(self, "reloadSignal")

    @property
    @pulumi.getter(name="stopGraceSeconds")
    def stop_grace_seconds(self) -> Output[float]:
        """Time between SIGTERM and SIGKILL. Default: 10."""
        return _known(self, "stopGraceSeconds")

    @property
    @pulumi.getter(name="pid")
    def pid(self) -> Output[int]:
        """Its process id; 0 when it does not run."""
        return _known(self, "pid")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """http://host:port"""
        return _known(self, "url")

    @property
    @pulumi.getter(name="log")
    def log(self) -> Output[str]:
        """Path of its log."""
        return _known(self, "log")

    @property
    @pulumi.getter(name="startedAt")
    def started_at(self) -> Output[str]:
        """When it was started (RFC 3339)."""
        return _known(self, "startedAt")

    @property
    @pulumi.getter(name="argumentsDigest")
    def arguments_digest(self) -> Output[str | None]:
        """Of its arguments, to see them changed."""
        return _known(self, "argumentsDigest")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class RouterRoute(pulumi.CustomResource):
    """A way through the Hugging Face router to a model; it is proven, not created."""

    _wired: ClassVar = (
        "model",
        "task",
        "provider",
        "policy",
        "billTo",
        "minContext",
        "maxUsdPerMtokInput",
        "maxUsdPerMtokOutput",
        "prove",
        "url",
        "servedModel",
        "providers",
        "contextTokens",
        "inputUsdPerMtok",
        "outputUsdPerMtok",
        "drift",
    )
    _secrets: ClassVar[list[str]] = []

    def __init__(
        self,
        resource_name: str,
        *,
        model: Input[str],
        task: Input[str] | None = None,
        provider: Input[str] | None = None,
        policy: Input[RouterRoutePolicy | RouterRoutePolicyText] | None = None,
        bill_to: Input[str] | None = None,
        min_context: Input[int] | None = None,
        max_usd_per_mtok_input: Input[float] | None = None,
        max_usd_per_mtok_output: Input[float] | None = None,
        prove: Input[bool] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        model: The model, as the Hub calls it.
        task: What the model is for, in the Hub's words. Default: "text-generation".
        provider: The one provider that may answer; the router never fails over from it.
        policy: How the router chooses among all that serve the model, where none is pinned.
        bill_to: The organisation that pays.
        min_context: How many tokens a request may have at least. At least 1.
        max_usd_per_mtok_input: The most that a million tokens of prompts may cost. At least 0.
        max_usd_per_mtok_output: The most that a million tokens of answers may cost. At least 0.
        prove: Whether one request of one token is sent, and paid, as a proof. Default: False.
        """
        inputs: dict[str, Any] = {
            "model": model,
            "task": task,
            "provider": provider,
            "policy": policy,
            "billTo": bill_to,
            "minContext": min_context,
            "maxUsdPerMtokInput": max_usd_per_mtok_input,
            "maxUsdPerMtokOutput": max_usd_per_mtok_output,
            "prove": prove,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:RouterRoute", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> RouterRoute:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            RouterRoute,
            "moorage:index:RouterRoute",
            RouterRoute._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="model")
    def model(self) -> Output[str]:
        """The model, as the Hub calls it."""
        return _known(self, "model")

    @property
    @pulumi.getter(name="task")
    def task(self) -> Output[str]:
        """What the model is for, in the Hub's words. Default: "text-generation"."""
        return _known(self, "task")

    @property
    @pulumi.getter(name="provider")
    def provider(self) -> Output[str | None]:
        """The one provider that may answer; the router never fails over from it."""
        return _known(self, "provider")

    @property
    @pulumi.getter(name="policy")
    def policy(self) -> Output[RouterRoutePolicyText | None]:
        """How the router chooses among all that serve the model, where none is pinned."""
        return _known(self, "policy")

    @property
    @pulumi.getter(name="billTo")
    def bill_to(self) -> Output[str | None]:
        """The organisation that pays."""
        return _known(self, "billTo")

    @property
    @pulumi.getter(name="minContext")
    def min_context(self) -> Output[int | None]:
        """How many tokens a request may have at least. At least 1."""
        return _known(self, "minContext")

    @property
    @pulumi.getter(name="maxUsdPerMtokInput")
    def max_usd_per_mtok_input(self) -> Output[float | None]:
        """The most that a million tokens of prompts may cost. At least 0."""
        return _known(self, "maxUsdPerMtokInput")

    @property
    @pulumi.getter(name="maxUsdPerMtokOutput")
    def max_usd_per_mtok_output(self) -> Output[float | None]:
        """The most that a million tokens of answers may cost. At least 0."""
        return _known(self, "maxUsdPerMtokOutput")

    @property
    @pulumi.getter(name="prove")
    def prove(self) -> Output[bool]:
        """Whether one request of one token is sent, and paid, as a proof. Default: False."""
        return _known(self, "prove")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """Base URL for OpenAI's clients."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="servedModel")
    def served_model(self) -> Output[str]:
        """The name to ask for."""
        return _known(self, "servedModel")

    @property
    @pulumi.getter(name="providers")
    def providers(self) -> Output[Sequence[str]]:
        """Who may answer."""
        return _known(self, "providers")

    @property
    @pulumi.getter(name="contextTokens")
    def context_tokens(self) -> Output[int | None]:
        """How many tokens each of them takes; empty where one is silent."""
        return _known(self, "contextTokens")

    @property
    @pulumi.getter(name="inputUsdPerMtok")
    def input_usd_per_mtok(self) -> Output[float | None]:
        """What a million tokens of prompts cost at the dearest of them."""
        return _known(self, "inputUsdPerMtok")

    @property
    @pulumi.getter(name="outputUsdPerMtok")
    def output_usd_per_mtok(self) -> Output[float | None]:
        """What a million tokens of answers cost at the dearest of them."""
        return _known(self, "outputUsdPerMtok")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")
