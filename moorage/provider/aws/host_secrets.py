"""The secrets of a host: SecureString parameters below a path of its name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from moorage.provider.aws import host_tags
from moorage.provider.aws.host_place import Place
from moorage.provider.handler import State

_THERE: Final = "ParameterAlreadyExists"
_MOST_AT_ONCE: Final = 10  # parameters that one call deletes


def path(name: str) -> str:
    """Where the host that is called so finds them."""
    return f"/moorage/{name}"


def names(place: Place, *, fine: Collection[str] = ()) -> list[str]:
    """Which there are; nobody reads what they hold."""
    answer = place.cloud.ssm("get_parameters_by_path", fine=fine, Path=path(place.name))
    return sorted(one["Name"].rpartition("/")[2] for one in answer.get("Parameters", ()))


def keep(place: Place, inputs: State, before: State) -> bool:
    """Have there what is declared and nothing else; whether any value is a new one.

    What is there cannot be compared: state tells which value was written.
    """
    wanted, known = inputs.get("secrets", {}), before.get("secrets", {})
    if not wanted and not known:
        return False
    there = names(place)
    stale = [name for name in sorted(wanted) if wanted[name] != known.get(name)]
    for name in sorted({*stale, *(wanted.keys() - there)}):
        _write(place, inputs, name, is_there=name in there)
    remove(place, [name for name in there if name not in wanted])
    return bool(stale)


def remove(place: Place, which: list[str]) -> None:
    """Those that are gone already are fine."""
    for start in range(0, len(which), _MOST_AT_ONCE):
        batch = which[start : start + _MOST_AT_ONCE]
        full = [f"{path(place.name)}/{name}" for name in batch]
        place.cloud.ssm("delete_parameters", Names=full)


def _write(place: Place, inputs: State, name: str, *, is_there: bool) -> None:
    """Tags can be given only to a new one; one that came to be meanwhile is written over."""
    value = {
        "Name": f"{path(place.name)}/{name}",
        "Value": inputs["secrets"][name],
        "Type": "SecureString",
    }
    if not is_there:
        tags = host_tags.listed(host_tags.wanted(inputs))
        if place.cloud.ssm("put_parameter", fine=(_THERE,), Tags=tags, **value):
            return
    place.cloud.ssm("put_parameter", Overwrite=True, **value)
