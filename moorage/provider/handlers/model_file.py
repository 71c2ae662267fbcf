"""ModelFile: one GGUF file on this machine, given by path, downloaded, or generated."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final

from moorage.errors import Exit, MoorageError
from moorage.provider.handler import (
    DRIFT,
    Cancelled,
    Change,
    Context,
    Created,
    Failure,
    Field,
    Found,
    Handler,
    Shape,
    State,
)
from moorage.provider.handlers import gguf_header, hub_file
from moorage.provider.handlers.hub_file import HubFile

_MAGIC: Final = b"GGUF"
_CHUNK_BYTES: Final = 1 << 20
_REPORT_EVERY_BYTES: Final = 1 << 28
_HUB_INPUTS: Final = ("repo", "revision", "file")
_HUB_ID: Final = re.compile(r"(?P<repo>[^@]+)@(?P<revision>[^/]+)/(?P<file>.+)")
_DEMANDS: Final = frozenset({"sha256", "sizeBytes"})

SHAPE: Final = Shape(
    doc="One GGUF file on this machine: given by path, downloaded, or generated.",
    inputs={
        "task": Field(kind="string", doc="What the model is for.", required=True, replaces=True),
        "path": Field(kind="string", doc="A file that is here already.", replaces=True),
        "repo": Field(kind="string", doc="Repository of the Hub.", replaces=True),
        "revision": Field(kind="string", doc="Its commit.", replaces=True),
        "file": Field(kind="string", doc="File in it.", replaces=True),
        "sha256": Field(kind="string", doc="Digest that the file must have."),
        "sizeBytes": Field(kind="integer", doc="Size that the file must have."),
        "offline": Field(
            kind="string",
            doc="What to do without the Hub: refuse, or serve the generated tiny model.",
            choices=("refuse", "tiny"),
            default="refuse",
        ),
    },
    outputs={
        "localPath": Field(kind="string", doc="Where the file is.", required=True),
        "sha256Actual": Field(kind="string", doc="Its digest.", required=True),
        "source": Field(kind="string", doc="path, hub or generated.", required=True),
        "servedModel": Field(kind="string", doc="The name to serve it as.", required=True),
        "fingerprint": Field(kind="string", doc="Size and time, to see the file changed."),
        "drift": DRIFT,
    },
    refresh_before_update=True,
    import_id="the absolute path of a file, or `repo@commit/file` for one in the Hub's cache",
)


def check(inputs: State) -> list[Failure]:
    """Either a path, or a file of the Hub in full."""
    given = [name for name in _HUB_INPUTS if name in inputs]
    if ("path" in inputs) == bool(given) or (given and len(given) < len(_HUB_INPUTS)):
        reason = "give either path, or repo with revision and file"
        return [Failure(name="path", reason=reason)]
    return []


def preview(inputs: State, state: State | None) -> State:
    """What is here stays; what is to be fetched is known when it is here."""
    if state and not state.get("drift"):
        return {name: state.get(name) for name in SHAPE.outputs}
    if isinstance(inputs.get("path"), str):
        path = Path(inputs["path"])
        names = {"localPath": str(path), "servedModel": path.stem}
        return {**names, "source": "path", "drift": None}
    return {"drift": None}


def create(inputs: State, context: Context) -> Created:
    """Have the file here, of the right digest."""
    identity = inputs.get("path") or "{repo}@{revision}/{file}".format_map(inputs)
    return Created(id=identity, state=_obtain(inputs, context))


def diff(changes: list[Change], old: State, new: State) -> list[Change]:  # noqa: ARG001
    """A demand that is dropped leaves nothing to do."""
    return [c for c in changes if not (c.path in _DEMANDS and c.kind == "delete")]


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    """Whether the file is still here, the same, and still the best there is."""
    if not state:
        return _lying(id_, context)
    path = Path(state["localPath"])
    if not path.is_file():
        return None
    found = None
    if _fingerprint(path) != state.get("fingerprint"):
        found = "the file was changed"
    elif state["source"] == "generated" and hub_file.absence() is None:
        found = "the Hub answers again"
    return Found(state={**state, "drift": found}, inputs=inputs)


def update(id_: str, state: State, inputs: State, context: Context) -> State:  # noqa: ARG001
    """Have the file here, of the right digest."""
    return _obtain(inputs, context)


def delete(id_: str, state: State, context: Context) -> None:
    """Caches and the user's own files are left alone."""


