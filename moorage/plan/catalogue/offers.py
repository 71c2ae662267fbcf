"""What the world sells, as values: GPUs, engines, regions, price rows, placement kinds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from moorage.plan.fit.calibration import Calibration


class Gpu(Struct, frozen=True, kw_only=True):
    """One GPU model, as an engine sees it."""

    name: str  # nvidia-l40s
    title: str
    nominal_gb: Decimal  # what the data sheet says
    usable_gib: float  # what CUDA reports
    capability: float  # CUDA compute capability: 8.9
    memory_gbps: float  # gigabytes per second
    bf16_tflops: float  # dense
    fp8_tflops: float | None = None
    source: str
    date: str
    confidence: str  # measured | published | remembered


class Region(Struct, frozen=True, kw_only=True):
    """Where a kind can be had."""

    name: str  # eu-west-1
    vendor: str | None
    area: str  # eu, us, uk, ap, ca, ...


class Offer(Struct, frozen=True, kw_only=True):
    """A price row: what one can have, for how much, who says so, and since when."""

    kind: str
    name: str  # the instance as its seller calls it: nvidia-l40s-x1, g6e.xlarge, l4x1
    vendor: str | None = None
    region: str | None = None  # None: the same in every region of the vendor
    gpu: str | None = None  # a name of gpus.yaml; None: no GPU
    count: int = 0  # GPUs
    memory_gib: float | None = None  # of the host
    market: str = "on-demand"  # on-demand | spot
    usd: Decimal
    per: str  # hour | month | gb-month | mtok-input | mtok-output
    currency: str = "USD"
    status: str = "available"  # available | low-availability | not-available | deprecated
    source: str
    date: str  # the day it was read, YYYY-MM-DD
    confidence: str  # published | observed | remembered | stated | certain
    free: bool = False  # a price of zero that is meant
    quota: int | None = None  # GPUs that the account which asked may still take

    @property
    def key(self) -> str:
        """What names the row in locks: kind/vendor/region/name/market, without the empty parts."""
        market = None if self.market == "on-demand" else self.market
        parts = (self.kind, self.vendor, self.region, self.name, market)
        return "/".join(part for part in parts if part)


class Bounds(Struct, frozen=True, kw_only=True):
    """Between which prices a row can be believed."""

    least_usd: Decimal
    most_usd: Decimal


class RouterProvider(Struct, frozen=True, kw_only=True):
    """What is known of a router provider's ways with data; a slug not listed is unknown."""

    name: str
    areas: tuple[str, ...]  # where it may compute; empty: nobody says
    retention_days: float | None  # None: nobody says
    trains: bool | None  # whether it may train on what it gets; None: nobody says
    speaks: tuple[str, ...]  # tasks besides chats that it answers in OpenAI's words
    source: str
    date: str


class Engine(Struct, frozen=True, kw_only=True):
    """A serving engine and what it can do, as of its versions listed here."""

    name: str  # vllm
    title: str
    tasks: tuple[str, ...]
    versions: tuple[str, ...]  # known ones, newest first; empty: not versioned by us
    image: str | None  # with {version}
    cpu_image: str | None  # the same without GPUs, where it is another one
    architectures: Mapping[str, str]  # architecture -> the first version known to serve it
    quantization: Mapping[str, float]  # method -> least compute capability; 0: any, also none
    flags: Mapping[str, str]  # flag without the dashes -> versions that know it; empty: not checked
    fit: str  # vllm | sglang | llama.cpp | tei | none: which memory model judges it
    weights: tuple[str, ...]  # safetensors, gguf, pickle: formats it loads
    read_at: tuple[str, ...] = ()  # versions whose architectures were read; between, nobody knows
    first_for: tuple[str, ...] = ()  # tasks for which it is the first choice where it can
    flags_read_at: tuple[str, ...] = ()  # versions whose flags were read; between, nobody knows
    beside: tuple[str, ...] = ()  # keys of `model` for what it loads beside the model
    counts: bool = False  # whether it tells how much it has done, and so when it is idle
    own_words: bool = (
        False  # whether it has no path in OpenAI's words, and so none of the gateway's
    )
    said: Mapping[str, Any] = field(default_factory=dict)  # flags of every server of our own
    said_env: Mapping[str, str] = field(default_factory=dict)  # and variables of its environment


class Kind(Struct, frozen=True, kw_only=True):
    """A placement kind: what it is, what it can honour, what a spec may say of it."""

    name: str
    title: str
    weights: str  # hub: any weights of the Hub; gguf: one GGUF file; none: somebody else's matter
    dedicated: bool  # hardware of one's own, as long as it runs
    starts_engine: bool  # whether moorage itself says how the engine is started
    tasks: tuple[str, ...]
    engines: tuple[str, ...]  # those it can run, first choice first; empty: not ours to choose
    beside: Mapping[str, tuple[str, ...]]  # engine -> the keys of `model` that it gets here too
    tiers: tuple[str, ...]
    tiers_because: str
    visibility: Mapping[str, tuple[str, ...]]  # value of the option `visibility` -> tiers
    retention_days: float | None  # how long the platform keeps requests or logs of them
    areas: tuple[str, ...]  # where nothing else says where it computes
    name_limit: int | None  # characters of the remote name, where it has one
    scale_to_zero: bool
    billed_while_starting: bool
    billing_minimum_s: int
    replace_on: tuple[str, ...]  # options whose change replaces the remote thing
    regions: tuple[Region, ...]
    offers: tuple[Offer, ...]
    routers: Mapping[str, RouterProvider]  # only hf-router: what is known of each provider
    extras: Mapping[str, Offer]  # prices of what comes along: disk, address
    options: Mapping[str, Any]  # a JSON Schema of the entry's keys besides `kind`
    source: str = ""  # who says what is said of privacy, and when
    date: str = ""

    @property
    def defaults(self) -> dict[str, Any]:
        """What options are when a spec does not give them."""
        properties = self.options.get("properties", {})
        return {key: own["default"] for key, own in properties.items() if "default" in own}


class Catalog(Struct, frozen=True, kw_only=True):
    """Everything of `catalog/`, read."""

    kinds: Mapping[str, Kind]
    gpus: Mapping[str, Gpu] = field(default_factory=dict)
    engines: Mapping[str, Engine] = field(default_factory=dict)
    licenses: Mapping[str, str] = field(default_factory=dict)  # the Hub's word -> SPDX
    calibration: Calibration | None = None  # None: nothing was measured
    bounds: Mapping[str, Bounds] = field(default_factory=dict)  # a GPU or a unit -> its prices
