"""What a Space takes and gives, and what of it no field can judge by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from moorage.provider.handler import DRIFT, Failure, Field, Shape, State
from moorage.provider.hugging_face import things
from moorage.provider.hugging_face.repositories import repo_files

OWNER: Final = "MOORAGE_OWNER"  # the variable that says whose a Space is, set as it is created
GUARD: Final = "MOORAGE_BUDGET_PAUSED"  # the budget guard's, while it has paused the Space
FREE_HARDWARE: Final = "cpu-basic"
NEVER: Final = -1
_SDKS: Final = ("gradio", "docker", "static")
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_MOUNTED: Final = ("bucket", "model", "dataset", "space")


def _is_sdk(sdk: str) -> str | None:
    if sdk == "streamlit":
        return "Streamlit is no SDK of Spaces any more: use docker, with the template streamlit"
    return None if sdk in _SDKS else f"must be one of {', '.join(_SDKS)}"


def _is_path(path: str) -> str | None:
    return None if path.startswith("/") else "must begin with /"


_TEXT: Final = Field(kind="string", doc="")

_VOLUME: Final = Field(
    kind="object",
    doc="Something of the Hub that the app finds in its file system.",
    fields={
        "type": Field(kind="string", doc="What is mounted.", required=True, choices=_MOUNTED),
        "source": Field(kind="string", doc="Which one, owner/name.", required=True),
        "mountPath": Field(
            kind="string", doc="Where the app finds it.", required=True, rule=_is_path
        ),
        "revision": Field(kind="string", doc="Of a repository."),
        "readOnly": Field(kind="boolean", doc="Of a bucket; repositories always are."),
        "path": Field(kind="string", doc="A folder in it."),
    },
)

_APP: Final = {
    "sdk": Field(
        kind="string",
        doc="What it is made with: gradio, docker or static; Streamlit goes into docker.",
        required=True,
        replaces=True,
        rule=_is_sdk,
    ),
    "card": Field(
        kind="map",
        doc="Entries of its README's card, such as title, app_file, app_port or python_version.",
        items=Field(kind="any", doc=""),
    ),
    **repo_files.INPUTS,
}

_SETTINGS: Final = {
    "visibility": Field(
        kind="string",
        doc="private: app and code for members. protected: the app is public. public: both are.",
        choices=("private", "protected", "public"),
        default="private",
    ),
    "hardware": Field(kind="string", doc="As the Hub calls it.", default=FREE_HARDWARE),
    "sleepSeconds": Field(
        kind="integer",
        doc="After how long without a visit it sleeps; -1: never. Absent: as it is.",
        least=NEVER,
    ),
    "variables": Field(kind="map", doc="Of its environment; everybody can read them.", items=_TEXT),
    "secrets": Field(
        kind="map",
        doc="Of its environment; nobody can read them back. Those set by others are left alone.",
        items=Field(kind="string", doc="", secret=True),
    ),
    "volumes": Field(kind="list", doc="What it has mounted.", items=_VOLUME),
    "paused": Field(kind="boolean", doc="Whether it is to stand still.", default=False),
}

_PROOF: Final = {
    "readyPath": Field(
        kind="string", doc="What the app answers once it serves.", default="/", rule=_is_path
    ),
    "readyTimeoutSeconds": Field(
        kind="integer", doc="For how long it may build and start.", default=1800, least=1
    ),
    "checkAccess": Field(
        kind="boolean",
        doc="Whether it is tried that strangers are turned away from a private app.",
        default=True,
    ),
}

_EXAMPLE: Final = """
from moorage.resources import Space

Space(
    "chat",
    name="support-chat",
    sdk="gradio",
    folder="apps/chat",
    variables={"MOORAGE_GATEWAY_URL": "https://gateway.example/v1"},
    hardware="cpu-upgrade",
    sleep_seconds=3600,
)
"""

SHAPE: Final = Shape(
    doc="A Space of Hugging Face: an app from files, on hardware that is billed while it runs.",
    inputs={**things.REPOSITORY, **_APP, **_SETTINGS, **_PROOF},
    outputs={
        "url": things.URL,
        "appUrl": Field(kind="string", doc="Where the app answers.", stable=True),
        "account": things.ACCOUNT,
        "stage": Field(kind="string", doc="As the Hub calls where it stands.", required=True),
        "sha": Field(kind="string", doc="The commit of its files.", required=True),
        "filesDigest": Field(kind="string", doc="Over all of its files.", required=True),
        "pricePerHour": Field(kind="number", doc="What its hardware costs, in dollars."),
        "hourlyUsd": Field(
            kind="number", doc="USD for an hour, as it is now: nothing while it sleeps or rests."
        ),
        "secretsSetAt": Field(kind="map", doc="When each of its secrets was set."),
        "isImported": things.IS_IMPORTED,
        "drift": DRIFT,
    },
    delete_before_replace=True,
    refresh_before_update=True,
    timeout_s=7200.0,
    import_id="its id on the Hub, owner/name",
    example=_EXAMPLE,
)


def check(inputs: State) -> list[Failure]:
    """What no field can judge by itself."""
    return list(_failures(inputs))


def _failures(inputs: State) -> Iterator[Failure]:
    variables, secrets = inputs.get("variables", {}), inputs.get("secrets", {})
    yield from _keys("variables", variables)
    yield from _keys("secrets", secrets)
    for key in sorted(variables.keys() & secrets.keys()):
        yield Failure(name="variables", reason=f"{key} is a secret too; give it once")
    for key in sorted((variables.keys() | secrets.keys()) & {OWNER, GUARD}):
        yield Failure(name="variables", reason=f"{key} is moorage's own; take another name")
    if secrets and inputs["sdk"] == "static":
        reason = "a static Space has no process that could keep a secret; its pages show them"
        yield Failure(name="secrets", reason=reason)
    if "sleepSeconds" in inputs and inputs["hardware"] == FREE_HARDWARE:
        reason = (
            f"{FREE_HARDWARE} always sleeps after 48 hours; leave it out, or take other hardware"
        )
        yield Failure(name="sleepSeconds", reason=reason)


def _keys(name: str, given: dict[str, Any]) -> Iterator[Failure]:
    for key in given:
        if not _KEY.fullmatch(key):
            reason = f"{key!r} is no name of an environment variable"
            yield Failure(name=name, reason=reason)
