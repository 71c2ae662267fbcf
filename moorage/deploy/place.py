"""A place is where the runs of one stack happen: its work folder, settings and environment."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from moorage.deploy.stored import backends, sidecars
from moorage.errors import Exit, MoorageError

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
PASSPHRASE, PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"
# Of one stack's settings these say how its secrets are kept; Pulumi writes them where we have none.
SECRETS_SETTINGS = ("secretsprovider", "encryptedkey", "encryptionsalt")
DEPLOYED = "deployed"

Settings = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The files, the backend and the environment of one stack's runs."""

    root: Path
    stack: str
    project: str
    backend: str
    environ: Mapping[str, str]  # what the CLI gets on top of our own environment
    settings: Settings  # the team's stack file
    manifest: Settings  # the team's Pulumi.yaml

    @property
    def home(self) -> Path:
        """The folder of everything that moorage itself keeps in a checkout."""
        return self.root / ".moorage"

    @property
    def work(self) -> Path:
        """The folder that the CLI works in, one for each backend of a stack of this name."""
        if self.is_own_backend:
            return self.home / "work" / self.stack
        backend = hashlib.sha256(self.backend.encode()).hexdigest()[:8]
        return self.home / "work" / f"{self.stack}@{backend}"

    @property
    def settings_file(self) -> Path:
        """The team's file of the stack, which need not be there."""
        folder = self.root / str(self.manifest.get("stackConfigDir", "."))
        return folder / f"Pulumi.{self.stack}.yaml"

    def of_team(self, text: str) -> str:
        """The text with the team's files in it, instead of the copies that the CLI reads."""
        for file in (self.root / "Pulumi.yaml", self.settings_file):
            text = text.replace(str(self.work / file.name), os.path.relpath(file, self.root))
        return text

    @property
    def backend_folder(self) -> Path | None:
        """Where a file backend keeps its files; None for any other backend."""
        folder = backends.folder(self.backend)
        return folder / ".pulumi" if folder else None

    @property
    def state_file(self) -> Path | None:
        """The stack's state, where the backend is a folder."""
        folder = self.backend_folder
        return folder / "stacks" / self.project / f"{self.stack}.json" if folder else None

    @property
    def has_state(self) -> bool:
        """Whether the folder of a file backend knows the stack; it may be compressed there."""
        path = self.state_file
        return path is not None and any(
            path.with_name(path.name + suffix).exists() for suffix in ("", ".gz", ".zst")
        )

    @property
    def passphrase_source(self) -> str:
        """Where the passphrase is looked for, in words."""
        named = _passphrase_setting()
        if named is not None:
            return named
        if self.is_own_backend:
            return str(self.home / "passphrase")
        return "PULUMI_CONFIG_PASSPHRASE, which is not set and which this backend needs"

    @property
    def is_own_backend(self) -> bool:
        """Whether the state lies in the checkout, and so may the passphrase that seals it."""
        return self.backend == backends.own(self.root)

    @property
    def has_own_passphrase(self) -> bool:
        """Whether the passphrase is ours: never for a backend that outlives this checkout."""
        return self.is_own_backend and _passphrase_setting() is None


def _passphrase_setting() -> str | None:
    """The variable that Pulumi reads it from; an empty text is a passphrase, no file is none."""
    if PASSPHRASE in os.environ:
        return PASSPHRASE
    return PASSPHRASE_FILE if os.environ.get(PASSPHRASE_FILE) else None


def locate(root: Path, stack: str, *, may_be_undeclared: bool = False) -> Place:
    """Read what there is to know of a stack; an undeclared one may be in the state all the same."""
    if not NAME.fullmatch(stack):
        msg = f"{stack!r} is no name of a stack: letters, digits, `.`, `_`, `-` only"
        raise MoorageError(msg)
    root = root.resolve()
    manifest = _load(root / "Pulumi.yaml", root)
    wrong = _wrong_in(manifest)
    if wrong is not None:
        msg = f"{root / 'Pulumi.yaml'} {wrong}"
        raise MoorageError(msg)
    place = Place(
        root=root,
        stack=stack,
        project=manifest["name"],
        backend=_backend(manifest, root),
        environ={},
        settings={},
        manifest=manifest,
    )
    settings = _stack_settings(place, may_be_undeclared=may_be_undeclared)
    return _with_environ(replace(place, settings=settings))


