"""The package schema says what the shapes say, in the words that Pulumi has for it."""

from __future__ import annotations

from typing import Any

import pytest

from moorage import __version__
from moorage.provider import schema
from moorage.provider.__main__ import PACKAGE
from moorage.provider.handlers import HANDLERS
from tests.provider import gallery

BUILT = schema.build(gallery.PACKAGE)
PICTURE = BUILT["resources"]["gallery:index:Picture"]
INPUTS = PICTURE["inputProperties"]


def test_the_package_schema_names_every_resource_and_the_module_of_its_classes() -> None:
    built = schema.build(PACKAGE)
    assert built["version"] == __version__
    assert set(built["resources"]) == set(HANDLERS)
    assert built["language"]["python"]["packageName"] == "moorage.resources"


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("isOnLoan", {"type": "boolean"}),
        ("roomNumber", {"type": "integer"}),
        ("weightKg", {"type": "number"}),
        ("extra", {"$ref": "pulumi.json#/Any"}),
        ("frame", {"$ref": "#/types/gallery:index:PictureFrame"}),
        ("tagSet", {"type": "object", "additionalProperties": {"type": "string"}}),
        (
            "lampList",
            {"type": "array", "items": {"$ref": "#/types/gallery:index:PictureLampList"}},
        ),
        (
            "style",
            {
                "type": "string",
                "oneOf": [{"type": "string"}, {"$ref": "#/types/gallery:index:PictureStyle"}],
            },
        ),
    ],
)
def test_every_kind_has_its_type(name: str, type_: dict[str, Any]) -> None:
    told = INPUTS[name]
    assert {key: told[key] for key in ("type", "oneOf", "items", "additionalProperties", "$ref")
            if key in told} == type_  # fmt: skip


def test_what_is_needed_is_told_for_both_directions() -> None:
    assert PICTURE["requiredInputs"] == ["title", "frame"]
    assert {"title", "isOnLoan", "formerOwners", "heldBy", "alarmKey"} <= set(PICTURE["required"])
    assert "weightKg" not in PICTURE["required"]
    assert BUILT["types"]["gallery:index:PictureFrame"]["required"] == ["widthMm"]


def test_defaults_stand_where_pulumi_has_room_for_them_and_else_in_words() -> None:
    assert INPUTS["isOnLoan"]["default"] is False
    assert BUILT["types"]["gallery:index:PictureFrame"]["properties"]["wood"]["default"] == "oak"
    assert "default" not in INPUTS["formerOwners"]
    assert INPUTS["formerOwners"]["description"] == 'Whose it was. Default: ["nobody"].'
    assert "default" not in PICTURE["properties"]["isOnLoan"]


def test_secrets_replacements_and_what_is_deprecated_are_marked() -> None:
    assert INPUTS["insuranceURLs"]["secret"]
    assert PICTURE["properties"]["alarmKey"]["secret"]
    assert BUILT["types"]["gallery:index:PictureFrame"]["properties"]["lockCode"]["secret"]
    assert INPUTS["title"]["willReplaceOnChanges"]
    assert "willReplaceOnChanges" not in INPUTS["roomNumber"]
    assert INPUTS["oldTitle"]["deprecationMessage"] == "use title"
    key = schema.build(PACKAGE)["resources"]["moorage:index:ApiKey"]
    assert key["inputProperties"]["prefix"]["willReplaceOnChanges"]


def test_choices_have_names_that_are_fit_for_constants() -> None:
    choices = BUILT["types"]["gallery:index:PictureStyle"]["enum"]
    assert choices == [
        {"name": "flat", "value": "flat"},
        {"name": "in_between", "value": "in-between"},
        {"name": "value_3d", "value": "3D"},
        {"name": "oil_on_wood", "value": "OIL_ON_WOOD"},
    ]


def test_the_configuration_is_told_for_stacks_and_for_explicit_providers() -> None:
    assert BUILT["config"]["defaults"] == ["endpointURL"], "Pulumi's word for what is required"
    assert set(BUILT["config"]["variables"]) == set(gallery.CONFIG)
    assert BUILT["provider"]["requiredInputs"] == ["endpointURL"]
    assert BUILT["provider"]["inputProperties"]["accessToken"]["secret"]
    assert BUILT["provider"]["inputProperties"]["retries"]["default"] == 3


def test_bounds_are_told_in_words() -> None:
    assert INPUTS["roomNumber"]["description"] == "Where it hangs. At least 1."
