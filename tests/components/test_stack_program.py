"""The stack program as plain `pulumi up` runs it: the file itself, in a checkout."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path

import pulumi
from pulumi.runtime import mocks, settings, stack

from tests.components.programs import Answers

ROOT = Path(__file__).parents[2]


def test_it_declares_its_services_and_tells_their_outputs() -> None:
    answers = Answers()
    outputs: list[str] = []

    async def run() -> None:
        mocks.set_mocks(answers, project="moorage", stack="local")
        settings.SETTINGS.root_directory = str(ROOT)
        settings.ROOT.set(None)
        pulumi.runtime.set_config("moorage:specs", json.dumps(["specs/examples/*.yaml"]))

        def program() -> None:
            runpy.run_path(str(ROOT / "stacks"), run_name="__main__")

        await stack.run_in_stack(program)
        root = settings.get_root_resource()
        assert isinstance(root, stack.Stack)
        outputs.extend(root.outputs)

    asyncio.run(run())
    assert outputs == ["services", "details"]
    assert "gateway-process" in answers.seen
    assert any(name.endswith("-key") for name in answers.seen)
