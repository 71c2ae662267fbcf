"""What the commands on a stack share: which stack, its program, and how its results are printed."""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import importlib.util
import inspect
import json
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from moorage.errors import MoorageError

if TYPE_CHECKING:
    from moorage.deploy.driver import Result, Stack
    from moorage.plan.load import Loaded

_KEPT: Final = 100_000  # objects that a command on a stack makes, and that stay until it ends


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every command on a stack."""
    parser.add_argument("--stack", default="local", metavar="S", help="which stack (local)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def open_stack(name: str, *, form: str = "auto", diff: bool = False) -> Stack:
    """The stack of the project around the working directory, ready to be driven."""
    _spare_the_collector()
    from moorage.deploy import display
    from moorage.deploy.driver import Stack
    from moorage.plan.project import find_root

    root = find_root(Path.cwd())
    if not (root / "Pulumi.yaml").is_file():
        message = f"{root} is in no project: no folder upwards of it holds a Pulumi.yaml"
        raise MoorageError(message)
    show = display.choose(form=form, diff=diff)
    return Stack(root=root, name=name, program=lambda: run_program(root), display=show)


def reports(stack: Stack) -> Path:
    """Where the reports of a stack's tests go."""
    return stack.root / ".moorage" / "reports" / stack.name


def remove_reports(stack: Stack) -> None:
    """Remove what the tests of a stack wrote, and every folder of ours that is empty then."""
    folder = reports(stack)
    shutil.rmtree(folder, ignore_errors=True)
    for empty in (folder.parent, folder.parent.parent):
        with suppress(OSError):
            empty.rmdir()


def run_program(root: Path, loaded: Loaded | None = None) -> Awaitable[None] | None:
    """Run the stack program of a project: `main(root)` in stacks/__main__.py, which may be async.

    Where it takes `loaded`, too, it gets the plans that were made already.
    """
    path = root / "stacks" / "__main__.py"
    main: Callable[..., Awaitable[None] | None] | None = getattr(_program(path, root), "main", None)
    if main is None:
        message = f"{path} has no function `main(root)`"
        raise MoorageError(message)
    takes_plans = loaded is not None and "loaded" in inspect.signature(main).parameters
    return main(root, **({"loaded": loaded} if takes_plans else {}))


def equipped(stack: Stack, loaded: Loaded) -> Stack:
    """The stack with its plans, and with the plugins of other providers that these need.

    Its program knows them: the function `plugins(plans)` beside its `main(root)`, if there is one.
    """
    from moorage.deploy.plugins import Plugin

    stack = replace(stack, program=lambda: run_program(stack.root, loaded))
    with suppress(Exception):  # a mistake in the program is told of when it runs
        program = _program(stack.root / "stacks" / "__main__.py", stack.root)
        told: Mapping[str, str] = program.plugins(loaded.plans)
        others = tuple(Plugin(name=name, version=version) for name, version in told.items())
        return replace(stack, others=others, meanwhile=lambda: _load_sdks(told))
    return stack


def print_result(result: Result, *, as_json: bool) -> int:
    """Print what an operation did; on a terminal the display has told it already."""
    if as_json:
        told = {
            "operation": result.operation,
            "stack": result.stack,
            "changed": result.changed,
            "changes": dict(result.changes),
            "duration_s": round(result.duration_s, 3),
        }
        print(json.dumps(told))
    return 0


def _spare_the_collector() -> None:
    """Have Python not look for garbage where there is none, and not all over again at its end."""
    gc.set_threshold(_KEPT)
    atexit.register(gc.freeze)


def _load_sdks(plugins: Iterable[str]) -> None:
    for name in plugins:
        with suppress(ImportError):  # told of when the program wants it
            importlib.import_module(f"pulumi_{name}")


def _program(path: Path, root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("moorage_stack_program", path)
    if not path.is_file() or spec is None or spec.loader is None:
        message = f"{path} is missing: it is the program that says what a stack consists of"
        raise MoorageError(message)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # a project's own components, where they are not installed
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
