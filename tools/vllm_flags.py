"""The flags of vLLM's server by version, read off its argument parsers, for catalog/engines.yaml.

    python tools/vllm_flags.py VERSION…     prints `flag: first..last`, oldest version first

Versions are fetched from the package index as source distributions. Their metadata cannot be built
without torch, so pip ends with an error; what it unpacked by then is all that is needed.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import TextWrapper
from typing import Final

_PARSERS: Final = ("engine/arg_utils.py", "entrypoints/**/cli_args.py")
_FETCH_SECONDS: Final = 600
_WIDTH: Final = 114
_INDENT: Final = " " * 6
_TIE: Final = "\0"


def main(versions: list[str]) -> int:
    """Print the spans of all flags that the versions have, in the catalogue's form."""
    ordered = sorted(versions, key=lambda version: tuple(map(int, version.split("."))))
    known = {version: _fetched(version) for version in ordered}
    empty = [version for version, flags in known.items() if not flags]
    if empty:
        sys.stderr.write(f"no source distribution could be read of {', '.join(empty)}\n")
        return 1
    print(laid_out(f"{flag}: {span}" for flag, span in sorted(spans(known).items())))
    return 0


def laid_out(rows: Iterable[str]) -> str:
    """The rows in lines as long as the catalogue's; none is torn."""
    text = ", ".join(row.replace(" ", _TIE) for row in rows)
    lines = TextWrapper(
        width=_WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.fill(text).replace(_TIE, " ")


def spans(known: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """In which versions each flag is known, from the first to the last; versions in their order."""
    newest = [*known][-1]
    having: dict[str, list[str]] = {}
    for version, flags in known.items():
        for flag in flags:
            having.setdefault(flag, []).append(version)
    return {
        flag: versions[0] if versions[-1] == newest else f"{versions[0]}..{versions[-1]}"
        for flag, versions in having.items()
    }


def read(package: Path) -> frozenset[str]:
    """The flags of one version, without the dashes; `package` is its folder vllm."""
    paths = (path for pattern in _PARSERS for path in package.glob(pattern))
    return frozenset(
        flag for path in paths for flag in _flags(ast.parse(path.read_text(encoding="utf-8")))
    )


def _flags(tree: ast.AST) -> Iterator[str]:
    """Those added to a parser by name, and those made of the fields of its frontend's settings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            words = (word.value for word in node.args if isinstance(word, ast.Constant))
            yield from (str(word)[2:] for word in words if str(word).startswith("--"))
        elif isinstance(node, ast.ClassDef) and node.name.endswith("FrontendArgs"):
            yield from (name.replace("_", "-") for name in _fields(node))


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id


def _fetched(version: str) -> frozenset[str]:
    with tempfile.TemporaryDirectory() as folder:
        words = ["download", f"vllm=={version}", "--no-deps", "--no-binary", "vllm"]
        words += ["--no-build-isolation", "--no-clean", "--quiet", "--dest", folder]
        subprocess.run(
            [sys.executable, "-m", "pip", *words],
            env={**os.environ, "TMPDIR": folder},
            capture_output=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
        unpacked = Path(folder).glob("pip-download-*/vllm_*/vllm")
        return next(
            (read(package) for package in unpacked if (package / "engine").is_dir()), frozenset()
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
