"""The resource classes of gallery, derived from the shapes of its handlers.

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


class PictureStyle(StrEnum):
    """How it was painted."""

    FLAT = "flat"
    IN_BETWEEN = "in-between"
    VALUE_3D = "3D"
    OIL_ON_WOOD = "OIL_ON_WOOD"


PictureStyleText = Literal["flat", "in-between", "3D", "OIL_ON_WOOD"]


class PictureFrameWood(StrEnum):
    """What it is made of."""

    OAK = "oak"
    ASH = "ash"


PictureFrameWoodText = Literal["oak", "ash"]


class PictureFrameByYearWood(StrEnum):
    """What it is made of."""

    OAK = "oak"
    ASH = "ash"


PictureFrameByYearWoodText = Literal["oak", "ash"]


class PictureFrameArgs(TypedDict):
    """What is around it."""

    wood: NotRequired[Input[PictureFrameWood | PictureFrameWoodText] | None]
    """What it is made of. Default: "oak"."""
    width_mm: Input[int]
    """How wide. At least 1. At most 900."""
    lock_code: NotRequired[Input[str] | None]
    """Opens it."""


class PictureFrame(TypedDict):
    """What is around it."""

    wood: PictureFrameWoodText
    """What it is made of. Default: "oak"."""
    width_mm: int
    """How wide. At least 1. At most 900."""
    lock_code: NotRequired[str | None]
    """Opens it."""


class PictureLampListArgs(TypedDict):
    """What shines on it."""

    at_lumen: Input[int]
    """How bright."""
    class_: NotRequired[Input[str] | None]
    """A word that Python keeps for itself."""


class PictureLampList(TypedDict):
    """What shines on it."""

    at_lumen: int
    """How bright."""
    class_: NotRequired[str | None]
    """A word that Python keeps for itself."""


class PictureFrameByYearArgs(TypedDict):
    """What is around it."""

    wood: NotRequired[Input[PictureFrameByYearWood | PictureFrameByYearWoodText] | None]
    """What it is made of. Default: "oak"."""
    width_mm: Input[int]
    """How wide. At least 1. At most 900."""
    lock_code: NotRequired[Input[str] | None]
    """Opens it."""


class PictureFrameByYear(TypedDict):
    """What is around it."""

    wood: PictureFrameByYearWoodText
    """What it is made of. Default: "oak"."""
    width_mm: int
    """How wide. At least 1. At most 900."""
    lock_code: NotRequired[str | None]
    """Opens it."""


class PictureHeldBy(TypedDict):
    """What it hangs on."""

    at_lumen: int
    """How bright."""
    class_: NotRequired[str | None]
    """A word that Python keeps for itself."""


_PICTURE_FRAME: Final[dict[str, Any]] = {
    "wood": ("wood", None),
    "width_mm": ("widthMm", int),
    "lock_code": ("lockCode", None),
}


_PICTURE_LAMP_LIST: Final[dict[str, Any]] = {
    "at_lumen": ("atLumen", int),
    "class_": ("class", None),
}


_PICTURE_FRAME_BY_YEAR: Final[dict[str, Any]] = {
    "wood": ("wood", None),
    "width_mm": ("widthMm", int),
    "lock_code": ("lockCode", None),
}


_PICTURE_HELD_BY: Final[dict[str, Any]] = {
    "at_lumen": ("atLumen", int),
    "class_": ("class", None),
}


class Picture(pulumi.CustomResource):
    """A picture, "as it hangs": with a frame, lamps, and everything that a property can be; this
    says more than a line can hold.
    """

    _wired: ClassVar = (
        "title",
        "isOnLoan",
        "roomNumber",
        "weightKg",
        "style",
        "frame",
        "lampList",
        "frameByYear",
        "tagSet",
        "formerOwners",
        "extra",
        "insuranceURLs",
        "oldTitle",
        "heldBy",
        "hangingSince",
        "alarmKey",
    )
    _secrets: ClassVar[list[str]] = ["insuranceURLs", "alarmKey"]

    def __init__(
        self,
        resource_name: str,
        *,
        title: Input[str],
        is_on_loan: Input[bool] | None = None,
        room_number: Input[int] | None = None,
        weight_kg: Input[float] | None = None,
        style: Input[PictureStyle | PictureStyleText] | None = None,
        frame: Input[PictureFrameArgs],
        lamp_list: Input[Sequence[Input[PictureLampListArgs]]] | None = None,
        frame_by_year: Input[Mapping[str, Input[PictureFrameByYearArgs]]] | None = None,
        tag_set: Input[Mapping[str, Input[str]]] | None = None,
        former_owners: Input[Sequence[Input[str]]] | None = None,
        extra: Input[Any] | None = None,
        insurance_urls: Input[Sequence[Input[str]]] | None = None,
        old_title: Input[str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        title: Its title.
        is_on_loan: Whether it goes back. Default: False.
        room_number: Where it hangs. At least 1. Default: 7.
        weight_kg: How heavy. At least 0.5.
        style: How it was painted.
        frame: What is around it.
        lamp_list: What shines on it, a backslash \\ too.
        frame_by_year: What was around it.
        tag_set: Labels; their keys stay as they are.
        former_owners: Whose it was. Default: ["nobody"].
        extra: Whatever else.
        insurance_urls: Where it is insured.
        old_title: Its title. Deprecated: use title
        """
        inputs: dict[str, Any] = {
            "title": title,
            "isOnLoan": is_on_loan,
            "roomNumber": room_number,
            "weightKg": weight_kg,
            "style": style,
            "frame": _to_wire(frame, _PICTURE_FRAME),
            "lampList": _to_wire(lamp_list, _PICTURE_LAMP_LIST),
            "frameByYear": _to_wire(frame_by_year, _Each(_PICTURE_FRAME_BY_YEAR)),
            "tagSet": tag_set,
            "formerOwners": former_owners,
            "extra": extra,
            "insuranceURLs": _secret(insurance_urls),
            "oldTitle": _deprecated(old_title, "Picture.old_title", "use title"),
        }
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets, delete_first=True)
        super().__init__("gallery:index:Picture", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> Picture:
        """The one that exists under this id: read, and never changed."""
        return _existing(Picture, "gallery:index:Picture", Picture._wired, resource_name, id, opts)

    @property
    @pulumi.getter(name="title")
    def title(self) -> Output[str]:
        """Its title."""
        return _known(self, "title")

    @property
    @pulumi.getter(name="isOnLoan")
    def is_on_loan(self) -> Output[bool]:
        """Whether it goes back. Default: False."""
        return _known(self, "isOnLoan")

    @property
    @pulumi.getter(name="roomNumber")
    def room_number(self) -> Output[int]:
        """Where it hangs. At least 1. Default: 7."""
        return _known(self, "roomNumber")

    @property
    @pulumi.getter(name="weightKg")
    def weight_kg(self) -> Output[float | None]:
        """How heavy. At least 0.5."""
        return _known(self, "weightKg")

    @property
    @pulumi.getter(name="style")
    def style(self) -> Output[PictureStyleText | None]:
        """How it was painted."""
        return _known(self, "style")

    @property
    def frame(self) -> Output[PictureFrame]:
        """What is around it."""
        return _known(self, "frame", _PICTURE_FRAME)

    @property
    def lamp_list(self) -> Output[Sequence[PictureLampList] | None]:
        """What shines on it, a backslash \\ too."""
        return _known(self, "lampList", _PICTURE_LAMP_LIST)

    @property
    def frame_by_year(self) -> Output[Mapping[str, PictureFrameByYear] | None]:
        """What was around it."""
        return _known(self, "frameByYear", _Each(_PICTURE_FRAME_BY_YEAR))

    @property
    @pulumi.getter(name="tagSet")
    def tag_set(self) -> Output[Mapping[str, str] | None]:
        """Labels; their keys stay as they are."""
        return _known(self, "tagSet")

    @property
    @pulumi.getter(name="formerOwners")
    def former_owners(self) -> Output[Sequence[str]]:
        """Whose it was. Default: ["nobody"]."""
        return _known(self, "formerOwners")

    @property
    @pulumi.getter(name="extra")
    def extra(self) -> Output[Any | None]:
        """Whatever else."""
        return _known(self, "extra")

    @property
    @pulumi.getter(name="insuranceURLs")
    def insurance_urls(self) -> Output[Sequence[str] | None]:
        """Where it is insured."""
        return _known(self, "insuranceURLs")

    @property
    @pulumi.getter(name="oldTitle")
    def old_title(self) -> Output[str | None]:
        """Its title. Deprecated: use title"""
        return _known(self, "oldTitle")

    @property
    def held_by(self) -> Output[PictureHeldBy]:
        """What it hangs on."""
        return _known(self, "heldBy", _PICTURE_HELD_BY)

    @property
    @pulumi.getter(name="hangingSince")
    def hanging_since(self) -> Output[str]:
        """Since when."""
        return _known(self, "hangingSince")

    @property
    @pulumi.getter(name="alarmKey")
    def alarm_key(self) -> Output[str]:
        """Stops the alarm."""
        return _known(self, "alarmKey")


class Nail(pulumi.CustomResource):
    """A nail, which takes nothing."""

    _wired: ClassVar = ()
    _secrets: ClassVar[list[str]] = []

    def __init__(
        self,
        resource_name: str,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one."""
        inputs: dict[str, Any] = {}
        properties = {**dict.fromkeys(self._wired), **inputs}
        options = _options(opts, self._secrets)
        super().__init__("gallery:index:Nail", resource_name, properties, options)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002  as Pulumi calls it everywhere
        opts: ResourceOptions | None = None,
    ) -> Nail:
        """The one that exists under this id: read, and never changed."""
        return _existing(Nail, "gallery:index:Nail", Nail._wired, resource_name, id, opts)


class Provider(pulumi.ProviderResource):
    """gallery, configured by the program itself."""

    def __init__(
        self,
        resource_name: str,
        *,
        endpoint_url: Input[str],
        access_token: Input[str] | None = None,
        retries: Input[int] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        endpoint_url: Where the gallery is.
        access_token: Opens it.
        retries: How often. Default: 3.
        """
        inputs: dict[str, Any] = {
            "endpointURL": endpoint_url,
            "accessToken": _secret(access_token),
            "retries": retries,
        }
        plain = {"endpointURL", "accessToken"}
        told = {k: v if k in plain else _json(v) for k, v in inputs.items()}
        super().__init__("gallery", resource_name, told, opts)
