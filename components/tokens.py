"""The tokens of Hugging Face: taken from the environment, secret from there on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

import pulumi

from moorage import login
from moorage.errors import MoorageError


def inference() -> pulumi.Output[str]:
    """The token with which the gateway asks endpoints and the router."""
    value = login.asking_token()
    if value is None:
        raise MoorageError(missing_inference())
    return pulumi.Output.secret(value)


def missing_inference() -> str:
    """What to do where there is no token to ask with."""
    return f"nobody is logged in to Hugging Face; hf auth login, or set {login.DEPLOYING}"


def secrets(named: Mapping[str, str]) -> dict[str, pulumi.Output[str]]:
    """The secrets that a spec names by the variables which hold them."""
    return {name: pulumi.Output.secret(os.environ[variable]) for name, variable in named.items()}


def unset(variables: Iterable[str]) -> Iterator[str]:
    """The variables that hold nothing."""
    return (name for name in variables if not os.environ.get(name))


def has_inference() -> bool:
    """Whether there is a token to ask with."""
    return login.asking_token() is not None
