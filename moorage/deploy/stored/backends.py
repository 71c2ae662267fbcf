"""A backend is where states are kept: a folder, a bucket or Pulumi Cloud, named by a URL."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from moorage.deploy.stored.stores import Folder, Store
from moorage.errors import Exit, MoorageError

CLOUD_SCHEMES = ("https", "http")
SCHEMES = ("file", "s3", "gs", "azblob", *CLOUD_SCHEMES)


def own(root: Path) -> str:
    """The file backend in a checkout: what is used where nobody names another."""
    return f"file://{quote(f'{root}/.moorage/state', safe='/ ')}"


def normal(url: str, root: Path) -> str:
    """The URL with every folder in full: a relative one is meant from the project's root."""
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in SCHEMES[:-1])
        msg = f"{shown(url)} is no backend that Pulumi knows: it begins with one of {known}"
        raise MoorageError(msg)
    if scheme != "file":
        return url.rstrip("/") if scheme in CLOUD_SCHEMES else url
    path, _, options = url.removeprefix("file://").partition("?")
    full = (root / Path(unquote(path)).expanduser()).resolve()
    return f"file://{quote(str(full), safe='/ ')}{f'?{options}' if options else ''}"


def folder(url: str) -> Path | None:
    """The folder of a file backend; None for any other backend."""
    if not url.startswith("file://"):
        return None
    return Path(unquote(url.removeprefix("file://").partition("?")[0]))


def is_cloud(url: str) -> bool:
    """Whether this is Pulumi Cloud, or a server that speaks like it."""
    return urlsplit(url).scheme in CLOUD_SCHEMES


def shown(url: str) -> str:
    """The URL without what may be secret in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else url


def store(url: str) -> Store | None:
    """What is behind a backend, where we can look into it; None where only Pulumi can."""
    path = folder(url)
    if path is not None:
        return Folder(path)
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme != "s3":
        return None
    from moorage.deploy.stored.bucket import KNOWN_OPTIONS, Bucket

    return (
        Bucket(parts.netloc, parts.path.strip("/"), options)
        if {*options} <= KNOWN_OPTIONS
        else None
    )


def check(url: str, root: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Refuse in one line a backend that cannot be used."""
    path = folder(url)
    if path is not None and url != own(root):
        _check_folder(path)
    if is_cloud(url):
        _check_login(url, environ)


def _check_folder(path: Path) -> None:
    """A folder that somebody named must be there: an empty one would lose the state."""
    if not path.is_dir():
        what = "is no folder" if path.exists() else "does not exist"
        msg = f"the folder of the state, {path}, {what}: mount or create it, or correct the backend"
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        msg = f"the folder of the state, {path}, cannot be written: see its rights"
        raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)


def _check_login(url: str, environ: Mapping[str, str]) -> None:
    if environ.get("PULUMI_ACCESS_TOKEN") or url in _logins(environ):
        return
    msg = f"no login for {shown(url)}: run `pulumi login {shown(url)}`, or set PULUMI_ACCESS_TOKEN"
    raise MoorageError(msg, exit_code=Exit.NEEDS_PERSON)


def _logins(environ: Mapping[str, str]) -> set[str]:
    """Where Pulumi's own CLI is logged in; tokens are not looked at."""
    home = environ.get("PULUMI_HOME")
    kept = environ.get("PULUMI_CREDENTIALS_PATH") or home or str(Path.home() / ".pulumi")
    try:
        told = json.loads((Path(kept) / "credentials.json").read_text(encoding="utf-8"))
        return {*(told.get("accounts") or {}), *(told.get("accessTokens") or {})}
    except (OSError, ValueError, AttributeError):
        return set()
