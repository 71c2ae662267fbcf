"""The resource classes of moorage, derived from the shapes of its handlers.

Names are as usual in Python, members of objects included; keys of maps stay as they
are. Not to be edited: the provider's command `resources` prints it anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import pulumi
from pulumi import Input, Output, ResourceOptions

_T = TypeVar("_T")
_R = TypeVar("_R", bound=pulumi.CustomResource)


class _Each(NamedTuple):
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


class CollectionVisibility(StrEnum):
    """Who may see it."""

    PRIVATE = "private"
    PUBLIC = "public"


CollectionVisibilityText = Literal["private", "public"]


class CollectionItemsType(StrEnum):
    """What it is."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"
    PAPER = "paper"
    COLLECTION = "collection"


CollectionItemsTypeText = Literal["model", "dataset", "space", "paper", "collection"]


class GpuHostMarket(StrEnum):
    """on-demand, or spot, which may be taken away at two minutes' notice."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"


GpuHostMarketText = Literal["on-demand", "spot"]


class InferenceEndpointEngine(StrEnum):
    """What serves it."""

    VLLM = "vllm"
    VLLM_OMNI = "vllm-omni"
    VLLM_NEURON = "vllm-neuron"
    SGLANG = "sglang"
    TEI = "tei"
    LLAMA_CPP = "llama.cpp"
    TGI = "tgi"
    TGI_NEURON = "tgi-neuron"
    HF_SERVE = "hf-serve"
    TOOLKIT = "toolkit"
    TOOLKIT_NEURON = "toolkit-neuron"
    CUSTOM = "custom"


InferenceEndpointEngineText = Literal[
    "vllm",
    "vllm-omni",
    "vllm-neuron",
    "sglang",
    "tei",
    "llama.cpp",
    "tgi",
    "tgi-neuron",
    "hf-serve",
    "toolkit",
    "toolkit-neuron",
    "custom",
]


class InferenceEndpointAccelerator(StrEnum):
    """What computes."""

    CPU = "cpu"
    GPU = "gpu"
    NEURON = "neuron"


InferenceEndpointAcceleratorText = Literal["cpu", "gpu", "neuron"]


class InferenceEndpointScalingMetric(StrEnum):
    """What more replicas are started for."""

    PENDING_REQUESTS = "pendingRequests"
    HARDWARE_USAGE = "hardwareUsage"


InferenceEndpointScalingMetricText = Literal["pendingRequests", "hardwareUsage"]


class InferenceEndpointAccess(StrEnum):
    """Who may call it: anybody, any account, or this account alone."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"
    PRIVATE = "private"


InferenceEndpointAccessText = Literal["public", "authenticated", "private"]


class ModelFileOffline(StrEnum):
    """What to do without the Hub: refuse, or serve the generated tiny model."""

    REFUSE = "refuse"
    TINY = "tiny"


ModelFileOfflineText = Literal["refuse", "tiny"]


class ModelRepositoryRegion(StrEnum):
    """Where its files are kept."""

    US = "us"
    EU = "eu"


ModelRepositoryRegionText = Literal["us", "eu"]


class ModelRepositoryType(StrEnum):
    """What it holds."""

    MODEL = "model"
    DATASET = "dataset"


ModelRepositoryTypeText = Literal["model", "dataset"]


class ModelRepositoryVisibility(StrEnum):
    """Who may see it."""

    PRIVATE = "private"
    PUBLIC = "public"


ModelRepositoryVisibilityText = Literal["private", "public"]


class ModelRepositoryChangesBy(StrEnum):
    """How a change of its files is made: by a commit, or by a pull request for others to merge."""

    COMMIT = "commit"
    PULL_REQUEST = "pull-request"


ModelRepositoryChangesByText = Literal["commit", "pull-request"]


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


class SpaceRegion(StrEnum):
    """Where its files are kept."""

    US = "us"
    EU = "eu"


SpaceRegionText = Literal["us", "eu"]


class SpaceVisibility(StrEnum):
    """private: app and code for members. protected: the app is public. public: both are."""

    PRIVATE = "private"
    PROTECTED = "protected"
    PUBLIC = "public"


SpaceVisibilityText = Literal["private", "protected", "public"]


class SpaceVolumesType(StrEnum):
    """What is mounted."""

    BUCKET = "bucket"
    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"


SpaceVolumesTypeText = Literal["bucket", "model", "dataset", "space"]


class CollectionItemsArgs(TypedDict):
    """One entry."""

    type: Input[CollectionItemsType | CollectionItemsTypeText]
    """What it is."""
    id: Input[str]
    """Which one, owner/name."""
    note: NotRequired[Input[str] | None]
    """What is said of it."""


class CollectionItems(TypedDict):
    """One entry."""

    type: CollectionItemsTypeText
    """What it is."""
    id: str
    """Which one, owner/name."""
    note: NotRequired[str | None]
    """What is said of it."""


class EngineReadyProbeArgs(TypedDict):
    """The request that proves that it serves."""

    path: Input[str]
    """Below the url."""
    body: NotRequired[Input[str] | None]
    """JSON to POST; without it it is a GET."""


class EngineReadyProbe(TypedDict):
    """The request that proves that it serves."""

    path: str
    """Below the url."""
    body: NotRequired[str | None]
    """JSON to POST; without it it is a GET."""


class EngineReadyKvArgs(TypedDict):
    """What the plan has proven of the engine's KV cache."""

    tokens: Input[int]
    """How many tokens it holds. At least 0."""
    tolerance: NotRequired[Input[float] | None]
    """What share of them may be missing. At least 0. Default: 0.05."""


class EngineReadyKv(TypedDict):
    """What the plan has proven of the engine's KV cache."""

    tokens: int
    """How many tokens it holds. At least 0."""
    tolerance: float
    """What share of them may be missing. At least 0. Default: 0.05."""


class GpuHostProbeArgs(TypedDict):
    """The request that proves that it serves."""

    path: Input[str]
    """Below its url."""
    body: NotRequired[Input[str] | None]
    """What is posted; absent: it is a GET."""


class GpuHostProbe(TypedDict):
    """The request that proves that it serves."""

    path: str
    """Below its url."""
    body: NotRequired[str | None]
    """What is posted; absent: it is a GET."""


class GpuHostKvArgs(TypedDict):
    """The closed loop: the KV cache that the plan has proven."""

    tokens: Input[int]
    """Planned tokens. At least 1."""
    tolerance: NotRequired[Input[float] | None]
    """How far it may be off, as a share. At least 0. Default: 0.05."""


class GpuHostKv(TypedDict):
    """The closed loop: the KV cache that the plan has proven."""

    tokens: int
    """Planned tokens. At least 1."""
    tolerance: float
    """How far it may be off, as a share. At least 0. Default: 0.05."""


class InferenceEndpointRegistryArgs(TypedDict):
    """Who pulls a private image; for the custom engine. Absent: whom others set stays."""

    username: Input[str]
    """The registry's user."""
    password: Input[str]
    """The user's password or token."""


class InferenceEndpointRegistry(TypedDict):
    """Who pulls a private image; for the custom engine. Absent: whom others set stays."""

    username: str
    """The registry's user."""
    password: str
    """The user's password or token."""


class InferenceEndpointPrivateLinkArgs(TypedDict):
    """Reached through AWS PrivateLink only."""

    account: Input[str]
    """The AWS account."""
    region: Input[str]
    """Where the link enters."""
    shared: NotRequired[Input[bool] | None]
    """Whether endpoints share the link."""


class InferenceEndpointPrivateLink(TypedDict):
    """Reached through AWS PrivateLink only."""

    account: str
    """The AWS account."""
    region: str
    """Where the link enters."""
    shared: NotRequired[bool | None]
    """Whether endpoints share the link."""


class InferenceEndpointCustomRouterArgs(TypedDict):
    """A router of one's own between the replicas."""

    tag: Input[str]
    """The tag of its image."""
    env: NotRequired[Input[Mapping[str, Input[str]]] | None]
    """Its environment."""
    port: NotRequired[Input[int] | None]
    """Its port."""


class InferenceEndpointCustomRouter(TypedDict):
    """A router of one's own between the replicas."""

    tag: str
    """The tag of its image."""
    env: NotRequired[Mapping[str, str] | None]
    """Its environment."""
    port: NotRequired[int | None]
    """Its port."""


