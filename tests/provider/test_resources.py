"""The resource classes that components use say what the handlers' shapes say."""

from __future__ import annotations

import inspect
import re

import pytest

from moorage import resources
from moorage.provider.handlers import HANDLERS


@pytest.mark.parametrize("token", HANDLERS)
def test_a_class_takes_the_inputs_and_gives_the_outputs_of_its_shape(token: str) -> None:
    shape = HANDLERS[token].shape
    made = getattr(resources, token.rpartition(":")[2])
    arguments = inspect.signature(made.__init__).parameters
    given = [name for name in arguments if name not in ("self", "resource_name", "opts")]
    assert {_camel(name) for name in given} == set(shape.inputs)
    needed = [name for name in given if arguments[name].default is inspect.Parameter.empty]
    required = {name for name, field in shape.inputs.items() if field.required}
    assert {_camel(name) for name in needed} <= required
    outputs = {_camel(name) for name in inspect.get_annotations(made)}
    assert outputs <= {*shape.inputs, *shape.outputs}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
