"""The files of the tests' image: this interpreter and its library, aiohttp, and moorage."""

from __future__ import annotations

import compileall
import importlib.metadata
import py_compile
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

import moorage

INTERPRETER: Final = str(Path(sys.executable).resolve())
PACKAGES: Final = "/opt/packages"
_MOORAGE: Final = Path(moorage.__file__).parent
# Parts of the standard library that no server needs.
_NOT_NEEDED: Final = shutil.ignore_patterns(
    *("test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo", "pydoc_data"),
    *("config-*", "site-packages", "dist-packages", "__pycache__", "*.a"),
)


def write_base(layer: Path) -> None:
    """Interpreter, standard library, shared libraries, aiohttp and what it depends on."""
    _write(layer, _fill_base)


def write_moorage(layer: Path) -> None:
    """The package of this checkout."""
    _write(layer, _fill_moorage)


def versions() -> list[str]:
    """The packages in the base layer."""
    return sorted(f"{one.name} {one.version}" for one in _distributions())


def moorage_files() -> list[Path]:
    """What the package has, without what Python keeps beside it."""
    found = _MOORAGE.rglob("*")
    return sorted(one for one in found if one.is_file() and "__pycache__" not in one.parts)


def _write(layer: Path, fill: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root)
        _compile(root)
        with tarfile.open(layer, "w") as tar:
            for path in sorted(root.iterdir()):
                tar.add(path, path.name, filter=_everybodys)


def _compile(root: Path) -> None:
    """A server of many modules starts in a fraction of a second only when they are compiled."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(
        root, maxlevels=30, quiet=2, workers=0, invalidation_mode=unchecked, stripdir=str(root)
    )


def _everybodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Root's, readable by whoever the container runs as."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode |= 0o555 if entry.isdir() or entry.mode & 0o100 else 0o444
    if entry.name == "tmp":
        entry.mode = 0o1777
    return entry


def _fill_base(root: Path) -> None:
    (root / "tmp").mkdir()
    _put(root, Path(INTERPRETER))
    for key in ("stdlib", "platstdlib"):
        library = Path(sysconfig.get_path(key, vars=_OF_THE_MACHINE))
        shutil.copytree(library, _in(root, library), ignore=_NOT_NEEDED, dirs_exist_ok=True)
    for one in _distributions():
        _put_package(root, one)
    for library in _shared_libraries(root):
        _put(root, library)


_OF_THE_MACHINE: Final = {
    "installed_base": sys.base_prefix,
    "base": sys.base_prefix,
    "installed_platbase": sys.base_exec_prefix,
    "platbase": sys.base_exec_prefix,
}


def _fill_moorage(root: Path) -> None:
    for path in moorage_files():
        target = _in(root, Path(PACKAGES)) / path.relative_to(_MOORAGE.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _put_package(root: Path, package: importlib.metadata.Distribution) -> None:
    for file in package.files or []:
        source = Path(str(package.locate_file(file)))
        if ".." not in file.parts and "__pycache__" not in file.parts and source.exists():
            target = _in(root, Path(PACKAGES)) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def _put(root: Path, file: Path) -> None:
    target = _in(root, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def _in(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _distributions() -> Iterator[importlib.metadata.Distribution]:
    """What the twin imports, and all that these depend on."""
    waiting, seen = ["aiohttp", "pyyaml"], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        one = importlib.metadata.distribution(name)
        yield one
        for text in one.requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name.lower())


def _shared_libraries(root: Path) -> set[Path]:
    """What the interpreter and the compiled modules are linked to, at the paths they look for."""
    compiled = [*root.rglob("*.so"), _in(root, Path(INTERPRETER))]
    told = subprocess.run(["ldd", *compiled], capture_output=True, text=True, check=False).stdout
    words = {word for line in told.splitlines() for word in line.split()[:3]}
    paths = {Path(word) for word in words if word.startswith("/") and not word.endswith(":")}
    return {path for path in paths if path.is_file()}
