"""Where Pulumi's docker plugin is: the real one where it is installed, the stand-in elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FOLDER = Path(__file__).parent / "plugin"


def has_real() -> bool:
    """Whether Pulumi finds a real plugin by itself."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = any((home / "plugins").glob("resource-docker-v5.*"))
    return installed or shutil.which("pulumi-resource-docker") is not None


def providers() -> list[dict[str, str]]:
    """What a project's `plugins.providers` needs besides our own."""
    return [] if has_real() else [{"name": "docker", "path": str(FOLDER)}]
