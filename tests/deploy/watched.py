"""A driver process for tests of displays: `python -m tests.deploy.watched ROOT OPERATION FORM`.

VERSION says which version of the program runs, MANY how many things it has besides, WAIT_FOR the
path that they wait for; with NEVER_READY one is never ready, and DIFF shows all that changes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pulumi

from moorage.deploy import display
from moorage.deploy.driver import Stack
from moorage.errors import MoorageError
from tests.scripted.resources import Thing

SCRIPTED = (sys.executable, "-m", "tests.scripted")
NEVER_READY = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(update="1s"))


class Shop(pulumi.ComponentResource):
    """A branch of the tree."""

    def __init__(self, name: str) -> None:
        super().__init__("demo:index:Shop", name)


def shop(version: int, many: int) -> None:
    """Secrets at the top, in a map, on one side only and in outputs; a replacement; a price."""
    secret = pulumi.Output.secret
    below = pulumi.ResourceOptions(parent=Shop("shop"))
    turned: pulumi.Input[str] = f"sk-turned-{version}"
    Thing(
        "counter",
        pulumi.ResourceOptions.merge(below, NEVER_READY if os.environ.get("NEVER_READY") else None),
        size=version,
        waitFor="/no/such/path" if os.environ.get("NEVER_READY") else None,
        hourlyUsd=0.8 * version,
        password=secret(f"sk-password-{version}"),
        note="one\ntwo\nthree" if version == 1 else "one\n2\nthree",
        tags={
            "KEY": secret(f"sk-tag-{version}"),
            "TURNED": secret(turned) if version == 2 else turned,
            "plain": f"p{version}",
        },
    )
    moved = Thing("moved", below, zone=f"z{version}")
    Thing("after", below, note=moved.url)
    for number in range(many):
        Thing(f"thing-{number}", below, hourlyUsd=0.1, waitFor=os.environ.get("WAIT_FOR"))
    pulumi.export("url", moved.url)
    pulumi.export("password", secret(f"sk-output-{version}"))
    pulumi.export("nested", {"deep": [secret(f"sk-nested-{version}")]})


def main(root: Path, operation: str, form: str) -> int:
    version, many = int(os.environ.get("VERSION", "1")), int(os.environ.get("MANY", "0"))
    stack = Stack(
        root=root,
        name="local",
        program=lambda: shop(version, many),
        plugin=SCRIPTED,
        display=display.choose(form=form, diff=bool(os.environ.get("DIFF"))),
    )
    try:
        getattr(stack, operation)()
    except MoorageError as error:
        print(f"moorage: {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
