"""The tokens of Hugging Face: taken from the environment, secret from there on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import pulumi

from moorage.errors import MoorageError

DEPLOYING: Final = "HF_TOKEN"
INFERENCE: Final = "MOORAGE_HF_INFERENCE_TOKEN"  # narrower: it may only ask


def inference() -> pulumi.Output[str]:
    """The token with which the gateway asks endpoints and the router."""
    value = os.environ.get(INFERENCE) or os.environ.get(DEPLOYING)
    if not value:
        raise MoorageError(missing_inference())
    return pulumi.Output.secret(value)


def missing_inference() -> str:
    """What to do where there is no token to ask with."""
    return f"the environment has no {DEPLOYING}; set it to a token of Hugging Face"


def secrets(named: Mapping[str, str]) -> dict[str, pulumi.Output[str]]:
    """The secrets that a spec names by the variables which hold them."""
    return {name: pulumi.Output.secret(os.environ[variable]) for name, variable in named.items()}


def unset(variables: Iterable[str]) -> Iterator[str]:
    """The variables that hold nothing."""
    return (name for name in variables if not os.environ.get(name))


def has_inference() -> bool:
    """Whether there is a token to ask with."""
    return bool(os.environ.get(INFERENCE) or os.environ.get(DEPLOYING))
