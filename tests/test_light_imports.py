"""Heavy packages are loaded where they are used, and never by what every run begins with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import components

ROOT = Path(__file__).parent.parent
HEAVY = frozenset(
    {
        *("huggingface_hub", "boto3", "botocore", "docker", "pulumi_docker", "jsonschema"),
        *("locust", "gevent", "rich", "httpx", "httpx2", "aiohttp", "requests", "numpy", "gguf"),
    }
)
PROGRAM = f"""
from datetime import date
from pathlib import Path
from stacks.__main__ import load
root = Path({str(ROOT)!r})
assert load([root / "specs/examples/hello.yaml"], root=root, today=date.today()).plans
"""
# Loaded when a placement is built, or a model's memory is proven.
KINDS = {f"components.{name.replace('-', '_')}" for name in components.KINDS}
PROOFS = {f"moorage.plan.fit.{name}" for name in ("vllm", "sglang", "llamacpp", "tei", "kv")}
CASES = {
    "the stack program with its plans": (
        PROGRAM,
        HEAVY
        | KINDS
        | PROOFS
        | {"components.app", "moorage.provider", "moorage.deploy", "importlib.metadata"},
    ),
    "the provider": ("import moorage.provider.__main__", HEAVY | {"pulumi"}),
    "the driver": ("import moorage.deploy.driver", HEAVY | {"moorage.provider", "moorage.plan"}),
}


@pytest.mark.parametrize(("code", "unwanted"), CASES.values(), ids=CASES.keys())
def test_what_every_run_begins_with_loads_nothing_heavy(
    code: str, unwanted: frozenset[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not unwanted.intersection(done.stdout.split())
