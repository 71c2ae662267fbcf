"""Rules about machines of one's own: their GPUs, who gets to their engines, how they change."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from moorage.plan.catalogue.offers import Kind
from moorage.plan.choice.address import reach
from moorage.plan.environment import KEYS, STEERS
from moorage.plan.rules.rule import Rule
from moorage.plan.subject import Subject
from moorage.plan.world import Choice
from moorage.spec.problems import Problem

_BLUE_GREEN: Final = "blue-green"
_IDLE: Final = "stop_when_idle_after"
_PROFILE: Final = "instance_profile"
_TAKEN: Final = "variable-taken"
_KEY: Final = "{} is where the engine takes its key from, which moorage makes"
_OUT: Final = "take it out: the gateway has the key"
_BESIDE: Final = ("adapters", "tokenizer", "chat_template")  # keys of `model`


def _device_ids(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        options = choice.target.options
        for key in ("device_ids", "spare_device_ids"):
            if key in options:
                yield from _as_many(subject, choice, key, tuple(options[key]))


def _as_many(subject: Subject, choice: Choice, key: str, ids: tuple[str, ...]) -> Iterator[Problem]:
    count = choice.taken.count if choice.taken is not None else 0
    if not count:
        says = f"{key} names GPUs, and nothing says which GPU they are"
        yield subject.of(choice, "device-ids", says, "add gpu: nvidia-l4, or take it out", key)
    elif len(set(ids)) < len(ids):
        yield subject.of(choice, "device-ids", f"{key} names a GPU twice", "name each once", key)
    elif len(ids) != count:
        says = f"{key} names {len(ids)} GPUs, and the container gets {count}"
        yield subject.of(choice, "device-ids", says, "let both say the same number", key)


def _blue_green(subject: Subject) -> Iterator[Problem]:
    """While both containers stand, each needs GPUs and a port of its own."""
    for choice in subject.choices:
        options = choice.target.options
        says, hint, key = _unready(choice, options)
        if options.get("on_change") == _BLUE_GREEN and says:
            yield subject.of(choice, "blue-green", says, hint, key)
        elif options.get("on_change") != _BLUE_GREEN and "spare_device_ids" in options:
            says = "spare_device_ids does nothing unless changes are blue-green"
            hint = "write on_change: blue-green, or take it out"
            yield subject.of(choice, "blue-green", says, hint, "spare_device_ids")


def _unready(choice: Choice, options: Any) -> tuple[str, str, str]:
    """Why a blue-green change would not go, what to do, and the key that says it."""
    if "port" in options:
        says = f"two containers cannot both have port {options['port']} of the host"
        return says, "take port out: a free one is found for each", "port"
    if choice.taken is not None and choice.taken.count and "spare_device_ids" not in options:
        says = "while both containers stand, the new one needs GPUs of its own"
        return says, "name them in spare_device_ids, or write on_change: downtime", "on_change"
    if choice.taken is not None and choice.taken.count and "device_ids" not in options:
        says = "the spare GPUs are named, and the first ones are not"
        return says, "name them in device_ids: the two sets take turns", "spare_device_ids"
    return "", "", ""


def _exposed(subject: Subject) -> Iterator[Problem]:
    """An engine speaks plain HTTP, and many of its paths ask for no key."""
    for choice in subject.choices:
        options = choice.target.options
        address = options.get("address")
        if address is not None and not _is_address(address):
            says, hint = f"{address[:60]} is no IP address", "write one of the host: 10.0.0.12"
            yield subject.of(choice, "engine-exposed", says, hint, "address")
        elif choice.kind.starts_engine and address is not None and _is_public(address):
            says = f"the engine would listen on {address[:60]}, for anybody who comes to it"
            hint = "give a private address of the host, or leave it out for an SSH tunnel"
            yield subject.of(choice, "engine-exposed", says, hint, "address")
        for number, network in enumerate(options.get("allow_from", ())):
            if _is_open(network):
                says = (
                    f"{network[:60]} is no private network: keys and prompts would travel in clear"
                )
                hint = "let the gateway ask from inside: a private network, or its security group"
                way = ("allow_from", number)
                yield subject.of(choice, "engine-exposed", says, hint, *way)


def _is_address(address: str) -> bool:
    try:
        return bool(ipaddress.ip_address(address))
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    wrapped = f"[{address}]" if ":" in address else address
    return reach(f"http://{wrapped}") == "public"


def _is_open(source: str) -> bool:
    """Whether others than one's own network are in it; a group or a prefix list is one's own."""
    if "/" not in source:
        return False
    try:
        return not ipaddress.ip_network(source, strict=False).is_private
    except ValueError:
        return True


def _spot(subject: Subject) -> Iterator[Problem]:
    for choice in subject.choices:
        if choice.target.options.get("market") == "spot" and not subject.policy.spot:
            says = f"{subject.policy.file} does not allow instances that can be taken away"
            yield subject.of(choice, "spot", says, "write market: on-demand", "market")


def _stops(subject: Subject) -> Iterator[Problem]:
    """Only what is bought on demand can be stopped, and not every engine tells whether it works."""
    telling = [name for name, row in subject.catalog.engines.items() if row.counts]
    for choice in subject.choices:
        options, engine = choice.target.options, choice.engine
        if _IDLE not in options:
            continue
        if options.get("market") == "spot":
            says = "a spot instance cannot be stopped, only ended"
            hint = f"write market: on-demand, or take {_IDLE} out"
            yield subject.of(choice, "stop-when-idle", says, hint, _IDLE)
        if engine is not None and not engine.counts:
            says = f"nobody can tell when {engine.name} is idle"
            hint = f"take {_IDLE} out, or serve it with {' or '.join(telling)}"
            yield subject.of(choice, "stop-when-idle", says, hint, _IDLE)


def _unreadable(subject: Subject) -> Iterator[Problem]:
    """An instance fetches its secrets itself, so that they stand in no user data."""
    for choice in subject.choices:
        options = choice.target.options
        wants = _PROFILE in choice.kind.options["properties"] and "secrets" in options
        if wants and _PROFILE not in options:
            says = "the instance may not read its secrets, for it has no instance_profile"
            hint = "name one with ssm:GetParameter for /moorage/*: instance_profile: moorage-gpu"
            yield subject.of(choice, "secrets-unreadable", says, hint, "secrets")


def _taken(subject: Subject) -> Iterator[Problem]:
    """Two values of one name: which of them counts would be the engine's or Docker's choice."""
    env = subject.spec.serving.env
    keys = {KEYS[row.engine.name] for row in subject.choices if row.engine and _starts(row)}
    for name in sorted(keys & env.keys()):
        yield subject.problem(_TAKEN, _KEY.format(name), _OUT, "serving", "env", name)
    for choice in filter(_starts, subject.choices):
        for name in choice.target.options.get("secrets", ()):
            says, hint = _spoken_for(choice, name, keys, env)
            if says:
                yield subject.of(choice, _TAKEN, says, hint, "secrets", name)


def _starts(choice: Choice) -> bool:
    return choice.kind.starts_engine and choice.engine is not None


def _spoken_for(
    choice: Choice, name: str, keys: Set[str], env: Mapping[str, str]
) -> tuple[str, str]:
    """Why a secret cannot be called so, and what to do."""
    if name in keys:
        return _KEY.format(name), _OUT
    if name in env:
        return f"{name} stands in serving.env, too", "say it in one of the two"
    if _PROFILE in choice.kind.options["properties"] and STEERS.fullmatch(name):
        says = f"{name} would steer the instance's own Docker, which starts the engine"
        return says, "call the secret otherwise"
    return "", ""


def _beside(subject: Subject) -> Iterator[Problem]:
    """What an engine of ours would overlook without a word."""
    told: set[tuple[str, str]] = set()
    for choice in subject.choices:
        for server, able, key in _overlooked(subject, choice):
            if (server, key) not in told:
                told.add((server, key))
                says = f"{server} takes no {key} of another repository"
                hint = "take it out" + (f", or serve it with {' or '.join(able)}" if able else "")
                yield subject.problem("beside-not-served", says, hint, "model", key)


def _overlooked(subject: Subject, choice: Choice) -> Iterator[tuple[str, list[str], str]]:
    """Who would overlook it, the engines that would not in its place, and the key."""
    kind, engine = choice.kind, choice.engine
    if engine is None and not kind.routers:
        return  # a server of somebody else's has what it has
    takes = _takes(subject, kind)
    name = engine.name if engine is not None else ""
    server = name if kind.starts_engine else f"{name} on {kind.name}".removeprefix(" on ")
    for key in _BESIDE:
        if getattr(subject.model, key) and key not in takes.get(name, ()):
            yield server, [other for other, keys in takes.items() if key in keys], key


def _takes(subject: Subject, kind: Kind) -> Mapping[str, tuple[str, ...]]:
    """What each engine of a kind loads beside the model."""
    if not kind.starts_engine:
        return kind.beside
    return {name: row.beside for name, row in subject.catalog.engines.items()}


RULES: Final[dict[str, Rule]] = {
    "device-ids": Rule(says="as many GPUs are named as a container gets", check=_device_ids),
    "blue-green": Rule(
        says="a blue-green change has GPUs and a port for both containers", check=_blue_green
    ),
    "engine-exposed": Rule(says="no engine can be reached by everybody", check=_exposed),
    "spot": Rule(says="the policy allows the market", check=_spot),
    "stop-when-idle": Rule(says="an instance that shall stop when idle can", check=_stops),
    "secrets-unreadable": Rule(says="an instance can read its secrets", check=_unreadable),
    _TAKEN: Rule(says="no variable of the engine is set twice", check=_taken),
    "beside-not-served": Rule(
        says="the engine takes what is to be loaded beside the model", check=_beside
    ),
}