def _lying(id_: str, context: Context) -> Found | None:
    """A file that is here already, with all that can be demanded of it."""
    named = _HUB_ID.fullmatch(id_) if not Path(id_).is_absolute() else None
    given = named.groupdict() if named else {"path": id_}
    path = hub_file.cached(HubFile(**given)) if named else Path(id_)
    if path is None or not path.is_file():
        return None
    inputs: State = {**given, "task": gguf_header.task(path), "offline": "refuse"}
    inputs["sha256"] = digest = _checked(path, inputs, context)
    inputs["sizeBytes"] = path.stat().st_size
    source, served = ("hub", given["repo"]) if named else ("path", path.stem)
    return Found(state=_described(inputs, path, source, served, digest), inputs=inputs)


def _obtain(inputs: State, context: Context) -> State:
    if "path" in inputs:
        path = Path(inputs["path"])
        return _described(inputs, path, "path", path.stem, _checked(path, inputs, context))
    wanted = HubFile(repo=inputs["repo"], revision=inputs["revision"], file=inputs["file"])
    found = hub_file.cached(wanted)
    if found is None and (absence := hub_file.absence()):
        return _stand_in(inputs, wanted, absence, context)
    found = found or hub_file.download(wanted, context)
    return _described(inputs, found, "hub", wanted.repo, _checked(found, inputs, context))


def _stand_in(inputs: State, wanted: HubFile, absence: str, context: Context) -> State:
    from moorage.engine import tiny

    if inputs["offline"] != "tiny":
        message = f"{wanted}: not cached, and {absence}; give the path of a file instead of it"
        raise MoorageError(message, exit_code=Exit.UNANSWERED)
    task = inputs["task"]
    name = tiny.served_name(task)
    context.warn(f"{absence}: serving the generated {name} instead of {wanted.repo}")
    path = _user_cache() / "moorage" / tiny.file_name(task)
    if not path.is_file() or _digest(path, context) != tiny.SHA256[tiny.flavour(task)]:
        tiny.write(task, path)
    return _described(inputs, path, "generated", name, _digest(path, context))


def _user_cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else Path.home() / ".cache"


def _described(inputs: State, path: Path, source: str, served: str, digest: str) -> State:
    return {
        **inputs,
        "localPath": str(path),
        "sha256Actual": digest,
        "source": source,
        "servedModel": served,
        "fingerprint": _fingerprint(path),
    }


def _fingerprint(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def _checked(path: Path, inputs: State, context: Context) -> str:
    """The digest of a file that is what was declared; anything else is refused."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
        size = path.stat().st_size
        digest = _digest(path, context)
    except OSError as error:
        message = f"{path}: cannot read the model file: {error.strerror}"
        raise MoorageError(message) from error
    wanted_size, wanted_digest = inputs.get("sizeBytes", size), inputs.get("sha256", digest)
    if digest != wanted_digest.lower():
        message = (
            f"{path}: its sha256 is {digest}, not {wanted_digest}; {_advice(path, wanted_digest)}"
        )
        raise MoorageError(message)
    if size != wanted_size:
        message = f"{path}: has {size} bytes, not {wanted_size}; correct the spec or its lock"
        raise MoorageError(message)
    if magic != _MAGIC:
        message = f"{path}: not a GGUF file; llama.cpp needs the model in GGUF form"
        raise MoorageError(message)
    return digest


def _advice(path: Path, wanted: str) -> str:
    """A cached file whose name promises the digest was damaged: it goes, so that `up` heals it."""
    blob = path.resolve()
    if blob.name != wanted.lower():
        return "correct the spec or its lock, or give the right file"
    path.unlink()
    blob.unlink(missing_ok=True)
    return "the damaged file was removed from the cache, run up again to fetch it anew"


def _digest(path: Path, context: Context) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if done % _REPORT_EVERY_BYTES == 0:
                context.progress(f"checking {path.name}: {done / 1e9:.1f} GB")
            if context.cancelled.is_set():
                raise Cancelled
    return digest.hexdigest()


HANDLER: Final = Handler(
    shape=SHAPE,
    create=create,
    read=read,
    update=update,
    delete=delete,
    preview=preview,
    check=check,
    diff=diff,
)
