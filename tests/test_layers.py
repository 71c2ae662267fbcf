"""Imports run one way: every module is held to the table of rooms, and there are no cycles."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("moorage", "components", "stacks", "loadtests")

# Room -> what it may import besides the standard library and itself; the longest prefix wins.
# A trailing "?" marks an import allowed inside functions only: it is heavy or a door of its own.
MAY_IMPORT = {
    "moorage": set(),
    "moorage.errors": set(),
    "moorage.late": set(),
    "moorage.login": {"moorage.errors", "huggingface_hub?"},
    "moorage.__main__": {"moorage.cli"},
    "moorage.spec": {"moorage", "moorage.errors", "yaml", "jsonschema", "msgspec"},
    "moorage.plan": {
        "moorage",
        "moorage.errors",
        "moorage.late",
        "moorage.spec",
        "yaml",
        "msgspec",
    },
    "moorage.hub": {"moorage", "moorage.errors", "moorage.plan", "huggingface_hub", "msgspec"},
    "moorage.market": {
        "moorage",
        "moorage.errors",
        "moorage.login",
        "moorage.plan",
        "moorage.spec",
        "httpx",
        "msgspec",
        "boto3?",
        "botocore?",
    },
    "moorage.preflight": {"moorage", "moorage.errors", "moorage.login", "moorage.plan", "httpx?"},
    "moorage.status": {"moorage.errors", "moorage.provider.serving", "yaml"},
    "moorage.engine": {"moorage", "moorage.errors", "xllamacpp", "gguf", "numpy"},
    "moorage.provider": {
        "moorage",
        "moorage.errors",
        "moorage.late",
        "moorage.login",
        "moorage.engine?",
        "pulumi",
        "google",
        "grpc",
        "psutil",
        "httpx",
        "huggingface_hub?",
        "httpx2?",  # what huggingface_hub raises
        "tqdm?",
        "boto3?",
        "botocore?",  # what boto3 raises, and its settings
        "docker?",
        "requests?",  # what docker raises
        "urllib3?",  # what docker's connections are made of
    },
    # For the tests of whoever writes handlers; nothing else of the provider may import them.
    "moorage.provider.contract": {"moorage.errors", "moorage.provider", "pytest"},
    "moorage.provider.testing": {
        "moorage",
        "moorage.errors",
        "moorage.provider",
        "google",
        "grpc",
        "pytest",
    },
    "moorage.resources": {"pulumi"},
    "moorage.deploy": {
        "moorage",
        "moorage.errors",
        "pulumi",
        "semver",
        "psutil",
        "yaml",
        "rich",
        "botocore?",  # the locks of states in a bucket
        "grpc",  # the language host that an import asks for
    },
    "moorage.gateway": {"aiohttp"},
    "moorage.twin": {"aiohttp", "yaml"},
    "moorage.cli": {
        "moorage",
        "moorage.errors",
        "moorage.spec?",
        "moorage.plan?",
        "moorage.hub?",
        "moorage.market?",
        "moorage.preflight?",
        "moorage.status?",
        "moorage.deploy?",
        "moorage.gateway?",
        "moorage.twin?",
        "moorage.provider?",
        "components?",
        "loadtests?",
        "rich?",
        "msgspec?",  # what plans and the catalogue are made of
    },
    "components": {
        "moorage.errors",
        "moorage.late",
        "moorage.login",
        "moorage.spec",
        "moorage.plan",
        "moorage.resources",
        "pulumi",
        "pulumi_docker",
    },
    # What runs elsewhere: apps of Spaces, each with the packages of its own requirements, and the
    # program that starts an engine in the engine's own image.
    "components.templates": {
        "gradio",
        "streamlit",
        "httpx",
        "PIL",
        "gateway",
        "painter",
        "huggingface_hub?",
    },
    "stacks": {"components", "moorage.errors", "moorage.spec", "moorage.plan", "pulumi", "msgspec"},
    "loadtests": {"moorage.errors", "moorage.spec", "httpx"},
    "loadtests.locustfiles": {"loadtests", "locust", "gevent", "geventhttpclient"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if within(module, room)), key=len)


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


@functools.cache
def imports(path: Path) -> frozenset[tuple[str, bool]]:
    """Every imported module and whether it is imported at the top level of the file."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                (
                    name if (name := f"{node.module}.{alias.name}") in MODULES else node.module,
                    id(node) in top,
                )
                for alias in node.names
            )


def is_allowed(module: str, target: str, *, at_top: bool) -> bool:
    room = room_of(module)
    if target.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return True
    if target.split(".", maxsplit=1)[0] in ROOMS and room_of(target) == room:
        return True
    allowed = MAY_IMPORT[room]
    if target == "moorage" or (within(target, "moorage") and room_of(target) == "moorage"):
        return "moorage" in allowed
    names = {name.rstrip("?"): name.endswith("?") for name in allowed if name != "moorage"}
    matches = [lazy for name, lazy in names.items() if within(target, name)]
    return bool(matches) and not (at_top and all(matches))


@pytest.mark.parametrize("room", sorted({room_of(module) for module in MODULES}))
def test_the_modules_of_a_room_import_only_what_it_may(room: str) -> None:
    forbidden = [
        f"{module} must not import {target}{' at the top level' if at_top else ''}"
        for module in MODULES
        if room_of(module) == room
        for target, at_top in sorted(imports(MODULES[module]))
        if not is_allowed(module, target, at_top=at_top)
    ]
    assert not forbidden, "\n".join(forbidden)


def test_a_forbidden_import_is_noticed() -> None:
    assert not is_allowed("moorage.plan.decide", "pulumi", at_top=True)
    assert not is_allowed("moorage.gateway.app", "moorage.errors", at_top=True)
    assert not is_allowed("moorage.cli.up", "moorage.deploy.driver", at_top=True)
    assert is_allowed("moorage.cli.up", "moorage.deploy.driver", at_top=False)


def test_there_are_no_import_cycles() -> None:
    edges = {
        module: {t for t, at_top in imports(path) if at_top and t in MODULES and t != module}
        for module, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for target in sorted(edges[module]):
                visit(target, (*trail, module))
            done.add(module)

    for module in edges:
        visit(module, ())
