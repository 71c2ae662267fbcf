"""What docs/ec2.md lets moorage do in an account is all that it asks for."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import moorage.provider.aws
from moorage.provider.aws.faults import Asked

ROOM = Path(moorage.provider.aws.__file__).parent
PAGE = ROOM.parents[2] / "docs" / "ec2.md"


def needed() -> Iterator[str]:
    """The permissions of all calls in the source: `cloud.ec2("run_instances", …)`."""
    for file in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                service, action = node.func.attr, node.args[0]
                if service in ("ec2", "ssm") and isinstance(action, ast.Constant):
                    call = Asked(service=service, action=str(action.value), region="")
                    yield call.permission


def test_the_permissions_of_the_page_are_those_that_are_needed() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    allowed = json.loads(found[1])["Statement"][0]["Action"]
    asked = set(needed())
    assert {one for one in asked if not any(fnmatchcase(one, name) for name in allowed)} == set()
    besides = {"ssm:AddTagsToResource", "iam:PassRole"}  # which other calls imply
    assert {name for name in allowed if not any(fnmatchcase(one, name) for one in asked)} == besides
