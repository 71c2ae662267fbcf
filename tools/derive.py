"""What this checkout derives from its handlers' shapes: written, or proven fresh (--check)."""

from __future__ import annotations

import sys
from pathlib import Path

from moorage.provider.__main__ import PACKAGE
from moorage.provider.derived import classes, pages

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "resources"


def main() -> int:
    """Write the files, or name those that are not what the shapes say."""
    texts = derived()
    stale = [path for path, text in texts.items() if _read(path) != text]
    stale += [path for path in PAGES.glob("*.md") if path not in texts]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)}: not what the shapes say; run make generate")
        return 1 if stale else 0
    for path in stale:
        _write(path, texts.get(path))
    return 0


def derived() -> dict[Path, str]:
    """The files and what they must hold."""
    names = pages.build(PACKAGE)
    reference = {PAGES / name: text for name, text in names.items()}
    return {ROOT / "moorage" / "resources.py": classes.build(PACKAGE), **reference}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
