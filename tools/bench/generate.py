"""Thousands of different specs with their locks, as teams write them: one seed, one result."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
FACTS: Final = ROOT / "tests" / "facts"
MISTAKEN: Final = 0.02  # the share of specs with a mistake

POLICY: Final = """\
apiVersion: moorage/v1
kind: Policy
licenses: {refuse: [AGPL-3.0-only]}
owners: {needed: true}
prices: {warn_after: 36500d, refuse_after: 36501d}
"""

Section = dict[str, Any]

_TEAMS: Final = "support search legal risk growth mobile payments docs data games".split()  # noqa: SIM905
_GPUS: Final = {  # GiB that a model may take on one -> where it is sold
    14: ("nvidia-t4", "t4-small", "g4dn.xlarge"),
    21: ("nvidia-l4", "l4x1", "g6.xlarge"),
    43: ("nvidia-l40s", "l40sx1", "g6e.xlarge"),
    75: ("nvidia-a100", "a100-large", None),
    300: ("nvidia-a100", "a100x4", None),
    600: ("nvidia-a100", "a100x8", "p4de.24xlarge"),
}
_COUNTS: Final = {300: 4, 600: 8}
_CHAT: Final = ("text-generation", "image-text-to-text")
_LLAMA: Final = ("text-generation", "feature-extraction", "sentence-similarity")
_KINDS: Final = (
    "hf-endpoint",
    "docker-host",
    "ec2-gpu",
    "hf-space",
    "hf-router",
    "openai",
    "local",
)
_FREQUENT: Final = (30, 18, 14, 8, 12, 8, 10)


@dataclass(frozen=True, kw_only=True)
class Known:
    """A real model's lock, from which many are made."""

    lock: Section

    @property
    def model(self) -> Section:
        model: Section = self.lock["model"]
        return model

    @cached_property
    def gib(self) -> float:
        """About what it needs: weights, and room for the cache of keys and values."""
        tensors = self.model.get("tensors", ())
        weights = sum(int(row["count"]) * int(row["bytes_each"]) for row in tensors)
        return weights / 2**30 * 1.15 + 6

    @property
    def is_gguf(self) -> bool:
        return bool(self.model["quantization"].startswith("gguf:"))


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A project on disk."""

    folder: Path
    specs: tuple[str, ...]  # relative to the folder
    mistaken: int  # how many of them the schema refuses


def write(folder: Path, *, count: int, seed: int = 4) -> Fleet:
    """A project of `count` specs, their locks and a policy."""
    dice = random.Random(seed)  # noqa: S311  nothing here is a secret
    models = _models()
    (folder / "specs").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (folder / "policy.yaml").write_text(POLICY)
    services = [_service(number, dice, models) for number in range(count)]
    paths = [_write(folder / "specs", service, dice) for service in services]
    return Fleet(
        folder=folder,
        specs=tuple(path.relative_to(folder).as_posix() for path in sorted(paths)),
        mistaken=sum(service.mistake is not None for service in services),
    )


def _models() -> list[Known]:
    """Those that a careful team uses: no pickle, no code of a repository, GPUs that are sold."""
    found = [Known(lock=json.loads(path.read_text())) for path in sorted(FACTS.glob("*.lock.json"))]
    return [
        one
        for one in found
        if one.model["weights"] != "pickle"
        and one.model["quantization"] != "nvfp4"
        and not one.model.get("remote_code")
    ]


@dataclass(frozen=True, kw_only=True)
class _Service:
    spec: Section
    lock: Section
    mistake: Callable[[str], str] | None


def _service(number: int, dice: random.Random, models: list[Known]) -> _Service:
    first = dice.choices(_KINDS, _FREQUENT)[0]
    known = dice.choice([one for one in models if _suits(first, one)])
    lock = _lock(number, dice, known, first)
    spec = _spec(number, dice, known, first, lock)
    wrong = dice.choice(_MISTAKES) if dice.random() < MISTAKEN else None
    return _Service(spec=spec, lock=lock, mistake=wrong)


def _suits(kind: str, known: Known) -> bool:
    task = known.model["task"]
    if kind == "local":
        return known.is_gguf
    if kind == "hf-router":
        return task in _CHAT and not known.is_gguf
    if kind == "openai":
        return task in _LLAMA
    return not known.is_gguf


def _lock(number: int, dice: random.Random, known: Known, kind: str) -> Section:
    """The facts of a copy of the model in another repository, at a commit of its own."""
    model = dict(known.model)
    model["id"] = f"{dice.choice(_TEAMS)}-{number % 97}/{model['id'].rpartition('/')[2]}"
    model["revision"] = _commit(model["id"], number)
    if kind == "hf-router":
        model["routes"] = [
            {
                "context_tokens": 32768,
                "input_usd_per_mtok": f"0.{dice.randint(10, 60)}",
                "output_usd_per_mtok": f"0.{dice.randint(60, 99)}",
                "provider": provider,
                "provider_id": model["id"].lower(),
                "status": "live",
                "task": "conversational",
            }
            for provider in ("novita", "together")
        ]
    return {**known.lock, "model": model}


def _spec(number: int, dice: random.Random, known: Known, first: str, lock: Section) -> Section:
    tier = _tier(dice, first)
    team = dice.choice(_TEAMS)
    providers = [_PROVIDERS[first](dice, known, tier)]
    if first in ("hf-endpoint", "docker-host", "ec2-gpu") and dice.random() < 0.4:
        providers.append(_PROVIDERS["docker-host"](dice, known, tier))
    spec: Section = {
        "apiVersion": "moorage/v1",
        "kind": "ModelService",
        "name": f"{team[:6]}-{dice.choice(('chat', 'ask', 'find', 'sum'))}-{number}",
        "team": team,
        "owner": f"{team}-oncall@example.com",
        "model": _model(dice, lock, first),
        "privacy": _privacy(dice, tier),
        "budget": {"monthly_usd": dice.choice((250_000, 300_000.50, 400_000)), "test_usd": 900},
        "providers": providers,
    }
    return spec | _rest(dice, known, first, providers)


def _tier(dice: random.Random, kind: str) -> str:
    if kind in ("docker-host", "ec2-gpu", "local"):
        return dice.choice(("internal", "confidential", "restricted"))
    return "public" if kind == "hf-router" else dice.choice(("public", "internal"))


def _model(dice: random.Random, lock: Section, first: str) -> Section:
    facts = lock["model"]
    model: Section = {"id": facts["id"], "revision": facts["revision"], "task": facts["task"]}
    if facts["quantization"] != "none":
        model["quantization"] = facts["quantization"]
    if facts["task"] in _CHAT:
        config = facts.get("config", {})
        longest = int(config.get("max_position_embeddings") or config.get("n_positions") or 2048)
        model["max_model_len"] = min(longest, dice.choice((2048, 4096, 8192)))
    if facts["task"] == "text-generation" and first == "docker-host" and dice.random() < 0.3:
        model["adapters"] = [_adapter(facts, number) for number in range(dice.randint(1, 2))]
    return model


def _adapter(facts: Section, number: int) -> Section:
    name = f"{facts['id']}-tone-{number}"
    adapter = {"id": name, "revision": _commit(name, number), "name": f"tone-{number}"}
    known = {key: adapter[key] for key in ("id", "revision")}
    row = {"role": "adapter", **known, "base_model": facts["id"], "rank": 16, "license": "MIT"}
    facts["references"] = [*facts.get("references", ()), row]
    return adapter


def _privacy(dice: random.Random, tier: str) -> Section:
    kept = {"retention": "30d"} if dice.random() < 0.3 and tier == "restricted" else {}
    return {"tier": tier, **kept}


def _rest(dice: random.Random, known: Known, first: str, providers: list[Section]) -> Section:
    rest: Section = {}
    if known.model["task"] in _CHAT:
        rest["slo"] = {
            "ttft_p95": f"{dice.randint(20, 60)}s",
            "tpot_p95": dice.choice(("1500ms", "2s", "2.5s")),
            "error_rate": dice.choice(("0.5%", "1%", "2%")),
        }
    if first in ("hf-endpoint", "docker-host", "ec2-gpu") and dice.random() < 0.5:
        rest["serving"] = {"gpu_memory_utilization": dice.choice((0.9, 0.92))}
    if len(providers) > 1:
        rest["failover"] = {"time_to_recover": "15s", "lost_before_first_token": 0}
    active = {"active": f"{dice.randint(10, 100)}%"} if dice.random() < 0.5 else {}
    tokens = {"input_tokens": dice.randint(64, 512), "output_tokens": dice.randint(16, 128)}
    return rest | {"load": {"rps": dice.choice((0.2, 0.5, 1)), **tokens, **active}}


def _endpoint(dice: random.Random, known: Known, tier: str) -> Section:
    gpu, _space, _instance = _GPUS[_size(known)]
    replicas: Section = {"replicas": {"min": 1, "max": dice.randint(1, 3)}}
    if dice.random() < 0.3:
        replicas = {"replicas": {"min": 0, "max": 2}, "scale_to_zero_after": "30m"}
    where = {"vendor": "aws", "region": dice.choice(("us-east-1", "eu-west-1"))}
    seen = {"visibility": "private"} if tier == "confidential" else {}
    return {"kind": "hf-endpoint", **where, "gpu": gpu, "count": _count(known), **replicas, **seen}


def _docker(dice: random.Random, known: Known, _tier: str) -> Section:
    gpu, _space, _instance = _GPUS[_size(known)]
    host = f"ssh://gpu-box-{dice.randint(1, 9999)}"
    cost = {"monthly_usd": dice.choice((400, 1200.5))} if dice.random() < 0.5 else {}
    return {"kind": "docker-host", "host": host, "gpu": gpu, "count": _count(known), **cost}


def _ec2(dice: random.Random, known: Known, _tier: str) -> Section:
    _gpu, _space, instance = _GPUS[_size(known)]
    disk = {"disk_gib": dice.choice((200, 400))} if dice.random() < 0.5 else {}
    return {
        "kind": "ec2-gpu",
        "region": "us-east-1",
        "instance": instance or "p4de.24xlarge",
        **disk,
    }


def _space(_dice: random.Random, known: Known, _tier: str) -> Section:
    _gpu, hardware, _instance = _GPUS[_size(known)]
    return {"kind": "hf-space", "hardware": hardware, "sleep_after": "1h"}


def _router(dice: random.Random, _known: Known, _tier: str) -> Section:
    provider = dice.choice(("together", "novita", ["together", "novita"]))
    return {"kind": "hf-router", "provider": provider, "bill_to": "acme"}


def _openai(dice: random.Random, _known: Known, _tier: str) -> Section:
    url = f"http://10.0.{dice.randint(0, 255)}.{dice.randint(1, 254)}:8000/v1"
    return {"kind": "openai", "url": url, "model": "served"}


def _local(dice: random.Random, _known: Known, _tier: str) -> Section:
    return {"kind": "local", "parallel": dice.randint(1, 4)}


_PROVIDERS: Final[dict[str, Callable[[random.Random, Known, str], Section]]] = {
    "hf-endpoint": _endpoint,
    "docker-host": _docker,
    "ec2-gpu": _ec2,
    "hf-space": _space,
    "hf-router": _router,
    "openai": _openai,
    "local": _local,
}


def _size(known: Known) -> int:
    """The smallest that holds it; a quantized one wants a newer GPU than a T4."""
    least = 0 if known.model["quantization"] == "none" else 22
    return next((room for room in _GPUS if room > max(known.gib, least)), max(_GPUS))


def _count(known: Known) -> int:
    return _COUNTS.get(_size(known), 1)


def _commit(text: str, number: int) -> str:
    return hashlib.sha1(f"{text} {number}".encode(), usedforsecurity=False).hexdigest()


_MISTAKES: Final[tuple[Callable[[str], str], ...]] = (  # each is refused by schema and by moorage
    lambda text: re.sub(r"^team: .*$", "team: Support Team", text, flags=re.MULTILINE),
    lambda text: re.sub(r"^  tier: .*$", "  tier: secret", text, flags=re.MULTILINE),
    lambda text: text.replace("output_tokens:", "output_token:"),
    lambda text: re.sub(r"monthly_usd: [0-9.]+", "monthly_usd: 1k", text, count=1),
    lambda text: text.replace("kind: ModelService", "kind: ModelServer"),
    lambda text: re.sub(r"^owner: .*\n", "owner: 12\n", text, flags=re.MULTILINE),
)


def _write(folder: Path, service: _Service, dice: random.Random) -> Path:
    spec = service.spec
    path = folder / f"{spec['name']}.yaml"
    text = f"# {spec['team']}: {spec['model']['id']}\n{_yaml(spec, dice)}"
    path.write_text(service.mistake(text) if service.mistake else text)
    lock = json.dumps(service.lock, indent=2, sort_keys=True)
    path.with_name(f"{spec['name']}.lock.json").write_text(lock + "\n")
    return path


def _yaml(spec: Section, dice: random.Random) -> str:
    """Sections in block or flow style, as people mix them."""
    return "".join(f"{key}:{_value(key, value, dice)}\n" for key, value in spec.items())


def _value(key: str, value: Any, dice: random.Random) -> str:
    if isinstance(value, dict) and (key == "privacy" or dice.random() < 0.5):
        return "".join(f"\n  {name}: {_flow(own)}" for name, own in value.items())
    if isinstance(value, list):
        return "".join(_entry(row, dice) for row in value)
    return f" {_flow(value)}"


def _entry(row: Section, dice: random.Random) -> str:
    if dice.random() < 0.5:
        return f"\n  - {_flow(row)}"
    lines = (f"{name}: {_flow(own)}" for name, own in row.items())
    return "\n  - " + "\n    ".join(lines)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(own)}" for key, own in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(own) for own in value) + "]"
    if isinstance(value, str):
        return f'"{value}"' if re.search(r"[:*%@ ]", value) else value
    return (
        str(int(value)) if isinstance(value, float) and math.floor(value) == value else str(value)
    )
