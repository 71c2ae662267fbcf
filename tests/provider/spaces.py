"""What the tests of Spaces share: the twin as their world, and what is to be seen in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from huggingface_hub import HfApi

from moorage.twin import face
from tests.provider import impatient

APP: Final = "import gradio as gr\n"
OTHERS: Final = "hf_twin_ann"


def told_to_use(twin: face.Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the provider takes the twin for the real thing."""
    for name, value in twin.environment().items():
        monkeypatch.setenv(name, value)


@contextmanager
def hurried(
    monkeypatch: pytest.MonkeyPatch, scenario: face.Scenario | None = None
) -> Iterator[face.Twin]:
    """A twin that the provider takes for the real thing, and does not wait long for."""
    impatient.hurry(monkeypatch)
    with face.serve(scenario) as running:
        told_to_use(running, monkeypatch)
        yield running


def seen(twin: face.Twin) -> dict[str, Any]:
    """The Spaces that there are, without the times of anything."""
    return {key: _seen(twin, key) for key in twin.hub.repos if key.startswith("spaces/")}


def _seen(twin: face.Twin, key: str) -> Any:
    stored, space = twin.hub.repos[key], twin.hub.desk.spaces[key.removeprefix("spaces/")]
    return {
        "files": {path: blob.blob_id for path, blob in stored.blobs.items()},
        "visibility": stored.repo.visibility,
        "hardware": space.hardware,
        "sleep": space.sleep_s,
        "variables": {key: one["value"] for key, one in space.variables.items()},
        "secrets": {key: one["_value"] for key, one in space.secrets.items()},
        "volumes": space.volumes,
        "paused": space.is_paused,
    }


def api(twin: face.Twin, token: str = OTHERS) -> HfApi:
    """The library's own client, as another person or program uses it."""
    return HfApi(endpoint=twin.hub.url, token=token)


def plant(twin: face.Twin, id_: str, *, owner: str | None = None, **more: Any) -> None:
    """A Space that somebody else made, with our mark for another owner where one is given."""
    variables = [{"key": "MOORAGE_OWNER", "value": owner}] if owner else []
    others = api(twin)
    others.create_repo(
        id_, repo_type="space", space_sdk="gradio", space_variables=variables, **more
    )
    others.upload_file(
        path_or_fileobj=b"import gradio\n",
        path_in_repo="app.py",
        repo_id=id_,
        repo_type="space",
    )
