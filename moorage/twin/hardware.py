"""What the twin rents out: computes of vendors and regions, with price, status and quota."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

STATUSES: Final = ("available", "low_availability", "not_available", "reserved", "deprecated")
UNPLACEABLE: Final = ("not_available", "deprecated")


@dataclass(frozen=True, kw_only=True, slots=True)
class Compute:
    """One instance that can be had; its memory is that of a whole replica."""

    vendor: str
    region: str
    instance_type: str
    instance_size: str
    accelerator: str = "gpu"
    accelerators: int = 1
    cpus: int = 4
    memory_gb: int = 16
    gpu_memory_gb: int | None = None
    usd_per_hour: float = 1.0
    status: str = "available"
    quota: int = 8  # accelerators of this type that one account may use

    @property
    def id(self) -> str:
        """As the API calls it."""
        return f"{self.vendor}-{self.region}-{self.instance_type}-{self.instance_size}"

    def told(self, used: int | None) -> dict[str, Any]:
        """As the catalogue tells it; without a namespace the quota is a placeholder."""
        quota = {"maxAccelerators": self.quota if used is not None else 0}
        sizes = {"gpuMemoryGb": self.gpu_memory_gb} if self.gpu_memory_gb else {}
        return {
            "id": self.id,
            "accelerator": self.accelerator,
            "architecture": self.instance_type,
            "instanceType": self.instance_type,
            "instanceSize": self.instance_size,
            "numAccelerators": self.accelerators,
            "numCpus": self.cpus,
            "memoryGb": self.memory_gb,
            **sizes,
            "pricePerHour": self.usd_per_hour,
            "status": self.status,
            "quota": quota | {"usedAccelerators": used or 0},
        }


def vendors(computes: Iterable[Compute], used: Mapping[str, int] | None) -> list[dict[str, Any]]:
    """The catalogue's tree; `used` counts an account's accelerators by instance type."""
    tree: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for compute in computes:
        row = compute.told(None if used is None else used.get(compute.instance_type, 0))
        tree.setdefault(compute.vendor, {}).setdefault(compute.region, []).append(row)
    return [
        {
            "name": vendor,
            "status": "available",
            "regions": [
                {"name": region, "label": region, "status": "available", "computes": rows}
                for region, rows in regions.items()
            ],
        }
        for vendor, regions in tree.items()
    ]


def quotas(computes: Iterable[Compute], used: Mapping[str, int]) -> list[dict[str, Any]]:
    """What an account may use of each instance type, and uses."""
    tree: dict[str, dict[str, dict[str, Any]]] = {}
    for compute in computes:
        row = {"instanceType": compute.instance_type, "maxAccelerators": compute.quota}
        row["usedAccelerators"] = used.get(compute.instance_type, 0)
        tree.setdefault(compute.vendor, {})[compute.instance_type] = row
    return [{"name": vendor, "quotas": list(rows.values())} for vendor, rows in tree.items()]


def find(computes: Sequence[Compute], provider: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
    """The compute that a body asks for; None where nobody has it."""
    wanted = (
        provider.get("vendor"),
        provider.get("region"),
        asked.get("accelerator"),
        asked.get("instanceType"),
        asked.get("instanceSize"),
    )
    return next((compute for compute in computes if _key(compute) == wanted), None)


def catalogue() -> tuple[Compute, ...]:
    """The documented rows of 2026-05; prices change, so tests must not depend on them."""
    return tuple(_row(*row) for row in _ROWS)


def _key(compute: Compute) -> tuple[str, ...]:
    return (
        compute.vendor,
        compute.region,
        compute.accelerator,
        compute.instance_type,
        compute.instance_size,
    )


def _row(
    vendor: str, region: str, kind: str, size: str, usd: float, memory: int, gpu_gb: int
) -> Compute:
    count = int(size.removeprefix("x"))
    return Compute(
        vendor=vendor,
        region=region,
        instance_type=kind,
        instance_size=size,
        accelerator="gpu" if gpu_gb else "cpu",
        accelerators=count,
        cpus=count if not gpu_gb else 4 * count,
        memory_gb=memory,
        gpu_memory_gb=gpu_gb * count or None,
        usd_per_hour=usd,
        quota=_QUOTAS.get(kind, 8 if gpu_gb else 32),
    )


_QUOTAS: Final = {"nvidia-h100": 0}  # told as available, and nobody may have one
_ROWS: Final = (
    ("aws", "us-east-1", "intel-spr", "x1", 0.033, 2, 0),
    ("aws", "us-east-1", "intel-spr", "x2", 0.067, 4, 0),
    ("aws", "us-east-1", "intel-spr", "x4", 0.134, 8, 0),
    ("aws", "us-east-1", "nvidia-t4", "x1", 0.5, 14, 16),
    ("aws", "us-east-1", "nvidia-l4", "x1", 0.8, 30, 24),
    ("aws", "us-east-1", "nvidia-l4", "x4", 3.8, 184, 24),
    ("aws", "us-east-1", "nvidia-a10g", "x1", 1.0, 30, 24),
    ("aws", "us-east-1", "nvidia-l40s", "x1", 1.8, 60, 48),
    ("aws", "us-east-1", "nvidia-l40s", "x4", 8.3, 372, 48),
    ("aws", "us-east-1", "nvidia-a100", "x1", 2.5, 145, 80),
    ("aws", "us-east-1", "nvidia-a100", "x2", 5.0, 290, 80),
    ("aws", "us-west-2", "nvidia-h200", "x1", 5.0, 256, 141),
    ("aws", "us-west-2", "nvidia-h200", "x8", 40.0, 2048, 141),
    ("aws", "eu-west-1", "intel-spr", "x1", 0.033, 2, 0),
    ("aws", "eu-west-1", "intel-spr", "x2", 0.067, 4, 0),
    ("aws", "eu-west-1", "intel-spr", "x4", 0.134, 8, 0),
    ("aws", "eu-west-1", "intel-spr", "x8", 0.268, 16, 0),
    ("aws", "eu-west-1", "nvidia-t4", "x1", 0.5, 14, 16),
    ("aws", "eu-west-1", "nvidia-l4", "x1", 0.8, 30, 24),
    ("aws", "eu-west-1", "nvidia-l4", "x4", 3.8, 184, 24),
    ("aws", "eu-west-1", "nvidia-l40s", "x1", 1.8, 60, 48),
    ("aws", "eu-west-1", "nvidia-a100", "x1", 2.5, 145, 80),
    ("azure", "eastus", "intel-xeon", "x1", 0.06, 2, 0),
    ("gcp", "us-east4", "intel-spr", "x1", 0.05, 2, 0),
    ("gcp", "us-east4", "nvidia-l4", "x1", 0.7, 30, 24),
    ("gcp", "us-east4", "nvidia-h100", "x1", 10.0, 234, 80),
)
