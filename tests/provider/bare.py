"""Pulumi's own CLI in an empty project, with nothing of moorage around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from moorage.deploy.cli import pulumi_cli

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "PULUMI_CONFIG_PASSPHRASE": "test",
    "PULUMI_SKIP_UPDATE_CHECK": "1",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
}
OURS = ("PULUMI_", "MOORAGE_")  # what the machine's own environment says of these is not asked


@dataclass(frozen=True, kw_only=True)
class Bare:
    """A folder with a Pulumi.yaml, a state and a home of its own."""

    folder: Path
    cli: Path
    environ: dict[str, str] = field(repr=False)

    def run(self, *words: str, **environ: str) -> str:
        """What the CLI prints; it must end well."""
        done = self.end(*words, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def end(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The CLI's run, however it ends."""
        return subprocess.run(
            [str(self.cli), *words, "--non-interactive"],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def declare(self, runtime: str, plugins: Mapping[str, Path]) -> None:
        """Write the Pulumi.yaml."""
        named = [{"name": name, "path": str(path)} for name, path in plugins.items()]
        project = {"name": "bare", "runtime": runtime, "plugins": {"providers": named}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(project))

    def plugin(self, name: str, module: str) -> Path:
        """A folder with an executable of the name that Pulumi looks for, which runs a module."""
        place = self.folder / name
        place.mkdir()
        script = place / name
        script.write_text(f'#!/bin/sh\ncd "{ROOT}"\nexec "{sys.executable}" -m {module} "$@"\n')
        script.chmod(0o755)
        return place


def make(folder: Path) -> Bare:
    """An empty project; skipped with the reason where there is no CLI."""
    found = pulumi_cli.find(lambda _line: None)
    if found is None:
        pytest.skip("no Pulumi CLI on PATH or in ~/.pulumi/versions; make setup gets one")
    for name in ("state", "home"):
        (folder / name).mkdir()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    own = {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}", "PULUMI_HOME": str(folder / "home")}
    bare = Bare(folder=folder, cli=found.path, environ={**inherited, **SETTINGS, **own})
    bare.declare("python", {})
    return bare
