"""An act: one step's operation on one stack, in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from moorage.errors import MoorageError
from tests.scenarios.story import Step
from tests.scenarios.world import World


def act(step: Step, world: World, stack: str) -> int:
    """Do it; what a person would read is added to what the world was told."""
    os.environ["MOORAGE_TEST_EDITION"] = step.edition
    try:
        if callable(step.do):
            step.do(world)
        else:
            getattr(world.stack(stack, step.program), step.do)(step.options)
    except MoorageError as error:
        world.told.append(f"moorage: {error}\n")
        return int(error.exit_code)
    return 0


def watched(step: Step, world: World, stack: str) -> int:
    """Do it, while something else happens."""
    if step.meanwhile is None:
        return act(step, world, stack)
    thread = threading.Thread(target=step.meanwhile, args=(world,), daemon=True)
    thread.start()
    code = act(step, world, stack)
    thread.join(timeout=5.0)
    return code


def all_at_once(name: str, number: int, step: Step, world: World) -> int:
    """Do it on several stacks at once, in a process for each."""
    words = [sys.executable, "-m", "tests.scenarios.act", str(world.root), name, str(number)]
    processes = [
        subprocess.Popen(
            [*words, stack], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        for stack in step.stacks
    ]
    world.told.extend(process.communicate(timeout=120.0)[0] for process in processes)
    return max(process.returncode for process in processes)


def main(root: Path, name: str, number: int, stack: str) -> int:
    """One stack's part of a step on several."""
    from tests.scenarios.table import SCENARIOS

    world = World(root=root)
    code = act(SCENARIOS[name].steps[number], world, stack)
    print("".join(world.told))
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