class InferenceEndpointProbeArgs(TypedDict):
    """The request that proves that it serves; absent: one that fits the task."""

    path: Input[str]
    """Below its url."""
    body: NotRequired[Input[Any] | None]
    """What is sent; absent: it is a GET."""


class InferenceEndpointProbe(TypedDict):
    """The request that proves that it serves; absent: one that fits the task."""

    path: str
    """Below its url."""
    body: NotRequired[Any | None]
    """What is sent; absent: it is a GET."""


class ProcessReadyArgs(TypedDict):
    """What proves that it serves."""

    path: NotRequired[Input[str] | None]
    """Path of the API call that proves it serves; without it, connections are accepted."""
    body: NotRequired[Input[str] | None]
    """JSON to POST; without it the call is a GET."""
    contains: NotRequired[Input[str] | None]
    """Text that the answer must contain."""
    timeout_seconds: NotRequired[Input[float] | None]
    """How long to wait for it. Default: 120."""


class ProcessReady(TypedDict):
    """What proves that it serves."""

    path: NotRequired[str | None]
    """Path of the API call that proves it serves; without it, connections are accepted."""
    body: NotRequired[str | None]
    """JSON to POST; without it the call is a GET."""
    contains: NotRequired[str | None]
    """Text that the answer must contain."""
    timeout_seconds: float
    """How long to wait for it. Default: 120."""


class SpaceVolumesArgs(TypedDict):
    """Something of the Hub that the app finds in its file system."""

    type: Input[SpaceVolumesType | SpaceVolumesTypeText]
    """What is mounted."""
    source: Input[str]
    """Which one, owner/name."""
    mount_path: Input[str]
    """Where the app finds it."""
    revision: NotRequired[Input[str] | None]
    """Of a repository."""
    read_only: NotRequired[Input[bool] | None]
    """Of a bucket; repositories always are."""
    path: NotRequired[Input[str] | None]
    """A folder in it."""


class SpaceVolumes(TypedDict):
    """Something of the Hub that the app finds in its file system."""

    type: SpaceVolumesTypeText
    """What is mounted."""
    source: str
    """Which one, owner/name."""
    mount_path: str
    """Where the app finds it."""
    revision: NotRequired[str | None]
    """Of a repository."""
    read_only: NotRequired[bool | None]
    """Of a bucket; repositories always are."""
    path: NotRequired[str | None]
    """A folder in it."""


_COLLECTION_ITEMS: Final[dict[str, Any]] = {
    "type": ("type", None),
    "id": ("id", None),
    "note": ("note", None),
}


_ENGINE_READY_PROBE: Final[dict[str, Any]] = {
    "path": ("path", None),
    "body": ("body", None),
}


_ENGINE_READY_KV: Final[dict[str, Any]] = {
    "tokens": ("tokens", int),
    "tolerance": ("tolerance", None),
}


_GPU_HOST_PROBE: Final[dict[str, Any]] = {
    "path": ("path", None),
    "body": ("body", None),
}


_GPU_HOST_KV: Final[dict[str, Any]] = {
    "tokens": ("tokens", int),
    "tolerance": ("tolerance", None),
}


_INFERENCE_ENDPOINT_REGISTRY: Final[dict[str, Any]] = {
    "username": ("username", None),
    "password": ("password", None),
}


_INFERENCE_ENDPOINT_PRIVATE_LINK: Final[dict[str, Any]] = {
    "account": ("account", None),
    "region": ("region", None),
    "shared": ("shared", None),
}


_INFERENCE_ENDPOINT_CUSTOM_ROUTER: Final[dict[str, Any]] = {
    "tag": ("tag", None),
    "env": ("env", None),
    "port": ("port", int),
}


_INFERENCE_ENDPOINT_PROBE: Final[dict[str, Any]] = {
    "path": ("path", None),
    "body": ("body", None),
}


_PROCESS_READY: Final[dict[str, Any]] = {
    "path": ("path", None),
    "body": ("body", None),
    "contains": ("contains", None),
    "timeout_seconds": ("timeoutSeconds", None),
}


