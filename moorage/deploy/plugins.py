"""The plugins of other providers: what is missing is fetched before a run, not in its middle."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from moorage.deploy.cli import cli_install, pulumi_cli
from moorage.deploy.cli.command import CliFailed
from moorage.deploy.session import Session
from moorage.deploy.stored import snapshot
from moorage.deploy.stored.snapshot import Deployment

FETCH_DEADLINE_S: Final = 300.0
FORBIDDEN: Final = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
_MIRRORS: Final = "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"
_SITES: Final = ("https://github.com/pulumi", cli_install.SCRIPT)  # where Pulumi looks, in order
_PROVIDER: Final = "pulumi:providers:"
_BUILT_IN: Final = "pulumi"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugin:
    """A provider's plugin; `server` is where it comes from, if that is not Pulumi's site."""

    name: str
    version: str
    server: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def fetch_missing(session: Session, plugins: Sequence[Plugin], standing: Deployment) -> None:
    """Have what the program and the state need; what cannot be had, the engine will ask for."""
    needed = dict.fromkeys([*plugins, *of_state(standing)])
    missing = [plugin for plugin in needed if not _is_here(session, plugin)]
    if os.environ.get(FORBIDDEN):
        return
    for plugin in missing:
        if plugin.server or os.environ.get(_MIRRORS) or any(map(cli_install.reach, _SITES)):
            _fetch(session, plugin)
        else:
            session.say(f"plugin {plugin} cannot be fetched: Pulumi's sites are out of reach")


def of_state(found: Deployment) -> Iterator[Plugin]:
    """What the engine loads for the resources that are there already."""
    for one in snapshot.resources(found):
        if one["type"].startswith(_PROVIDER):
            inputs = one.get("inputs") or {}
            own = inputs.get("__internal") or {}
            version = (own if "parameterization" in own else inputs).get("version")
            if version:
                yield Plugin(
                    name=own.get("name") or one["type"].removeprefix(_PROVIDER),
                    version=version,
                    server=own.get("pluginDownloadURL") or "",
                )


def _is_here(session: Session, plugin: Plugin) -> bool:
    """Whether the engine finds it: built in, named by the project, on PATH, fetched before."""
    declared = (session.where.manifest.get("plugins") or {}).get("providers") or []
    if plugin.name in {_BUILT_IN, "moorage", *(one.get("name") for one in declared)}:
        return True
    plugins = pulumi_cli.pulumi_home(os.environ) / "plugins"
    folder = plugins / f"resource-{plugin.name}-v{plugin.version}"
    is_whole = folder.is_dir() and not folder.with_name(f"{folder.name}.partial").exists()
    return is_whole or session.command.finds(f"pulumi-resource-{plugin.name}")


def _fetch(session: Session, plugin: Plugin) -> None:
    session.say(f"fetching Pulumi's plugin {plugin}, which is not installed")
    server = ["--server", plugin.server] if plugin.server else []
    words = ["plugin", "install", "resource", plugin.name, plugin.version, "--exact", *server]
    where = session.where
    try:
        session.command.run(words, str(where.work), where.environ, deadline_s=FETCH_DEADLINE_S)
    except CliFailed as failed:
        session.say(f"plugin {plugin} cannot be fetched: {_reason(failed)}")


def _reason(failed: CliFailed) -> str:
    if failed.result.code < 0:
        return f"Pulumi's `plugin install` did not finish within {FETCH_DEADLINE_S:.0f} s"
    lines = [line for line in failed.result.stderr.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "Pulumi does not say why"
