"""A checkout whose stack `twin` is deployed against a twin of Hugging Face of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests import vault
from tests.e2e.checkout import PROJECT, Checkout, Ended, free_port

SPEC = "specs/twin/chat.yaml"
_OF_HUGGING_FACE = ("HF_", "MOORAGE_HF_", "HUGGING_FACE_")


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A twin as a process, driven over its control routes."""

    environ: Mapping[str, str]

    @property
    def api(self) -> str:
        """Where its Endpoints API is."""
        return self.environ["MOORAGE_HF_ENDPOINTS_URL"]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The secrets that a deployment gets to know."""
        return self.environ["HF_TOKEN"], self.environ["MOORAGE_HF_INFERENCE_TOKEN"]

    def endpoints(self) -> dict[str, Any]:
        """Every endpoint as the API tells it, by account/name."""
        found = httpx.get(f"{self.api}/_twin/endpoints", timeout=10).json()
        return {key: one["raw"] for key, one in found.items()}

    def space(self, name: str) -> Any:
        """A Space of acme with its variables, as the Hub tells them; None where there is none."""
        headers = {"Authorization": f"Bearer {self.environ['HF_TOKEN']}"}
        url = f"{self.environ['HF_ENDPOINT']}/api/spaces/acme/{name}"
        told = httpx.get(url, headers=headers, timeout=10)
        if told.status_code != 200:
            return None
        variables = httpx.get(f"{url}/variables", headers=headers, timeout=10).json()
        return {**told.json(), "variables": variables}

    def the_endpoint(self) -> Any:
        [raw] = self.endpoints().values()
        return raw

    def writes(self) -> list[str]:
        """Whatever was asked of Hub and Endpoints API besides reads, since the last `forget`."""
        asked = httpx.get(f"{self.api}/_twin/requests", timeout=10).json()
        kept = [one for one in asked if one["host"] in ("hub", "endpoints")]
        return [f"{one['method']} {one['path']}" for one in kept if one["method"] != "GET"]

    def forget(self) -> None:
        httpx.delete(f"{self.api}/_twin/requests", timeout=10).raise_for_status()

    def pause(self, key: str) -> None:
        """As a person does in the browser."""
        httpx.post(f"{self.api}/_twin/endpoints/{key}/pause", timeout=10).raise_for_status()

    def remove(self, key: str) -> None:
        """As a person deletes it in the browser."""
        httpx.post(f"{self.api}/_twin/endpoints/{key}/remove", timeout=10).raise_for_status()

    def put(self, key: str, **fields: Any) -> None:
        """As a person does with the API."""
        headers = {"Authorization": f"Bearer {self.environ['HF_TOKEN']}"}
        url = f"{self.api}/v2/endpoint/{key}"
        httpx.put(url, json=fields, headers=headers, timeout=10).raise_for_status()

    def fault(self, **said: Any) -> None:
        httpx.post(f"{self.api}/_twin/faults", json=said, timeout=10).raise_for_status()

    def clear_faults(self) -> None:
        httpx.delete(f"{self.api}/_twin/faults", timeout=10).raise_for_status()


@dataclass(frozen=True, kw_only=True)
class TwinStack:
    """The stack `twin` of a checkout."""

    checkout: Checkout
    twin: Twin

    def moorage(self, *words: str, **environ: str) -> Ended:
        return self.checkout.moorage(*words, "--stack", "twin", timeout_s=240, **environ)

    def fine(self, *words: str) -> Ended:
        ended = self.moorage(*words)
        assert ended.code == 0, ended.said
        return ended

    def outputs(self, part: str = "services", service: str = "chat") -> Any:
        return self.checkout.outputs("twin")[part][service]

    def app(self) -> Any:
        """The Space in front of the service."""
        return self.twin.space(self.outputs("details")["app"].rpartition("/")[2])

    def edit(self, old: str, new: str) -> None:
        self.checkout.edit(SPEC, old, new)


@contextmanager
def a_twin_stack(root: Path) -> Iterator[TwinStack]:
    """A checkout and a twin; at the end nothing of either may be left."""
    port = free_port()
    for name in ("Pulumi.yaml", "stacks", "specs"):
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name)
    with _a_twin() as twin:
        checkout = Checkout(
            root=root, port=port, environ={**_environ(), **twin.environ, **vault.environment()}
        )
        checkout.edit("stacks/Pulumi.twin.yaml", "8710", str(port))
        checkout.seal("twin")
        stack = TwinStack(checkout=checkout, twin=twin)
        try:
            yield stack
            stack.fine("destroy")
            left = [(process.pid, process.cmdline()) for process in checkout.processes()]
            assert not left, f"left behind: {left}"
            assert not twin.endpoints(), "endpoints are left behind"
        finally:
            for process in checkout.processes():
                process.kill()


def _environ() -> dict[str, str]:
    known = os.environ.items()
    pulumi = ("PULUMI_C", "PULUMI_B")
    return {k: v for k, v in known if not k.startswith((*pulumi, *_OF_HUGGING_FACE))}


@contextmanager
def _a_twin() -> Iterator[Twin]:
    """The process that a user starts, and the lines that it prints for the shell."""
    scenario = PROJECT / "stacks" / "twin" / "scenario.yaml"
    command = [sys.executable, "-m", "moorage", "twin", "--scenario", str(scenario)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Twin(environ=dict(_exports(process.stdout)))
        finally:
            process.terminate()


def _exports(lines: Iterator[str] | Any) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.startswith("#"):
            return
        _, told = shlex.split(line)
        name, _, value = told.partition("=")
        yield name, value
    raise AssertionError("the twin has ended")