_SPACE_VOLUMES: Final[dict[str, Any]] = {
    "type": ("type", None),
    "source": ("source", None),
    "mount_path": ("mountPath", None),
    "revision": ("revision", None),
    "read_only": ("readOnly", None),
    "path": ("path", None),
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


class Collection(pulumi.CustomResource):
    """A collection on the Hub: models, datasets, Spaces and papers, in order and with notes."""

    _wired: ClassVar = (
        "title",
        "namespace",
        "owner",
        "description",
        "visibility",
        "items",
        "url",
        "account",
        "mark",
        "isImported",
        "drift",
    )
    _secrets: ClassVar[list[str]] = []

    def __init__(
        self,
        resource_name: str,
        *,
        title: Input[str],
        namespace: Input[str] | None = None,
        owner: Input[str] | None = None,
        description: Input[str] | None = None,
        visibility: Input[CollectionVisibility | CollectionVisibilityText] | None = None,
        items: Input[Sequence[Input[CollectionItemsArgs]]] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        title: By which people find it; the Hub makes its address from it.
        namespace: The user or organisation that has and pays it; absent: who the token belongs
            to.
        owner: Who declares it, `project/stack/name`, as it is marked; absent: as the URN says.
        description: What it is about.
        visibility: Who may see it. Default: "private".
        items: What is in it, in this order.
        """
        inputs: dict[str, Any] = {
            "title": title,
            "namespace": namespace,
            "owner": owner,
            "description": description,
            "visibility": visibility,
            "items": _to_wire(items, _COLLECTION_ITEMS),
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets, delete_first=True)
        super().__init__("moorage:index:Collection", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> Collection:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            Collection,
            "moorage:index:Collection",
            Collection._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="title")
    def title(self) -> Output[str]:
        """By which people find it; the Hub makes its address from it."""
        return _known(self, "title")

    @property
    @pulumi.getter(name="namespace")
    def namespace(self) -> Output[str | None]:
        """The user or organisation that has and pays it; absent: who the token belongs to."""
        return _known(self, "namespace")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str | None]:
        """Who declares it, `project/stack/name`, as it is marked; absent: as the URN says."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="description")
    def description(self) -> Output[str | None]:
        """What it is about."""
        return _known(self, "description")

    @property
    @pulumi.getter(name="visibility")
    def visibility(self) -> Output[CollectionVisibilityText]:
        """Who may see it. Default: "private"."""
        return _known(self, "visibility")

    @property
    def items(self) -> Output[Sequence[CollectionItems] | None]:
        """What is in it, in this order."""
        return _known(self, "items", _COLLECTION_ITEMS)

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """Its page."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="account")
    def account(self) -> Output[str]:
        """Whose it is."""
        return _known(self, "account")

    @property
    @pulumi.getter(name="mark")
    def mark(self) -> Output[str | None]:
        """The digest that says who declares it."""
        return _known(self, "mark")

    @property
    @pulumi.getter(name="isImported")
    def is_imported(self) -> Output[bool | None]:
        """Whether it was made by others, and imported."""
        return _known(self, "isImported")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class ContainerSlot(pulumi.CustomResource):
    """The place of a container on a Docker host: its name, its port and its GPUs, chosen and
    proven before the container that has it now goes. A change of the digest says in the preview
    whether it means downtime or runs blue/green.
    """

    _wired: ClassVar = (
        "host",
        "owner",
        "service",
        "digest",
        "image",
        "address",
        "port",
        "devices",
        "blueGreen",
        "name",
        "deviceIds",
        "claim",
        "generation",
        "runtime",
        "drift",
    )
    _secrets: ClassVar[list[str]] = []

    def __init__(
        self,
        resource_name: str,
        *,
        host: Input[str],
        owner: Input[str],
        service: Input[str],
        digest: Input[str],
        image: Input[str],
        address: Input[str] | None = None,
        port: Input[int] | None = None,
        devices: Input[Sequence[Input[Sequence[Input[str]]]]] | None = None,
        blue_green: Input[bool] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        host: `local` (DOCKER_HOST of the environment, else the default socket), or its address
            as ssh://, unix:// or tcp://.
        owner: Whose it is, as project/stack/name; the container's label `moorage.owner`.
        service: What its name begins with; the container's label `moorage.service`.
        digest: Of the container's whole configuration; its label `moorage.digest`.
        image: The container's image, there already; what is proven is proven with it.
        address: The host's address that the port is bound to. Default: "127.0.0.1".
        port: Fixed port of the host; without it a free one is chosen and kept. At least 1. At
            most 65535.
        devices: Sets of GPU ids that it may get: one, or two that take turns with blueGreen.
            Default: [].
        blue_green: Whether a new container starts beside the old one, on a port of its own.
            Default: False.
        """
        inputs: dict[str, Any] = {
            "host": host,
            "owner": owner,
            "service": service,
            "digest": digest,
            "image": image,
            "address": address,
            "port": port,
            "devices": devices,
            "blueGreen": blue_green,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:ContainerSlot", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> ContainerSlot:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            ContainerSlot,
            "moorage:index:ContainerSlot",
            ContainerSlot._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="host")
    def host(self) -> Output[str]:
        """`local` (DOCKER_HOST of the environment, else the default socket), or its address as
        ssh://, unix:// or tcp://.
        """
        return _known(self, "host")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str]:
        """Whose it is, as project/stack/name; the container's label `moorage.owner`."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="service")
    def service(self) -> Output[str]:
        """What its name begins with; the container's label `moorage.service`."""
        return _known(self, "service")

    @property
    @pulumi.getter(name="digest")
    def digest(self) -> Output[str]:
        """Of the container's whole configuration; its label `moorage.digest`."""
        return _known(self, "digest")

    @property
    @pulumi.getter(name="image")
    def image(self) -> Output[str]:
        """The container's image, there already; what is proven is proven with it."""
        return _known(self, "image")

    @property
    @pulumi.getter(name="address")
    def address(self) -> Output[str]:
        """The host's address that the port is bound to. Default: "127.0.0.1"."""
        return _known(self, "address")

    @property
    @pulumi.getter(name="port")
    def port(self) -> Output[int]:
        """Its port of the host."""
        return _known(self, "port")

    @property
    @pulumi.getter(name="devices")
    def devices(self) -> Output[Sequence[Sequence[str]]]:
        """Sets of GPU ids that it may get: one, or two that take turns with blueGreen. Default:
        [].
        """
        return _known(self, "devices")

    @property
    @pulumi.getter(name="blueGreen")
    def blue_green(self) -> Output[bool]:
        """Whether a new container starts beside the old one, on a port of its own. Default:
        False.
        """
        return _known(self, "blueGreen")

    @property
    @pulumi.getter(name="name")
    def name(self) -> Output[str]:
        """The container's name."""
        return _known(self, "name")

    @property
    @pulumi.getter(name="deviceIds")
    def device_ids(self) -> Output[Sequence[str]]:
        """The GPUs that it gets."""
        return _known(self, "deviceIds")

    @property
    @pulumi.getter(name="claim")
    def claim(self) -> Output[str]:
        """No other slot has the same; the container's label `moorage.claim`, by which one that a
        killed run has begun is known to be this slot's.
        """
        return _known(self, "claim")

    @property
    @pulumi.getter(name="generation")
    def generation(self) -> Output[int]:
        """Grows when the container was removed by others; as its label it has it replaced."""
        return _known(self, "generation")

    @property
    @pulumi.getter(name="runtime")
    def runtime(self) -> Output[str]:
        """What runs it: Docker's version."""
        return _known(self, "runtime")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class EngineReady(pulumi.CustomResource):
    """A container's engine, proven by a real request and held to the KV cache of its plan."""

    _wired: ClassVar = (
        "host",
        "owner",
        "container",
        "containerId",
        "url",
        "key",
        "probe",
        "kv",
        "blueGreen",
        "readyTimeoutSeconds",
        "servedModel",
        "status",
        "engineVersion",
        "kvTokens",
        "kvDifference",
        "startedAt",
        "drift",
    )
    _secrets: ClassVar[list[str]] = ["key"]

    def __init__(
        self,
        resource_name: str,
        *,
        host: Input[str],
        owner: Input[str],
        container: Input[str],
        container_id: Input[str],
        url: Input[str],
        key: Input[str] | None = None,
        probe: Input[EngineReadyProbeArgs],
        kv: Input[EngineReadyKvArgs] | None = None,
        blue_green: Input[bool] | None = None,
        ready_timeout_seconds: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        host: `local` (DOCKER_HOST of the environment, else the default socket), or its address
            as ssh://, unix:// or tcp://.
        owner: Whose the container is, as its label `moorage.owner` says.
        container: The container's name.
        container_id: The container's id.
        url: The engine's address without /v1, as it is reached from here.
        key: Bearer key of the engine.
        probe: The request that proves that it serves.
        kv: What the plan has proven of the engine's KV cache.
        blue_green: Whether another container serves meanwhile; then one that fails is stopped.
            Default: False.
        ready_timeout_seconds: How long it may take to serve. At least 1. Default: 1800.
        """
        inputs: dict[str, Any] = {
            "host": host,
            "owner": owner,
            "container": container,
            "containerId": container_id,
            "url": url,
            "key": _secret(key),
            "probe": _to_wire(probe, _ENGINE_READY_PROBE),
            "kv": _to_wire(kv, _ENGINE_READY_KV),
            "blueGreen": blue_green,
            "readyTimeoutSeconds": ready_timeout_seconds,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:EngineReady", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> EngineReady:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            EngineReady,
            "moorage:index:EngineReady",
            EngineReady._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="host")
    def host(self) -> Output[str]:
        """`local` (DOCKER_HOST of the environment, else the default socket), or its address as
        ssh://, unix:// or tcp://.
        """
        return _known(self, "host")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str]:
        """Whose the container is, as its label `moorage.owner` says."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="container")
    def container(self) -> Output[str]:
        """The container's name."""
        return _known(self, "container")

    @property
    @pulumi.getter(name="containerId")
    def container_id(self) -> Output[str]:
        """The container's id."""
        return _known(self, "containerId")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """The engine's address without /v1, as it is reached from here."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="key")
    def key(self) -> Output[str | None]:
        """Bearer key of the engine."""
        return _known(self, "key")

    @property
    def probe(self) -> Output[EngineReadyProbe]:
        """The request that proves that it serves."""
        return _known(self, "probe", _ENGINE_READY_PROBE)

    @property
    def kv(self) -> Output[EngineReadyKv | None]:
        """What the plan has proven of the engine's KV cache."""
        return _known(self, "kv", _ENGINE_READY_KV)

    @property
    @pulumi.getter(name="blueGreen")
    def blue_green(self) -> Output[bool]:
        """Whether another container serves meanwhile; then one that fails is stopped. Default:
        False.
        """
        return _known(self, "blueGreen")

    @property
    @pulumi.getter(name="readyTimeoutSeconds")
    def ready_timeout_seconds(self) -> Output[float]:
        """How long it may take to serve. At least 1. Default: 1800."""
        return _known(self, "readyTimeoutSeconds")

    @property
    @pulumi.getter(name="servedModel")
    def served_model(self) -> Output[str | None]:
        """The name that it answers under."""
        return _known(self, "servedModel")

    @property
    @pulumi.getter(name="status")
    def status(self) -> Output[str | None]:
        """The container's state, in Docker's word."""
        return _known(self, "status")

    @property
    @pulumi.getter(name="engineVersion")
    def engine_version(self) -> Output[str | None]:
        """The engine's version, where it tells one."""
        return _known(self, "engineVersion")

    @property
    @pulumi.getter(name="kvTokens")
    def kv_tokens(self) -> Output[int | None]:
        """Tokens that its KV cache holds, where it tells."""
        return _known(self, "kvTokens")

    @property
    @pulumi.getter(name="kvDifference")
    def kv_difference(self) -> Output[float | None]:
        """Share of the planned tokens that it has more; below 0: less."""
        return _known(self, "kvDifference")

    @property
    @pulumi.getter(name="startedAt")
    def started_at(self) -> Output[str | None]:
        """When the container was started (RFC 3339)."""
        return _known(self, "startedAt")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class GpuHost(pulumi.CustomResource):
    """An EC2 instance with GPUs that serves a model to those that may ask it, and no one else."""

    _wired: ClassVar = (
        "region",
        "name",
        "owner",
        "subnets",
        "publicAddress",
        "allowFrom",
        "instanceType",
        "market",
        "ami",
        "amiParameter",
        "diskGib",
        "instanceProfile",
        "userData",
        "secrets",
        "stopWhenIdle",
        "tags",
        "port",
        "probe",
        "key",
        "kv",
        "readyTimeoutSeconds",
        "needed",
        "url",
        "instanceId",
        "privateIp",
        "publicIp",
        "zone",
        "subnetId",
        "imageId",
        "state",
        "servedModel",
        "engineVersion",
        "kvTokens",
        "kvDifference",
        "isImported",
        "drift",
    )
    _secrets: ClassVar[list[str]] = ["userData", "secrets", "key"]

    def __init__(
        self,
        resource_name: str,
        *,
        region: Input[str],
        name: Input[str],
        owner: Input[str],
        subnets: Input[Sequence[Input[str]]] | None = None,
        public_address: Input[bool] | None = None,
        allow_from: Input[Sequence[Input[str]]],
        instance_type: Input[str],
        market: Input[GpuHostMarket | GpuHostMarketText] | None = None,
        ami: Input[str] | None = None,
        ami_parameter: Input[str] | None = None,
        disk_gib: Input[int] | None = None,
        instance_profile: Input[str] | None = None,
        user_data: Input[str],
        secrets: Input[Mapping[str, Input[str]]] | None = None,
        stop_when_idle: Input[bool] | None = None,
        tags: Input[Mapping[str, Input[str]]] | None = None,
        port: Input[int] | None = None,
        probe: Input[GpuHostProbeArgs],
        key: Input[str] | None = None,
        kv: Input[GpuHostKvArgs] | None = None,
        ready_timeout_seconds: Input[float] | None = None,
        needed: Input[bool] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        region: The region of AWS.
        name: Its name in account and region, at most 63 characters; a replacement needs another.
        owner: Who declares it, `project/stack/name`, as it is tagged.
        subnets: Where it may run, in this order; absent: the default network's, zone by zone.
        public_address: Whether it gets a public address. Default: False.
        allow_from: Who may ask the engine: networks, security groups, prefix lists; nobody else
            can.
        instance_type: The instance, such as g6e.xlarge.
        market: on-demand, or spot, which may be taken away at two minutes' notice. Default:
            "on-demand".
        ami: The machine image.
        ami_parameter: The SSM parameter that names the machine image; asked when an instance is
            made.
        disk_gib: Its encrypted disk, gone with the instance. At least 1. At most 65536. Default:
            200.
        instance_profile: The name of the IAM instance profile that it gets.
        user_data: What cloud-init does when it is made.
        secrets: Kept as SecureString parameters at /moorage/<name>/<key>; needs an
            instanceProfile.
        stop_when_idle: Whether it stops when it shuts itself down, and may stay so; else it is
            gone then. Default: False.
        tags: Tags of one's own, on everything.
        port: Where the engine listens. At least 1. At most 65535. Default: 8000.
        probe: The request that proves that it serves.
        key: The engine's API key.
        kv: The closed loop: the KV cache that the plan has proven.
        ready_timeout_seconds: How long it may take to serve. At least 1. Default: 1800.
        needed: Whether a run fails when there is no capacity; else the next one tries again.
            Default: True.
        """
        inputs: dict[str, Any] = {
            "region": region,
            "name": name,
            "owner": owner,
            "subnets": subnets,
            "publicAddress": public_address,
            "allowFrom": allow_from,
            "instanceType": instance_type,
            "market": market,
            "ami": ami,
            "amiParameter": ami_parameter,
            "diskGib": disk_gib,
            "instanceProfile": instance_profile,
            "userData": _secret(user_data),
            "secrets": _secret(secrets),
            "stopWhenIdle": stop_when_idle,
            "tags": tags,
            "port": port,
            "probe": _to_wire(probe, _GPU_HOST_PROBE),
            "key": _secret(key),
            "kv": _to_wire(kv, _GPU_HOST_KV),
            "readyTimeoutSeconds": ready_timeout_seconds,
            "needed": needed,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:GpuHost", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> GpuHost:
        """The one that exists under this id: read, and never changed."""
        return _existing(GpuHost, "moorage:index:GpuHost", GpuHost._wired, resource_name, id, opts)

    @property
    @pulumi.getter(name="region")
    def region(self) -> Output[str]:
        """The region of AWS."""
        return _known(self, "region")

    @property
    @pulumi.getter(name="name")
    def name(self) -> Output[str]:
        """Its name in account and region, at most 63 characters; a replacement needs another."""
        return _known(self, "name")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str]:
        """Who declares it, `project/stack/name`, as it is tagged."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="subnets")
    def subnets(self) -> Output[Sequence[str] | None]:
        """Where it may run, in this order; absent: the default network's, zone by zone."""
        return _known(self, "subnets")

    @property
    @pulumi.getter(name="publicAddress")
    def public_address(self) -> Output[bool]:
        """Whether it gets a public address. Default: False."""
        return _known(self, "publicAddress")

    @property
    @pulumi.getter(name="allowFrom")
    def allow_from(self) -> Output[Sequence[str]]:
        """Who may ask the engine: networks, security groups, prefix lists; nobody else can."""
        return _known(self, "allowFrom")

    @property
    @pulumi.getter(name="instanceType")
    def instance_type(self) -> Output[str]:
        """The instance, such as g6e.xlarge."""
        return _known(self, "instanceType")

    @property
    @pulumi.getter(name="market")
    def market(self) -> Output[GpuHostMarketText]:
        """on-demand, or spot, which may be taken away at two minutes' notice. Default:
        "on-demand".
        """
        return _known(self, "market")

    @property
    @pulumi.getter(name="ami")
    def ami(self) -> Output[str | None]:
        """The machine image."""
        return _known(self, "ami")

    @property
    @pulumi.getter(name="amiParameter")
    def ami_parameter(self) -> Output[str | None]:
        """The SSM parameter that names the machine image; asked when an instance is made."""
        return _known(self, "amiParameter")

    @property
    @pulumi.getter(name="diskGib")
    def disk_gib(self) -> Output[int]:
        """Its encrypted disk, gone with the instance. At least 1. At most 65536. Default: 200."""
        return _known(self, "diskGib")

    @property
    @pulumi.getter(name="instanceProfile")
    def instance_profile(self) -> Output[str | None]:
        """The name of the IAM instance profile that it gets."""
        return _known(self, "instanceProfile")

    @property
    @pulumi.getter(name="userData")
    def user_data(self) -> Output[str]:
        """What cloud-init does when it is made."""
        return _known(self, "userData")

    @property
    @pulumi.getter(name="secrets")
    def secrets(self) -> Output[Mapping[str, str] | None]:
        """Kept as SecureString parameters at /moorage/<name>/<key>; needs an instanceProfile."""
        return _known(self, "secrets")

    @property
    @pulumi.getter(name="stopWhenIdle")
    def stop_when_idle(self) -> Output[bool]:
        """Whether it stops when it shuts itself down, and may stay so; else it is gone then.
        Default: False.
        """
        return _known(self, "stopWhenIdle")

    @property
    @pulumi.getter(name="tags")
    def tags(self) -> Output[Mapping[str, str] | None]:
        """Tags of one's own, on everything."""
        return _known(self, "tags")

    @property
    @pulumi.getter(name="port")
    def port(self) -> Output[int]:
        """Where the engine listens. At least 1. At most 65535. Default: 8000."""
        return _known(self, "port")

    @property
    def probe(self) -> Output[GpuHostProbe]:
        """The request that proves that it serves."""
        return _known(self, "probe", _GPU_HOST_PROBE)

    @property
    @pulumi.getter(name="key")
    def key(self) -> Output[str | None]:
        """The engine's API key."""
        return _known(self, "key")

    @property
    def kv(self) -> Output[GpuHostKv | None]:
        """The closed loop: the KV cache that the plan has proven."""
        return _known(self, "kv", _GPU_HOST_KV)

    @property
    @pulumi.getter(name="readyTimeoutSeconds")
    def ready_timeout_seconds(self) -> Output[float]:
        """How long it may take to serve. At least 1. Default: 1800."""
        return _known(self, "readyTimeoutSeconds")

    @property
    @pulumi.getter(name="needed")
    def needed(self) -> Output[bool]:
        """Whether a run fails when there is no capacity; else the next one tries again. Default:
        True.
        """
        return _known(self, "needed")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str | None]:
        """The engine's address, ending in /v1; none without one."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="instanceId")
    def instance_id(self) -> Output[str | None]:
        """The instance."""
        return _known(self, "instanceId")

    @property
    @pulumi.getter(name="privateIp")
    def private_ip(self) -> Output[str | None]:
        """Its private address."""
        return _known(self, "privateIp")

    @property
    @pulumi.getter(name="publicIp")
    def public_ip(self) -> Output[str | None]:
        """Its public address, if it has one now."""
        return _known(self, "publicIp")

    @property
    @pulumi.getter(name="zone")
    def zone(self) -> Output[str | None]:
        """The zone it runs in."""
        return _known(self, "zone")

    @property
    @pulumi.getter(name="subnetId")
    def subnet_id(self) -> Output[str | None]:
        """The subnet it runs in."""
        return _known(self, "subnetId")

    @property
    @pulumi.getter(name="imageId")
    def image_id(self) -> Output[str | None]:
        """The machine image it was made of."""
        return _known(self, "imageId")

    @property
    @pulumi.getter(name="state")
    def state(self) -> Output[str]:
        """EC2's word for its state, `asleep` when it stopped when idle, or `none`."""
        return _known(self, "state")

    @property
    @pulumi.getter(name="servedModel")
    def served_model(self) -> Output[str | None]:
        """The name to ask for."""
        return _known(self, "servedModel")

    @property
    @pulumi.getter(name="engineVersion")
    def engine_version(self) -> Output[str | None]:
        """The engine's version, where it tells it."""
        return _known(self, "engineVersion")

    @property
    @pulumi.getter(name="kvTokens")
    def kv_tokens(self) -> Output[int | None]:
        """Tokens that its KV cache holds."""
        return _known(self, "kvTokens")

    @property
    @pulumi.getter(name="kvDifference")
    def kv_difference(self) -> Output[float | None]:
        """How far that is from the plan, as a share."""
        return _known(self, "kvDifference")

    @property
    @pulumi.getter(name="isImported")
    def is_imported(self) -> Output[bool]:
        """Whether it was made by hand: what is around it stays."""
        return _known(self, "isImported")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


class InferenceEndpoint(pulumi.CustomResource):
    """An Inference Endpoint of Hugging Face, proven by a real request."""

    _wired: ClassVar = (
        "name",
        "namespace",
        "owner",
        "vendor",
        "region",
        "repository",
        "revision",
        "task",
        "framework",
        "engine",
        "image",
        "engineOptions",
        "command",
        "args",
        "env",
        "secrets",
        "registry",
        "accelerator",
        "instanceType",
        "instanceSize",
        "minReplica",
        "maxReplica",
        "scaleToZeroMinutes",
        "scalingMetric",
        "scalingThreshold",
        "access",
        "checkAccess",
        "privateLink",
        "domain",
        "path",
        "cacheHttpResponses",
        "customRouter",
        "tags",
        "notifications",
        "experimentalFeatures",
        "network",
        "paused",
        "probe",
        "readyTimeoutSeconds",
        "url",
        "servedModel",
        "status",
        "readyReplicas",
        "revisionActual",
        "computeId",
        "createdAt",
        "pricePerHour",
        "hourlyUsd",
        "account",
        "ownedBy",
        "isImported",
        "drift",
    )
    _secrets: ClassVar[list[str]] = ["secrets"]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Input[str],
        namespace: Input[str] | None = None,
        owner: Input[str] | None = None,
        vendor: Input[str],
        region: Input[str],
        repository: Input[str],
        revision: Input[str] | None = None,
        task: Input[str] | None = None,
        framework: Input[str] | None = None,
        engine: Input[InferenceEndpointEngine | InferenceEndpointEngineText],
        image: Input[str] | None = None,
        engine_options: Input[Mapping[str, Input[Any]]] | None = None,
        command: Input[Sequence[Input[str]]] | None = None,
        args: Input[Sequence[Input[str]]] | None = None,
        env: Input[Mapping[str, Input[str]]] | None = None,
        secrets: Input[Mapping[str, Input[str]]] | None = None,
        registry: Input[InferenceEndpointRegistryArgs] | None = None,
        accelerator: Input[InferenceEndpointAccelerator | InferenceEndpointAcceleratorText],
        instance_type: Input[str],
        instance_size: Input[str],
        min_replica: Input[int] | None = None,
        max_replica: Input[int] | None = None,
        scale_to_zero_minutes: Input[int] | None = None,
        scaling_metric: Input[InferenceEndpointScalingMetric | InferenceEndpointScalingMetricText]
        | None = None,
        scaling_threshold: Input[float] | None = None,
        access: Input[InferenceEndpointAccess | InferenceEndpointAccessText],
        check_access: Input[bool] | None = None,
        private_link: Input[InferenceEndpointPrivateLinkArgs] | None = None,
        domain: Input[str] | None = None,
        path: Input[str] | None = None,
        cache_http_responses: Input[bool] | None = None,
        custom_router: Input[InferenceEndpointCustomRouterArgs] | None = None,
        tags: Input[Sequence[Input[str]]] | None = None,
        notifications: Input[Any] | None = None,
        experimental_features: Input[Any] | None = None,
        network: Input[Any] | None = None,
        paused: Input[bool] | None = None,
        probe: Input[InferenceEndpointProbeArgs] | None = None,
        ready_timeout_seconds: Input[float] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        name: Its name in the account, at most 32 characters.
        namespace: The user or organisation that has and pays it; absent: who the token belongs
            to.
        owner: Who declares it, `project/stack/name`, as it is marked; absent: as the URN says.
        vendor: The cloud: aws, azure, gcp.
        region: The cloud's region.
        repository: The model's repository.
        revision: The commit that is served.
        task: What the model is for; absent: as the Hub says.
        framework: The model's framework, where the engine asks for one.
        engine: What serves it.
        image: The engine's container image, pinned.
        engine_options: The engine's own options.
        command: The container's command.
        args: The container's arguments.
        env: The container's environment.
        secrets: The secret part of its environment; none declared: those that others set stay.
        registry: Who pulls a private image; for the custom engine. Absent: whom others set
            stays.
        accelerator: What computes.
        instance_type: The instance, such as nvidia-l40s.
        instance_size: Its size, such as x1.
        min_replica: The fewest replicas; 0 lets it sleep. At least 0. Default: 1.
        max_replica: The most replicas. At least 1. Default: 1.
        scale_to_zero_minutes: Without a request for so long it falls asleep. At least 1.
        scaling_metric: What more replicas are started for.
        scaling_threshold: From how much of it on. At least 0.
        access: Who may call it: anybody, any account, or this account alone.
        check_access: Prove that it refuses who may not call it. Default: True.
        private_link: Reached through AWS PrivateLink only.
        domain: A domain of one's own.
        path: The path under that domain.
        cache_http_responses: Whether answers are cached. Default: False.
        custom_router: A router of one's own between the replicas.
        tags: Tags of one's own.
        notifications: Who is told of what, in the API's form.
        experimental_features: Switches of the API, in its form.
        network: Its network, in the API's form.
        paused: Whether it rests, and costs nothing. Default: False.
        probe: The request that proves that it serves; absent: one that fits the task.
        ready_timeout_seconds: How long it may take to serve. At least 1. Default: 1800.
        """
        inputs: dict[str, Any] = {
            "name": name,
            "namespace": namespace,
            "owner": owner,
            "vendor": vendor,
            "region": region,
            "repository": repository,
            "revision": revision,
            "task": task,
            "framework": framework,
            "engine": engine,
            "image": image,
            "engineOptions": engine_options,
            "command": command,
            "args": args,
            "env": env,
            "secrets": _secret(secrets),
            "registry": _to_wire(registry, _INFERENCE_ENDPOINT_REGISTRY),
            "accelerator": accelerator,
            "instanceType": instance_type,
            "instanceSize": instance_size,
            "minReplica": min_replica,
            "maxReplica": max_replica,
            "scaleToZeroMinutes": scale_to_zero_minutes,
            "scalingMetric": scaling_metric,
            "scalingThreshold": scaling_threshold,
            "access": access,
            "checkAccess": check_access,
            "privateLink": _to_wire(private_link, _INFERENCE_ENDPOINT_PRIVATE_LINK),
            "domain": domain,
            "path": path,
            "cacheHttpResponses": cache_http_responses,
            "customRouter": _to_wire(custom_router, _INFERENCE_ENDPOINT_CUSTOM_ROUTER),
            "tags": tags,
            "notifications": notifications,
            "experimentalFeatures": experimental_features,
            "network": network,
            "paused": paused,
            "probe": _to_wire(probe, _INFERENCE_ENDPOINT_PROBE),
            "readyTimeoutSeconds": ready_timeout_seconds,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("moorage:index:InferenceEndpoint", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> InferenceEndpoint:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            InferenceEndpoint,
            "moorage:index:InferenceEndpoint",
            InferenceEndpoint._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="name")
    def name(self) -> Output[str]:
        """Its name in the account, at most 32 characters."""
        return _known(self, "name")

    @property
    @pulumi.getter(name="namespace")
    def namespace(self) -> Output[str | None]:
        """The user or organisation that has and pays it; absent: who the token belongs to."""
        return _known(self, "namespace")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str | None]:
        """Who declares it, `project/stack/name`, as it is marked; absent: as the URN says."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="vendor")
    def vendor(self) -> Output[str]:
        """The cloud: aws, azure, gcp."""
        return _known(self, "vendor")

    @property
    @pulumi.getter(name="region")
    def region(self) -> Output[str]:
        """The cloud's region."""
        return _known(self, "region")

    @property
    @pulumi.getter(name="repository")
    def repository(self) -> Output[str]:
        """The model's repository."""
        return _known(self, "repository")

    @property
    @pulumi.getter(name="revision")
    def revision(self) -> Output[str | None]:
        """The commit that is served."""
        return _known(self, "revision")

    @property
    @pulumi.getter(name="task")
    def task(self) -> Output[str | None]:
        """What the model is for; absent: as the Hub says."""
        return _known(self, "task")

    @property
    @pulumi.getter(name="framework")
    def framework(self) -> Output[str | None]:
        """The model's framework, where the engine asks for one."""
        return _known(self, "framework")

    @property
    @pulumi.getter(name="engine")
    def engine(self) -> Output[InferenceEndpointEngineText]:
        """What serves it."""
        return _known(self, "engine")

    @property
    @pulumi.getter(name="image")
    def image(self) -> Output[str | None]:
        """The engine's container image, pinned."""
        return _known(self, "image")

    @property
    @pulumi.getter(name="engineOptions")
    def engine_options(self) -> Output[Mapping[str, Any] | None]:
        """The engine's own options."""
        return _known(self, "engineOptions")

    @property
    @pulumi.getter(name="command")
    def command(self) -> Output[Sequence[str] | None]:
        """The container's command."""
        return _known(self, "command")

    @property
    @pulumi.getter(name="args")
    def args(self) -> Output[Sequence[str] | None]:
        """The container's arguments."""
        return _known(self, "args")

    @property
    @pulumi.getter(name="env")
    def env(self) -> Output[Mapping[str, str] | None]:
        """The container's environment."""
        return _known(self, "env")

    @property
    @pulumi.getter(name="secrets")
    def secrets(self) -> Output[Mapping[str, str] | None]:
        """The secret part of its environment; none declared: those that others set stay."""
        return _known(self, "secrets")

    @property
    def registry(self) -> Output[InferenceEndpointRegistry | None]:
        """Who pulls a private image; for the custom engine. Absent: whom others set stays."""
        return _known(self, "registry", _INFERENCE_ENDPOINT_REGISTRY)

    @property
    @pulumi.getter(name="accelerator")
    def accelerator(self) -> Output[InferenceEndpointAcceleratorText]:
        """What computes."""
        return _known(self, "accelerator")

    @property
    @pulumi.getter(name="instanceType")
    def instance_type(self) -> Output[str]:
        """The instance, such as nvidia-l40s."""
        return _known(self, "instanceType")

    @property
    @pulumi.getter(name="instanceSize")
    def instance_size(self) -> Output[str]:
        """Its size, such as x1."""
        return _known(self, "instanceSize")

    @property
    @pulumi.getter(name="minReplica")
    def min_replica(self) -> Output[int]:
        """The fewest replicas; 0 lets it sleep. At least 0. Default: 1."""
        return _known(self, "minReplica")

    @property
    @pulumi.getter(name="maxReplica")
    def max_replica(self) -> Output[int]:
        """The most replicas. At least 1. Default: 1."""
        return _known(self, "maxReplica")

    @property
    @pulumi.getter(name="scaleToZeroMinutes")
    def scale_to_zero_minutes(self) -> Output[int | None]:
        """Without a request for so long it falls asleep. At least 1."""
        return _known(self, "scaleToZeroMinutes")

    @property
    @pulumi.getter(name="scalingMetric")
    def scaling_metric(self) -> Output[InferenceEndpointScalingMetricText | None]:
        """What more replicas are started for."""
        return _known(self, "scalingMetric")

    @property
    @pulumi.getter(name="scalingThreshold")
    def scaling_threshold(self) -> Output[float | None]:
        """From how much of it on. At least 0."""
        return _known(self, "scalingThreshold")

    @property
    @pulumi.getter(name="access")
    def access(self) -> Output[InferenceEndpointAccessText]:
        """Who may call it: anybody, any account, or this account alone."""
        return _known(self, "access")

    @property
    @pulumi.getter(name="checkAccess")
    def check_access(self) -> Output[bool]:
        """Prove that it refuses who may not call it. Default: True."""
        return _known(self, "checkAccess")

    @property
    def private_link(self) -> Output[InferenceEndpointPrivateLink | None]:
        """Reached through AWS PrivateLink only."""
        return _known(self, "privateLink", _INFERENCE_ENDPOINT_PRIVATE_LINK)

    @property
    @pulumi.getter(name="domain")
    def domain(self) -> Output[str | None]:
        """A domain of one's own."""
        return _known(self, "domain")

    @property
    @pulumi.getter(name="path")
    def path(self) -> Output[str | None]:
        """The path under that domain."""
        return _known(self, "path")

    @property
    @pulumi.getter(name="cacheHttpResponses")
    def cache_http_responses(self) -> Output[bool]:
        """Whether answers are cached. Default: False."""
        return _known(self, "cacheHttpResponses")

    @property
    def custom_router(self) -> Output[InferenceEndpointCustomRouter | None]:
        """A router of one's own between the replicas."""
        return _known(self, "customRouter", _INFERENCE_ENDPOINT_CUSTOM_ROUTER)

    @property
    @pulumi.getter(name="tags")
    def tags(self) -> Output[Sequence[str] | None]:
        """Tags of one's own."""
        return _known(self, "tags")

    @property
    @pulumi.getter(name="notifications")
    def notifications(self) -> Output[Any | None]:
        """Who is told of what, in the API's form."""
        return _known(self, "notifications")

    @property
    @pulumi.getter(name="experimentalFeatures")
    def experimental_features(self) -> Output[Any | None]:
        """Switches of the API, in its form."""
        return _known(self, "experimentalFeatures")

    @property
    @pulumi.getter(name="network")
    def network(self) -> Output[Any | None]:
        """Its network, in the API's form."""
        return _known(self, "network")

    @property
    @pulumi.getter(name="paused")
    def paused(self) -> Output[bool]:
        """Whether it rests, and costs nothing. Default: False."""
        return _known(self, "paused")

    @property
    def probe(self) -> Output[InferenceEndpointProbe | None]:
        """The request that proves that it serves; absent: one that fits the task."""
        return _known(self, "probe", _INFERENCE_ENDPOINT_PROBE)

    @property
    @pulumi.getter(name="readyTimeoutSeconds")
    def ready_timeout_seconds(self) -> Output[float]:
        """How long it may take to serve. At least 1. Default: 1800."""
        return _known(self, "readyTimeoutSeconds")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str | None]:
        """Base URL, ending in /v1 unless the engine is the toolkit; none before it serves."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="servedModel")
    def served_model(self) -> Output[str | None]:
        """The name to ask for."""
        return _known(self, "servedModel")

    @property
    @pulumi.getter(name="status")
    def status(self) -> Output[str]:
        """Its state, in Hugging Face's word."""
        return _known(self, "status")

    @property
    @pulumi.getter(name="readyReplicas")
    def ready_replicas(self) -> Output[int]:
        """How many replicas serve."""
        return _known(self, "readyReplicas")

    @property
    @pulumi.getter(name="revisionActual")
    def revision_actual(self) -> Output[str | None]:
        """The commit that is served."""
        return _known(self, "revisionActual")

    @property
    @pulumi.getter(name="computeId")
    def compute_id(self) -> Output[str | None]:
        """The instance's id in the catalogue."""
        return _known(self, "computeId")

    @property
    @pulumi.getter(name="createdAt")
    def created_at(self) -> Output[str | None]:
        """When it was made."""
        return _known(self, "createdAt")

    @property
    @pulumi.getter(name="pricePerHour")
    def price_per_hour(self) -> Output[float | None]:
        """USD for an hour of one replica."""
        return _known(self, "pricePerHour")

    @property
    @pulumi.getter(name="hourlyUsd")
    def hourly_usd(self) -> Output[float | None]:
        """USD for an hour of its fewest replicas, as it is now."""
        return _known(self, "hourlyUsd")

    @property
    @pulumi.getter(name="account")
    def account(self) -> Output[str]:
        """Who has and pays it."""
        return _known(self, "account")

    @property
    @pulumi.getter(name="ownedBy")
    def owned_by(self) -> Output[str | None]:
        """Who it is marked as declared by."""
        return _known(self, "ownedBy")

    @property
    @pulumi.getter(name="isImported")
    def is_imported(self) -> Output[bool]:
        """Whether it came without a mark of ours."""
        return _known(self, "isImported")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")


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


class ModelRepository(pulumi.CustomResource):
    """A model or a dataset of one's own on the Hub: its card, its files, who may see it."""

    _wired: ClassVar = (
        "name",
        "namespace",
        "owner",
        "region",
        "resourceGroup",
        "type",
        "visibility",
        "license",
        "card",
        "folder",
        "files",
        "changesBy",
        "url",
        "account",
        "sha",
        "filesDigest",
        "pullRequest",
        "isImported",
        "drift",
    )
    _secrets: ClassVar[list[str]] = []

    def __init__(
        self,
        resource_name: str,
        *,
        name: Input[str],
        namespace: Input[str] | None = None,
        owner: Input[str] | None = None,
        region: Input[ModelRepositoryRegion | ModelRepositoryRegionText] | None = None,
        resource_group: Input[str] | None = None,
        type: Input[ModelRepositoryType | ModelRepositoryTypeText] | None = None,  # noqa: A002  as the property is called
        visibility: Input[ModelRepositoryVisibility | ModelRepositoryVisibilityText] | None = None,
        license: Input[str] | None = None,  # noqa: A002  as the property is called
        card: Input[Mapping[str, Input[Any]]] | None = None,
        folder: Input[str] | None = None,
        files: Input[Mapping[str, Input[str]]] | None = None,
        changes_by: Input[ModelRepositoryChangesBy | ModelRepositoryChangesByText] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        name: Its name in the account.
        namespace: The user or organisation that has and pays it; absent: who the token belongs
            to.
        owner: Who declares it, `project/stack/name`, as it is marked; absent: as the URN says.
        region: Where its files are kept.
        resource_group: The resource group of the organisation.
        type: What it holds. Default: "model".
        visibility: Who may see it. Default: "private".
        license: Its licence, by the Hub's own short name.
        card: Entries of its card, such as base_model, language, tags or pipeline_tag.
        folder: A folder of this machine whose files it has; .git, .moorage, .venv, .env* and
            caches stay here.
        files: Files by their path, as text; they stand above those of the folder.
        changes_by: How a change of its files is made: by a commit, or by a pull request for
            others to merge. Default: "commit".
        """
        inputs: dict[str, Any] = {
            "name": name,
            "namespace": namespace,
            "owner": owner,
            "region": region,
            "resourceGroup": resource_group,
            "type": type,
            "visibility": visibility,
            "license": license,
            "card": card,
            "folder": folder,
            "files": files,
            "changesBy": changes_by,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets, delete_first=True)
        super().__init__("moorage:index:ModelRepository", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> ModelRepository:
        """The one that exists under this id: read, and never changed."""
        return _existing(
            ModelRepository,
            "moorage:index:ModelRepository",
            ModelRepository._wired,
            resource_name,
            id,
            opts,
        )

    @property
    @pulumi.getter(name="name")
    def name(self) -> Output[str]:
        """Its name in the account."""
        return _known(self, "name")

    @property
    @pulumi.getter(name="namespace")
    def namespace(self) -> Output[str | None]:
        """The user or organisation that has and pays it; absent: who the token belongs to."""
        return _known(self, "namespace")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str | None]:
        """Who declares it, `project/stack/name`, as it is marked; absent: as the URN says."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="region")
    def region(self) -> Output[ModelRepositoryRegionText | None]:
        """Where its files are kept."""
        return _known(self, "region")

    @property
    @pulumi.getter(name="resourceGroup")
    def resource_group(self) -> Output[str | None]:
        """The resource group of the organisation."""
        return _known(self, "resourceGroup")

    @property
    @pulumi.getter(name="type")
    def type(self) -> Output[ModelRepositoryTypeText]:
        """What it holds. Default: "model"."""
        return _known(self, "type")

    @property
    @pulumi.getter(name="visibility")
    def visibility(self) -> Output[ModelRepositoryVisibilityText]:
        """Who may see it. Default: "private"."""
        return _known(self, "visibility")

    @property
    @pulumi.getter(name="license")
    def license(self) -> Output[str | None]:
        """Its licence, by the Hub's own short name."""
        return _known(self, "license")

    @property
    @pulumi.getter(name="card")
    def card(self) -> Output[Mapping[str, Any] | None]:
        """Entries of its card, such as base_model, language, tags or pipeline_tag."""
        return _known(self, "card")

    @property
    @pulumi.getter(name="folder")
    def folder(self) -> Output[str | None]:
        """A folder of this machine whose files it has; .git, .moorage, .venv, .env* and caches
        stay here.
        """
        return _known(self, "folder")

    @property
    @pulumi.getter(name="files")
    def files(self) -> Output[Mapping[str, str] | None]:
        """Files by their path, as text; they stand above those of the folder."""
        return _known(self, "files")

    @property
    @pulumi.getter(name="changesBy")
    def changes_by(self) -> Output[ModelRepositoryChangesByText]:
        """How a change of its files is made: by a commit, or by a pull request for others to
        merge. Default: "commit".
        """
        return _known(self, "changesBy")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """Its page."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="account")
    def account(self) -> Output[str]:
        """Whose it is."""
        return _known(self, "account")

    @property
    @pulumi.getter(name="sha")
    def sha(self) -> Output[str]:
        """The commit of its files."""
        return _known(self, "sha")

    @property
    @pulumi.getter(name="filesDigest")
    def files_digest(self) -> Output[str]:
        """Over all of its files."""
        return _known(self, "filesDigest")

    @property
    @pulumi.getter(name="pullRequest")
    def pull_request(self) -> Output[str]:
        """The one that is open with what is declared; empty where none is."""
        return _known(self, "pullRequest")

    @property
    @pulumi.getter(name="isImported")
    def is_imported(self) -> Output[bool | None]:
        """Whether it was made by others, and imported."""
        return _known(self, "isImported")

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
        bill_to: The organisation that pays, or the id of its resource group.
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
        """The organisation that pays, or the id of its resource group."""
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


class Space(pulumi.CustomResource):
    """A Space of Hugging Face: an app from files, on hardware that is billed while it runs."""

    _wired: ClassVar = (
        "name",
        "namespace",
        "owner",
        "region",
        "resourceGroup",
        "sdk",
        "card",
        "folder",
        "files",
        "visibility",
        "hardware",
        "sleepSeconds",
        "variables",
        "secrets",
        "volumes",
        "paused",
        "readyPath",
        "readyTimeoutSeconds",
        "checkAccess",
        "url",
        "appUrl",
        "account",
        "stage",
        "sha",
        "filesDigest",
        "pricePerHour",
        "hourlyUsd",
        "secretsSetAt",
        "isImported",
        "drift",
    )
    _secrets: ClassVar[list[str]] = []

    def __init__(
        self,
        resource_name: str,
        *,
        name: Input[str],
        namespace: Input[str] | None = None,
        owner: Input[str] | None = None,
        region: Input[SpaceRegion | SpaceRegionText] | None = None,
        resource_group: Input[str] | None = None,
        sdk: Input[str],
        card: Input[Mapping[str, Input[Any]]] | None = None,
        folder: Input[str] | None = None,
        files: Input[Mapping[str, Input[str]]] | None = None,
        visibility: Input[SpaceVisibility | SpaceVisibilityText] | None = None,
        hardware: Input[str] | None = None,
        sleep_seconds: Input[int] | None = None,
        variables: Input[Mapping[str, Input[str]]] | None = None,
        secrets: Input[Mapping[str, Input[str]]] | None = None,
        volumes: Input[Sequence[Input[SpaceVolumesArgs]]] | None = None,
        paused: Input[bool] | None = None,
        ready_path: Input[str] | None = None,
        ready_timeout_seconds: Input[int] | None = None,
        check_access: Input[bool] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        name: Its name in the account.
        namespace: The user or organisation that has and pays it; absent: who the token belongs
            to.
        owner: Who declares it, `project/stack/name`, as it is marked; absent: as the URN says.
        region: Where its files are kept.
        resource_group: The resource group of the organisation.
        sdk: What it is made with: gradio, docker or static; Streamlit goes into docker.
        card: Entries of its README's card, such as title, app_file, app_port or python_version.
        folder: A folder of this machine whose files it has; .git, .moorage, .venv, .env* and
            caches stay here.
        files: Files by their path, as text; they stand above those of the folder.
        visibility: private: app and code for members. protected: the app is public. public: both
            are. Default: "private".
        hardware: As the Hub calls it. Default: "cpu-basic".
        sleep_seconds: After how long without a visit it sleeps; -1: never. Absent: as it is. At
            least -1.
        variables: Of its environment; everybody can read them.
        secrets: Of its environment; nobody can read them back. Those set by others are left
            alone.
        volumes: What it has mounted.
        paused: Whether it is to stand still. Default: False.
        ready_path: What the app answers once it serves. Default: "/".
        ready_timeout_seconds: For how long it may build and start. At least 1. Default: 1800.
        check_access: Whether it is tried that strangers are turned away from a private app.
            Default: True.
        """
        inputs: dict[str, Any] = {
            "name": name,
            "namespace": namespace,
            "owner": owner,
            "region": region,
            "resourceGroup": resource_group,
            "sdk": sdk,
            "card": card,
            "folder": folder,
            "files": files,
            "visibility": visibility,
            "hardware": hardware,
            "sleepSeconds": sleep_seconds,
            "variables": variables,
            "secrets": secrets,
            "volumes": _to_wire(volumes, _SPACE_VOLUMES),
            "paused": paused,
            "readyPath": ready_path,
            "readyTimeoutSeconds": ready_timeout_seconds,
            "checkAccess": check_access,
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets, delete_first=True)
        super().__init__("moorage:index:Space", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> Space:
        """The one that exists under this id: read, and never changed."""
        return _existing(Space, "moorage:index:Space", Space._wired, resource_name, id, opts)

    @property
    @pulumi.getter(name="name")
    def name(self) -> Output[str]:
        """Its name in the account."""
        return _known(self, "name")

    @property
    @pulumi.getter(name="namespace")
    def namespace(self) -> Output[str | None]:
        """The user or organisation that has and pays it; absent: who the token belongs to."""
        return _known(self, "namespace")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> Output[str | None]:
        """Who declares it, `project/stack/name`, as it is marked; absent: as the URN says."""
        return _known(self, "owner")

    @property
    @pulumi.getter(name="region")
    def region(self) -> Output[SpaceRegionText | None]:
        """Where its files are kept."""
        return _known(self, "region")

    @property
    @pulumi.getter(name="resourceGroup")
    def resource_group(self) -> Output[str | None]:
        """The resource group of the organisation."""
        return _known(self, "resourceGroup")

    @property
    @pulumi.getter(name="sdk")
    def sdk(self) -> Output[str]:
        """What it is made with: gradio, docker or static; Streamlit goes into docker."""
        return _known(self, "sdk")

    @property
    @pulumi.getter(name="card")
    def card(self) -> Output[Mapping[str, Any] | None]:
        """Entries of its README's card, such as title, app_file, app_port or python_version."""
        return _known(self, "card")

    @property
    @pulumi.getter(name="folder")
    def folder(self) -> Output[str | None]:
        """A folder of this machine whose files it has; .git, .moorage, .venv, .env* and caches
        stay here.
        """
        return _known(self, "folder")

    @property
    @pulumi.getter(name="files")
    def files(self) -> Output[Mapping[str, str] | None]:
        """Files by their path, as text; they stand above those of the folder."""
        return _known(self, "files")

    @property
    @pulumi.getter(name="visibility")
    def visibility(self) -> Output[SpaceVisibilityText]:
        """private: app and code for members. protected: the app is public. public: both are.
        Default: "private".
        """
        return _known(self, "visibility")

    @property
    @pulumi.getter(name="hardware")
    def hardware(self) -> Output[str]:
        """As the Hub calls it. Default: "cpu-basic"."""
        return _known(self, "hardware")

    @property
    @pulumi.getter(name="sleepSeconds")
    def sleep_seconds(self) -> Output[int | None]:
        """After how long without a visit it sleeps; -1: never. Absent: as it is. At least -1."""
        return _known(self, "sleepSeconds")

    @property
    @pulumi.getter(name="variables")
    def variables(self) -> Output[Mapping[str, str] | None]:
        """Of its environment; everybody can read them."""
        return _known(self, "variables")

    @property
    @pulumi.getter(name="secrets")
    def secrets(self) -> Output[Mapping[str, str] | None]:
        """Of its environment; nobody can read them back. Those set by others are left alone."""
        return _known(self, "secrets")

    @property
    def volumes(self) -> Output[Sequence[SpaceVolumes] | None]:
        """What it has mounted."""
        return _known(self, "volumes", _SPACE_VOLUMES)

    @property
    @pulumi.getter(name="paused")
    def paused(self) -> Output[bool]:
        """Whether it is to stand still. Default: False."""
        return _known(self, "paused")

    @property
    @pulumi.getter(name="readyPath")
    def ready_path(self) -> Output[str]:
        """What the app answers once it serves. Default: "/"."""
        return _known(self, "readyPath")

    @property
    @pulumi.getter(name="readyTimeoutSeconds")
    def ready_timeout_seconds(self) -> Output[int]:
        """For how long it may build and start. At least 1. Default: 1800."""
        return _known(self, "readyTimeoutSeconds")

    @property
    @pulumi.getter(name="checkAccess")
    def check_access(self) -> Output[bool]:
        """Whether it is tried that strangers are turned away from a private app. Default: True."""
        return _known(self, "checkAccess")

    @property
    @pulumi.getter(name="url")
    def url(self) -> Output[str]:
        """Its page."""
        return _known(self, "url")

    @property
    @pulumi.getter(name="appUrl")
    def app_url(self) -> Output[str | None]:
        """Where the app answers."""
        return _known(self, "appUrl")

    @property
    @pulumi.getter(name="account")
    def account(self) -> Output[str]:
        """Whose it is."""
        return _known(self, "account")

    @property
    @pulumi.getter(name="stage")
    def stage(self) -> Output[str]:
        """As the Hub calls where it stands."""
        return _known(self, "stage")

    @property
    @pulumi.getter(name="sha")
    def sha(self) -> Output[str]:
        """The commit of its files."""
        return _known(self, "sha")

    @property
    @pulumi.getter(name="filesDigest")
    def files_digest(self) -> Output[str]:
        """Over all of its files."""
        return _known(self, "filesDigest")

    @property
    @pulumi.getter(name="pricePerHour")
    def price_per_hour(self) -> Output[float | None]:
        """What its hardware costs, in dollars."""
        return _known(self, "pricePerHour")

    @property
    @pulumi.getter(name="hourlyUsd")
    def hourly_usd(self) -> Output[float | None]:
        """USD for an hour, as it is now: nothing while it sleeps or rests."""
        return _known(self, "hourlyUsd")

    @property
    @pulumi.getter(name="secretsSetAt")
    def secrets_set_at(self) -> Output[Mapping[str, str] | None]:
        """When each of its secrets was set."""
        return _known(self, "secretsSetAt")

    @property
    @pulumi.getter(name="isImported")
    def is_imported(self) -> Output[bool | None]:
        """Whether it was made by others, and imported."""
        return _known(self, "isImported")

    @property
    @pulumi.getter(name="drift")
    def drift(self) -> Output[str | None]:
        """What was found changed outside; empty when all is as declared."""
        return _known(self, "drift")