def prepare(place: Place, plugin: Sequence[str]) -> None:
    """Write the folder that the CLI works in: manifest, settings, the provider's wrapper."""
    folder = place.work / "plugin"
    folder.mkdir(parents=True, exist_ok=True)
    place.home.chmod(0o700)
    backends.check(place.backend, place.root)
    if place.backend_folder is not None:
        place.backend_folder.parent.mkdir(parents=True, exist_ok=True)
        sidecars.mend(place.backend_folder, place.project, place.stack)
    wrapper = f'#!/bin/sh\nexec {shlex.join(plugin)} "$@"\n'
    _write(folder / "pulumi-resource-moorage", wrapper, mode=0o700)
    _write(place.work / "Pulumi.yaml", yaml.safe_dump(_manifest(place)), mode=0o600)
    settings = {**_kept_secrets_settings(place), **place.settings}
    _write(place.work / f"Pulumi.{place.stack}.yaml", yaml.safe_dump(settings), mode=0o600)
    if place.has_own_passphrase:
        _ensure_passphrase(place)


def tidy(place: Place) -> None:
    """Remove what only this stack's runs needed, and all that is ours when no stack is left."""
    shutil.rmtree(place.work, ignore_errors=True)
    _remove_empty(place.home / "work", place.home / "run" / place.stack, place.home / "run")
    others = [path for path in place.home.glob("*.lock") if path.stem != place.stack]
    state = place.home / "state"
    if place.is_own_backend and not others and not any(state.glob(".pulumi/stacks/*/*")):
        shutil.rmtree(state, ignore_errors=True)
        (place.home / "passphrase").unlink(missing_ok=True)


def adopt(place: Place, sealed: Settings) -> None:
    """Keep the secrets as the state keeps them, unless the team says how: every clone the same.

    A run with a wrong passphrase would else note a salt of its own, and the right one fail on it.
    """
    fitting = _fitting(place, sealed)
    if fitting:
        path = place.work / f"Pulumi.{place.stack}.yaml"
        _write(path, yaml.safe_dump({**place.settings, **fitting}), mode=0o600)


def enlist(place: Place) -> None:
    """Note that this backend may have the stack deployed from this checkout."""
    _write(place.work / DEPLOYED, backends.shown(place.backend) + "\n", mode=0o600)


def elsewhere(place: Place) -> list[str]:
    """The other backends that may have a stack of this name deployed from this checkout."""
    folders = [place.home / "work" / place.stack, *place.home.glob(f"work/{place.stack}@*")]
    notes = [folder / DEPLOYED for folder in folders if folder != place.work]
    return [note.read_text(encoding="utf-8").strip() for note in notes if note.exists()]


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _load(path: Path, root: Path) -> Settings:
    name = os.path.relpath(path, root)
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        spot = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        msg = f"{name}{spot} is not valid YAML: {error.problem}"
        raise MoorageError(msg) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{path} cannot be read: {error}"
        raise MoorageError(msg) from None
    if not isinstance(loaded, dict | None):
        msg = f"{name}:1:1 must be a mapping of settings, not {type(loaded).__name__}"
        raise MoorageError(msg)
    return loaded or {}


def _wrong_in(manifest: Settings) -> str | None:
    """What we cannot go by in a Pulumi.yaml; all else is Pulumi's to judge."""
    name, backend = manifest.get("name"), manifest.get("backend") or {}
    if not isinstance(name, str):
        return "has no `name:` of the project"
    if not NAME.fullmatch(name):
        return f"names its project {name!r}: letters, digits, `.`, `_`, `-` only"
    if not isinstance(manifest.get("stackConfigDir", "."), str):
        return "has a `stackConfigDir:` that is no folder's name"
    # Without this the state would be kept in the checkout, and nobody would be told.
    if not isinstance(backend, dict) or not isinstance(backend.get("url") or "", str):
        return "has a `backend:` without a `url:`; write `backend: {url: s3://bucket}`"
    plugins = manifest.get("plugins") or {}
    listed = (plugins.get("providers") or []) if isinstance(plugins, dict) else None
    if not isinstance(listed, list) or not all(map(_is_plugin, listed)):
        return "must list `{name: ..., path: ...}` under plugins.providers"
    return None


