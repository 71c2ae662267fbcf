"""A stranger's provider, written as docs/providers.md says: a berth is a file.

Who lets it in is a setting; without it not even `locate` gets an answer.
"""

from __future__ import annotations

from pathlib import Path

from moorage.errors import MoorageError
from moorage.provider import plugin
from moorage.provider.handler import Context, Created, Field, Found, Handler, Shape, State
from moorage.provider.package import Package


def let_in(context: Context) -> None:
    if context.config.get("token") != "let me in":
        raise MoorageError("the quay does not know this token")


def create(inputs: State, context: Context) -> Created:
    let_in(context)
    path = Path(inputs["path"])
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{inputs['note']}\n")
    context.exists(str(path), inputs)
    while not Path(inputs["waitFor"]).exists():
        context.pause(0.02)
    return Created(id=str(path), state=inputs)


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    return Found(state=state, inputs=inputs) if Path(id_).exists() else None


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    return inputs


def delete(id_: str, state: State, context: Context) -> None:
    Path(id_).unlink(missing_ok=True)


def locate(inputs: State, context: Context) -> str | None:
    let_in(context)
    path = Path(inputs["path"])
    return str(path) if path.exists() and inputs["note"] in path.read_text() else None


TEXT = Field(kind="string", doc="A text.", required=True)
SECRET = Field(kind="string", doc="A secret.", required=True, secret=True)
SHAPE = Shape(doc="A berth.", inputs={"path": TEXT, "waitFor": TEXT, "note": SECRET}, outputs={})
BERTH = Handler(shape=SHAPE, create=create, read=read, update=update, delete=delete, locate=locate)

if __name__ == "__main__":
    plugin.main(
        Package(
            name="quay",
            version="1.0.0",
            description="A quay",
            handlers={"quay:index:Berth": BERTH},
            config={"token": SECRET},
        )
    )
