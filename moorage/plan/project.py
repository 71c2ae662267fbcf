"""Where a project is, and its catalogue; light, since every command asks for it."""

from __future__ import annotations

from pathlib import Path

import moorage


def find_root(start: Path) -> Path:
    """The project: the nearest folder upwards that holds Pulumi.yaml, or else `start`."""
    around = (start, *start.parents)
    return next((folder for folder in around if (folder / "Pulumi.yaml").is_file()), start)


def catalog_folder(root: Path) -> Path:
    """The project's catalogue, or the one that lies beside this package."""
    own = root / "catalog"
    return own if own.is_dir() else Path(moorage.__file__).parent.parent / "catalog"
