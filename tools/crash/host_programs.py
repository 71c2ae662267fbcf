"""Programs that declare hosts on EC2."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

import pulumi

from moorage.resources import GpuHost

SECRETS: Final = ("sk-in-the-parameter-store", "sk-in-the-user-data", "sk-of-another-day")
PROFILE: Final = "demo-gpu"
REGION: Final = "MOORAGE_TEST_REGION"  # every worker has one for itself


def _host(*, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> GpuHost:
    """With a secret in the parameter store, one in its user data, and who may ask."""
    wanted = {
        "region": os.environ[REGION],
        "name": "demo-chat",
        "instance_type": "g6e.xlarge",
        "ami_parameter": "/aws/service/deeplearning/ami/demo/latest/ami-id",
        "instance_profile": PROFILE,
        "user_data": f"#cloud-config\n# {SECRETS[1]}\n",
        "secrets": {"HF_TOKEN": SECRETS[0]},
        "allow_from": ["127.0.0.1/32"],
        "probe": {"path": "/v1/models"},
        **inputs,
    }
    return GpuHost("chat", owner="demo/local/chat", opts=opts, **wanted)


PROGRAMS: Final[dict[str, Callable[[], object]]] = {
    "host": _host,
    "host changed": lambda: _host(
        allow_from=["127.0.0.0/8"], secrets={"HF_TOKEN": SECRETS[2]}, tags={"team": "demo"}
    ),
    "host elsewhere": lambda: _host(name="demo-chat-spot", market="spot"),
    "host moved": lambda: _host(
        user_data="#cloud-config\n# otherwise\n",
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    ),
}
