"""The templates of Spaces: which files each has, and what it is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from moorage.errors import Exit, MoorageError

_TEMPLATES: Final = Path(__file__).with_name("templates")
_GATEWAY: Final = Path(__file__).parents[1] / "moorage"
_SHARED: Final = ("gateway.py",)
USUAL: Final = "chat"


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """One kind of app; `shared` are the files that it has in common with others."""

    says: str
    sdk: str
    shared: tuple[str, ...] = ()
    carries_gateway: bool = False
    is_for_specs: bool = True  # else it needs what only a program of one's own can give
    card: Mapping[str, Any] = field(default_factory=dict)


TEMPLATES: Final = {
    "chat": Template(says="a chat in Gradio", sdk="gradio", shared=_SHARED),
    "streamlit": Template(
        says="a chat in Streamlit", sdk="docker", shared=_SHARED, card={"app_port": 7860}
    ),
    "text-to-image": Template(says="pictures in Gradio", sdk="gradio"),
    "gateway": Template(
        says="the gateway itself",
        sdk="docker",
        carries_gateway=True,
        is_for_specs=False,
        card={"app_port": 7860},
    ),
}


def named(name: str | None) -> Template:
    """The template of this name."""
    found = TEMPLATES.get(name or USUAL)
    if found is None:
        message = f"there is no template {name}; there are {', '.join(TEMPLATES)}"
        raise MoorageError(message, exit_code=Exit.PROBLEMS)
    return found


def files(name: str | None) -> dict[str, str]:
    """Everything that the Space has, by its path, as text."""
    template = named(name)
    found = _read(_TEMPLATES / (name or USUAL))
    found |= {one: (_TEMPLATES / "shared" / one).read_text("utf-8") for one in template.shared}
    if template.carries_gateway:
        inside = _read(_GATEWAY / "gateway")
        found |= {f"moorage/gateway/{path}": text for path, text in inside.items()}
        found["moorage/__init__.py"] = (_GATEWAY / "__init__.py").read_text("utf-8")
    return found


def _read(folder: Path) -> dict[str, str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in paths
        if "__pycache__" not in path.parts
    }
