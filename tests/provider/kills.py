"""Which clauses of the contract that kill a call at every step are left to `make operations`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import pytest

from moorage.provider.contract import HandlerContract
from moorage.provider.testing.trial import Trials

Contract = TypeVar("Contract", bound=type[HandlerContract])

CREATE = "test_a_create_killed_anywhere_and_run_again_leaves_one_thing"
UPDATE = "test_an_update_killed_anywhere_and_run_again_is_made"
DELETE = "test_a_delete_killed_anywhere_and_run_again_leaves_nothing"


def thorough(*clauses: str) -> Callable[[Contract], Contract]:
    """Leave these clauses of a handler to the thorough run; the others have a sample of them."""

    def left(contract: Contract) -> Contract:
        for name in clauses:
            setattr(contract, name, pytest.mark.thorough(_own(getattr(contract, name))))
        return contract

    return left


def _own(clause: Callable[[HandlerContract, Trials], None]) -> Callable[..., None]:
    """A function of its own, so that the mark is not on that of all handlers."""

    @functools.wraps(clause)
    def run(self: HandlerContract, tried: Trials) -> None:
        clause(self, tried)

    return run
