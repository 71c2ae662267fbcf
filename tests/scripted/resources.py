"""The program's side of the scripted provider."""

from __future__ import annotations

from typing import Any

import pulumi

OUTPUTS = ("url", "revision", "token")


class _Scripted(pulumi.CustomResource):
    kind: str
    url: pulumi.Output[str]
    revision: pulumi.Output[int]
    token: pulumi.Output[str]

    def __init__(
        self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **inputs: Any
    ) -> None:
        owner = f"demo/{pulumi.get_stack()}"
        declared = {"name": resource_name, "owner": owner, **inputs}
        props = {**dict.fromkeys(OUTPUTS), **declared}
        super().__init__(f"moorage:index:{self.kind}", resource_name, props, opts)


class Thing(_Scripted):
    """Created anew before the old one goes."""

    kind = "Thing"


class Berth(_Scripted):
    """Its name is taken while it stands: deleted before it is created anew."""

    kind = "Berth"
