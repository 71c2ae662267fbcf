"""The plugin: `python -m tests.scripted`; MOORAGE_TEST_CLOUD names the folder.

MOORAGE_TEST_EDITION names another edition of the package, see editions.py.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from moorage.provider import plugin
from moorage.provider.package import Package
from moorage.provider.servicer import Provider
from tests.scripted.editions import EDITIONS
from tests.scripted.thing import cloud

PACKAGE = Package(
    name="moorage",
    version="0.1.0",
    description="A folder's cloud.",
    handlers=EDITIONS[os.environ.get("MOORAGE_TEST_EDITION", "")],
)
CALLS = ("Configure", "Check", "Diff", "Create", "Read", "Update", "Delete")


def _with_points(name: str) -> Any:
    original = getattr(Provider, name)

    @functools.wraps(original)
    async def call(self: Provider, request: Any, context: Any) -> Any:
        about = f"{name} {getattr(request, 'name', '')}".strip()
        cloud().point(f"before {about}")
        answer = await original(self, request, context)
        cloud().point(f"after {about}")
        return answer

    return call


Watched = type("Watched", (Provider,), {name: _with_points(name) for name in CALLS})

if __name__ == "__main__":
    plugin.main(PACKAGE, servicer=Watched)
