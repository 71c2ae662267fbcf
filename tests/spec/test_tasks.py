"""What the language says of tasks is true of the gateway."""

from __future__ import annotations

from moorage.gateway.app import RELAYED
from moorage.spec.tasks import TASKS


def test_the_gateway_relays_what_is_said_to_be_relayed() -> None:
    relayed = {f"/v1/{task.path}" for task in TASKS.values() if task.relayed}
    others = {f"/v1/{task.path}" for task in TASKS.values() if not task.relayed}
    assert relayed <= RELAYED.keys()
    assert not others & RELAYED.keys()
