"""One operation on many Inference Endpoints: `python fleet.py up|import|preview FOLDER COUNT`.

A process of its own, as users start one; Hugging Face is what the environment says.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from moorage.deploy import display
from moorage.deploy.driver import Stack
from moorage.deploy.imports import Batch, Wanted
from moorage.deploy.options import Options
from moorage.resources import InferenceEndpoint

ACCOUNT = "acme"
REVISION = "0123456789abcdef0123456789abcdef01234567"
STACK = "bench"
_TOKEN = "moorage:index:InferenceEndpoint"  # noqa: S105  a type, not a secret
_NOTHING = Options(expect_no_changes=True)


def _declare(number: int) -> None:
    InferenceEndpoint(
        f"endpoint-{number}",
        name=f"endpoint-{number}",
        namespace=ACCOUNT,
        repository=f"{ACCOUNT}/model",
        revision=REVISION,
        task="text-generation",
        vendor="aws",
        region="eu-west-1",
        accelerator="cpu",
        instance_type="intel-spr",
        instance_size="x1",
        engine="toolkit",
        access="private",
    )


def main(operation: str, folder: Path, count: int) -> None:
    """Run it to its end."""
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "bench", "runtime": "python"}))
    (folder / f"Pulumi.{STACK}.yaml").write_text("{}\n")

    def program() -> None:
        for number in range(count):
            _declare(number)

    show = display.choose(form="plain")
    stack = Stack(root=folder, name=STACK, program=program, display=show)
    if operation == "import":
        names = [f"endpoint-{number}" for number in range(count)]
        wanted = (Wanted(type=_TOKEN, name=name, id=f"{ACCOUNT}/{name}") for name in names)
        stack.adopt(Batch(wanted=tuple(wanted), name_table={}), (_TOKEN,))
    else:
        {"up": stack.up, "preview": lambda: stack.preview(_NOTHING)}[operation]()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
