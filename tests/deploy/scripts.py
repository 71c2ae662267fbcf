"""Programs for tests: small shell scripts that behave as a CLI, a Go or a Python might."""

from __future__ import annotations

from pathlib import Path


def script(path: Path, *lines: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


def pulumi(path: Path, version: str) -> Path:
    """A CLI that does nothing but tell its version."""
    return script(path, f"echo {version}")


def environ(home: Path, *folders: Path) -> dict[str, str]:
    """An environment with these folders on PATH, and nothing that another test could meet."""
    path = ":".join([*map(str, folders), "/usr/bin", "/bin"])
    # The discard port refuses at once, so nothing here ever reaches the internet.
    return {"HOME": str(home), "PATH": path, "HTTPS_PROXY": "http://127.0.0.1:9"}


def ignore(_line: str) -> None:
    """Say nothing."""
