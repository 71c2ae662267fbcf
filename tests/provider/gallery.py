"""A package that shows every kind of property: `python -m tests.provider.gallery` is its plugin."""

from __future__ import annotations

from moorage.provider import plugin
from moorage.provider.check import check
from moorage.provider.handler import Context, Created, Field, Found, Handler, Shape, State
from moorage.provider.package import Package

_FRAME = {
    "wood": Field(kind="string", doc="What it is made of.", choices=("oak", "ash"), default="oak"),
    "widthMm": Field(kind="integer", doc="How wide.", required=True, least=1, most=900),
    "lockCode": Field(kind="string", doc="Opens it.", secret=True),
}
_LAMP = {
    "atLumen": Field(kind="integer", doc="How bright.", required=True, replaces=True),
    "class": Field(kind="string", doc="A word that Python keeps for itself."),
}
FRAME = Field(kind="object", doc="What is around it.", fields=_FRAME)
LAMP = Field(kind="object", doc="What shines on it.", fields=_LAMP)

PICTURE = Shape(
    doc='A picture, "as it hangs": with a frame, lamps, and everything that a property can be; this'
    " says more than a line can hold.",
    inputs={
        "title": Field(kind="string", doc="Its title.", required=True, replaces=True),
        "isOnLoan": Field(kind="boolean", doc="Whether it goes back.", default=False),
        "roomNumber": Field(kind="integer", doc="Where it hangs.", default=7, least=1),
        "weightKg": Field(kind="number", doc="How heavy.", least=0.5),
        "style": Field(
            kind="string",
            doc="How it was painted.",
            choices=("flat", "in-between", "3D", "OIL_ON_WOOD"),
        ),
        "frame": Field(kind="object", doc="What is around it.", required=True, fields=_FRAME),
        "lampList": Field(kind="list", doc="What shines on it, a backslash \\ too.", items=LAMP),
        "frameByYear": Field(kind="map", doc="What was around it.", items=FRAME),
        "tagSet": Field(kind="map", doc="Labels; their keys stay as they are."),
        "formerOwners": Field(kind="list", doc="Whose it was.", default=["nobody"]),
        "extra": Field(kind="any", doc="Whatever else."),
        "insuranceURLs": Field(kind="list", doc="Where it is insured.", secret=True),
        "oldTitle": Field(kind="string", doc="Its title.", deprecated="use title"),
    },
    outputs={
        "heldBy": Field(kind="object", doc="What it hangs on.", required=True, fields=_LAMP),
        "hangingSince": Field(kind="string", doc="Since when.", required=True),
        "alarmKey": Field(kind="string", doc="Stops the alarm.", required=True, secret=True),
    },
    delete_before_replace=True,
    refresh_before_update=True,
    timeout_s=600,
    import_id="its title",
)
NAIL = Shape(doc="A nail, which takes nothing.", inputs={}, outputs={})
CONFIG = {
    "endpointURL": Field(kind="string", doc="Where the gallery is.", required=True),
    "accessToken": Field(kind="string", doc="Opens it.", secret=True),
    "retries": Field(kind="integer", doc="How often.", default=3),
}
HUNG = {
    "title": "Harbour",
    "style": "in-between",
    "frame": {"wood": "ash", "widthMm": 40},
    "lampList": [{"atLumen": 300, "class": "warm"}],
    "frameByYear": {"theYear1900": {"wood": "oak", "widthMm": 30}},
    "tagSet": {"camelCase": "stays"},
}


def create(inputs: State, context: Context) -> Created:
    return Created(id=inputs.get("title", "nail"), state=_described(inputs))


def read(id_: str, state: State, inputs: State, context: Context) -> Found | None:
    if id_ != HUNG["title"]:
        return None
    hung, _ = check(PICTURE.inputs, HUNG)
    return Found(state=_described(hung), inputs=dict(HUNG))


def update(id_: str, state: State, inputs: State, context: Context) -> State:
    return _described(inputs)


def delete(id_: str, state: State, context: Context) -> None:
    pass


def _described(inputs: State) -> State:
    held = {"atLumen": 5, "class": "cold"}
    return {**inputs, "heldBy": held, "hangingSince": "1900", "alarmKey": "bell-and-whistle"}


PACKAGE = Package(
    name="gallery",
    version="1.2.3",
    description="Pictures on walls",
    handlers={
        "gallery:index:Picture": Handler(
            shape=PICTURE, create=create, read=read, update=update, delete=delete
        ),
        "gallery:index:Nail": Handler(shape=NAIL, create=create, read=read, delete=delete),
    },
    config=CONFIG,
    python="tests.provider.gallery_resources",
)

if __name__ == "__main__":
    plugin.main(PACKAGE)