def _is_plugin(one: Any) -> bool:
    fine = isinstance(one, dict) and isinstance(one.get("name"), str)
    return fine and isinstance(one.get("path", "."), str)


def _stack_settings(place: Place, *, may_be_undeclared: bool) -> Settings:
    path = place.settings_file
    name = os.path.relpath(path, place.root)
    if path.exists():
        settings = _load(path, place.root)
        if not isinstance(settings.get("config") or {}, dict):
            msg = f"{name}: `config:` must hold settings, each as `key: value`"
            raise MoorageError(msg)
        return settings
    if may_be_undeclared:
        return {}
    files = _stack_files(path.parent)
    names = sorted(one.name.split(".", 1)[1].removesuffix(".yaml") for one in files)
    there = f"there are: {', '.join(names)}" if names else "there is none yet"
    msg = f"no stack {place.stack}: {name} is missing; {there}"
    raise MoorageError(msg)


def _stack_files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("Pulumi.*.yaml") if path.name != "Pulumi.yaml"]


def _backend(manifest: Settings, root: Path) -> str:
    declared = (manifest.get("backend") or {}).get("url")
    named = os.environ.get("PULUMI_BACKEND_URL") or declared
    return backends.normal(str(named), root) if named else backends.own(root)


def _with_environ(place: Place) -> Place:
    environ = {
        "PULUMI_BACKEND_URL": place.backend,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # What can be had was fetched before (plugins.py): nobody waits for it in the middle.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": os.environ.get(
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true"
        ),
    }
    if place.is_own_backend:
        environ["PULUMI_CREDENTIALS_PATH"] = str(place.home)  # the user's own login is not ours
    if place.has_own_passphrase:
        environ["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(place.home / "passphrase")
    return replace(place, environ=environ)


def _manifest(place: Place) -> Settings:
    """The team's Pulumi.yaml as it must read from the work folder."""
    foreign = {"main", "stackConfigDir", "backend", "runtime", "plugins"}
    kept = {key: value for key, value in place.manifest.items() if key not in foreign}
    providers = [{"name": "moorage", "path": str(place.work / "plugin")}]
    declared = (place.manifest.get("plugins") or {}).get("providers") or []
    providers += [
        {**plugin, "path": str(place.root / plugin.get("path", "."))}
        for plugin in declared
        if plugin.get("name") != "moorage"
    ]
    return {**kept, "runtime": "python", "plugins": {"providers": providers}}


def _kept_secrets_settings(place: Place) -> Settings:
    """How secrets were kept in earlier runs: Pulumi wrote it into the work folder's stack file."""
    path = place.work / f"Pulumi.{place.stack}.yaml"
    if not path.exists():
        return {}
    earlier = _load(path, place.root)
    return _fitting(place, {name: earlier[name] for name in SECRETS_SETTINGS if name in earlier})


def _fitting(place: Place, found: Settings) -> Settings:
    """What was found of how secrets are kept, where the team does not say otherwise."""
    team = {name: place.settings[name] for name in SECRETS_SETTINGS if name in place.settings}
    if not team:
        return found
    kind = found.get("secretsprovider") or ("passphrase" if "encryptionsalt" in found else None)
    return found if team == {"secretsprovider": kind} else {}


def _ensure_passphrase(place: Place) -> None:
    path, folder = place.home / "passphrase", place.backend_folder
    # Looked at first: whoever deploys beside us wrote the passphrase before any state.
    is_deployed = folder is not None and any(folder.glob("stacks/*/*.json"))
    if path.exists():
        return
    if is_deployed:
        msg = (
            f"{path} is gone, and with it the key to the secrets of what is deployed: "
            "put it back, or set PULUMI_CONFIG_PASSPHRASE"
        )
        raise MoorageError(
            msg,
            exit_code=Exit.NEEDS_PERSON,
        )
    _write_once(path, secrets.token_urlsafe(32))


def _write_once(path: Path, text: str) -> None:
    """Write a file whole unless another run was first: what it has sealed needs its own."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    _write(draft, text, mode=0o600)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, text: str, *, mode: int) -> None:
    """Write a file whole or not at all, never readable by others on the way."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
