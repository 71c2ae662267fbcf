"""A checkout whose stack runs containers on Docker engines of the tests' own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests import vault
from tests.docker import image
from tests.docker.engine import Engine
from tests.docker_plugin import place
from tests.e2e.checkout import NO_HUB, PROJECT, Checkout, Ended, free_port

SPEC: Final = "specs/docked/chat.yaml"
SERVICE: Final = "chat"
_IMAGE: Final = "vllm/vllm-openai"
_VERSIONS: Final = ("v0.33.0", "v0.32.0")
_LOCKED: Final = "specs/ec2/chat.lock.json"  # of the same model
_NOT_OURS: Final = ("PULUMI_C", "PULUMI_B", "DOCKER_", "AWS_", "HF_", "MOORAGE_")
_OWNER: Final = "moorage.owner"
_TEXT: Final = """
apiVersion: moorage/v1
kind: ModelService
name: chat
team: examples
owner: us@example.com
model:
  id: Qwen/Qwen3-8B
  revision: b968826d9c46dd6066d109eabc6255188de91218
  task: text-generation
  max_model_len: 4096
privacy: {tier: confidential}
providers: []
serving: {engine: vllm, version: 0.33.0}
slo: {ttft_p95: 30s, error_rate: 1%}
load: {rps: 1, input_tokens: 64, output_tokens: 16}
"""


@dataclass(frozen=True, kw_only=True)
class DockedStack:
    """The stack of a checkout, and the engines that its hosts are."""

    checkout: Checkout
    name: str
    engines: Sequence[Engine] = field(repr=False)

    def moorage(self, *words: str, **environ: str) -> Ended:
        return self.checkout.moorage(*words, "--stack", self.name, timeout_s=240, **environ)

    def fine(self, *words: str) -> Ended:
        ended = self.moorage(*words)
        assert ended.code == 0, ended.said
        return ended

    def outputs(self, part: str = "services") -> Any:
        return self.checkout.outputs(self.name)[part][SERVICE]

    def containers(self, number: int = 0) -> list[Any]:
        """What moorage has on a host, running or not."""
        found = self.engines[number].client.containers.list(all=True, filters={"label": _OWNER})
        return [one for one in found if one.labels[_OWNER].startswith(f"moorage/{self.name}/")]

    def the_container(self, number: int = 0) -> Any:
        [found] = self.containers(number)
        return found

    def place(self, **options: Any) -> None:
        """Give the first placement these options; None takes one away."""
        self._edit(lambda spec: _set(spec["providers"][0], options))

    def keep(self, count: int) -> None:
        """Leave the service so many placements, the first ones."""
        self._edit(lambda spec: spec.update(providers=spec["providers"][:count]))

    def serve(self, **options: Any) -> None:
        """Have the engine served so; None takes an option away."""
        self._edit(lambda spec: _set(spec["serving"], options))

    def _edit(self, change: Callable[[Any], None]) -> None:
        path = self.checkout.root / SPEC
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(spec)
        path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")


@contextmanager
def a_docked_stack(
    root: Path,
    engines: Sequence[Engine],
    *,
    name: str = "docked",
    services: Sequence[str] = (SERVICE,),
    **options: Any,
) -> Iterator[DockedStack]:
    """A checkout with one placement of each service on each engine; at the end nothing is left.

    Stacks that share an engine need names of their own: what they have there is called after them.
    """
    port = free_port()
    _lay_out(root, name, port)
    for engine in engines:
        _know_images(engine)
    kept = {name: one for name, one in os.environ.items() if not name.startswith(_NOT_OURS)}
    known = {**NO_HUB, **vault.environment()}
    checkout = Checkout(root=root, port=port, environ={**kept, **known})
    checkout.seal(name)
    stack = DockedStack(checkout=checkout, name=name, engines=engines)
    placements = [{"kind": "docker-host", "host": one.host, **options} for one in engines]
    for service in services:
        _write_spec(root, service, placements)
    try:
        yield stack
        stack.fine("destroy")
        left = [(process.pid, process.cmdline()) for process in checkout.processes()]
        assert not left, f"left behind: {left}"
        assert not [one for number, _ in enumerate(engines) for one in stack.containers(number)]
    finally:
        for process in checkout.processes():
            process.kill()
        for number, _ in enumerate(engines):
            for container in stack.containers(number):
                container.remove(force=True)


def _set(known: dict[str, Any], options: Mapping[str, Any]) -> None:
    known.update(options)
    for name in [name for name, value in options.items() if value is None]:
        del known[name]


def _lay_out(root: Path, name: str, port: int) -> None:
    shutil.copytree(PROJECT / "stacks", root / "stacks")
    shutil.copytree(PROJECT / "specs", root / "specs")
    project = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text(encoding="utf-8"))
    project["plugins"]["providers"] += place.providers()
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    config = {"moorage:specs": ["specs/docked/*.yaml"], "moorage:gatewayPort": str(port)}
    stack = yaml.safe_dump({"config": config})
    (root / "stacks" / f"Pulumi.{name}.yaml").write_text(stack, encoding="utf-8")


def _write_spec(root: Path, service: str, placements: Sequence[dict[str, Any]]) -> None:
    path = (root / SPEC).with_stem(service)
    path.parent.mkdir(exist_ok=True)
    spec = {**yaml.safe_load(_TEXT), "name": service, "providers": list(placements)}
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    shutil.copy(PROJECT / _LOCKED, path.with_suffix(".lock.json"))


def _know_images(engine: Engine) -> None:
    """Two versions of vLLM's image are on the host already: as a registry would have them."""
    ids = (image.load(engine), image.another(engine, "2"))
    for version, id_ in zip(_VERSIONS, ids, strict=True):
        engine.client.images.get(id_).tag(_IMAGE, version)
