"""A Space as the Hub tells it, as inputs would declare it, and where the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.errors import MoorageError
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face import hub
from moorage.provider.hugging_face.hub import Hub
from moorage.provider.hugging_face.repositories import repo_files
from moorage.provider.hugging_face.repositories.repo_files import Difference, Kept
from moorage.provider.hugging_face.spaces.space_shape import FREE_HARDWARE, GUARD, NEVER, OWNER

BROKEN: Final = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "STOPPED")
_FREE: Final = frozenset({*BROKEN, "BUILDING", "PAUSED", "SLEEPING", "DELETING"})  # of charge
_OUR_VARIABLES: Final = frozenset({OWNER, GUARD})
_MINUTES: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What is there."""

    id: str
    sha: str
    sdk: str
    is_private: bool
    visibility: str | None  # not every answer tells it
    card: Mapping[str, Any]
    files: Mapping[str, Kept]
    runtime: Mapping[str, Any]
    app_url: str
    group: str | None
    region: str | None  # not every answer tells it
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets_set_at: Mapping[str, str] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """Where it stands, in the Hub's own words; new ones may come."""
        return str(self.runtime.get("stage") or "")

    @property
    def hardware(self) -> str:
        """What it runs on, or will."""
        told = self.runtime.get("hardware") or {}
        return str(told.get("requested") or told.get("current") or FREE_HARDWARE)

    @property
    def sleep_s(self) -> int:
        """After how long it sleeps."""
        told = self.runtime.get("gcTimeout")
        return NEVER if told is None else int(told)

    @property
    def mark(self) -> str | None:
        """Whose it is."""
        return self.variables.get(OWNER)

    @property
    def is_guarded(self) -> bool:
        """Whether the budget guard has paused it."""
        return GUARD in self.variables and self.stage == "PAUSED"

    @property
    def own_variables(self) -> dict[str, str]:
        """The variables without those of moorage."""
        return {key: value for key, value in self.variables.items() if key not in _OUR_VARIABLES}

    def is_visible_as(self, wanted: str) -> bool:
        """Whether its visibility is as wanted; where it is not told, as far as that is known."""
        if self.visibility is not None:
            return self.visibility == wanted
        return wanted == "protected" or (wanted == "private") == self.is_private


def look(at: Hub, id_: str, context: Context) -> Record | None:
    """The Space; None where there is none, or none that the token may see."""
    account = id_.partition("/")[0]
    asked = at.asked(f"Space {id_}", account)
    info = hub.read(at, asked, lambda api: api.space_info(id_, files_metadata=True), context)
    if info is None:
        return None
    variables = hub.read(at, asked, lambda api: api.get_space_variables(id_), context)
    secrets = hub.read(at, asked, lambda api: api.get_space_secrets(id_), context)
    if variables is None or secrets is None:
        return None  # it has gone meanwhile
    return _record(info, variables, secrets)


def _record(info: Any, variables: Any, secrets: Any) -> Record:
    group = getattr(info, "resource_group", None) or {}
    return Record(
        id=info.id,
        sha=info.sha or "",
        sdk=info.sdk or "",
        is_private=bool(info.private),
        visibility=getattr(info, "visibility", None) or None,
        card=info.card_data.to_dict() if info.card_data else {},
        files=repo_files.kept(info.siblings or ()),
        runtime=info.runtime.raw if info.runtime else {},
        app_url=(info.host or "").rstrip("/"),
        group=group.get("id"),
        region=getattr(info, "region", None) or None,
        variables={key: one.value for key, one in variables.items()},
        secrets_set_at={key: str(one.updated_at or "") for key, one in secrets.items()},
    )


def runtime(at: Hub, id_: str, context: Context) -> Mapping[str, Any] | None:
    """Only where it stands: the one question that is asked again and again."""
    asked = at.asked(f"Space {id_}", id_.partition("/")[0])
    told = hub.read(at, asked, lambda api: api.get_space_runtime(id_), context)
    return None if told is None else dict(told.raw)


def prices(at: Hub, context: Context) -> dict[str, float] | None:
    """Dollars an hour by hardware; None where the Hub does not tell them."""
    rows = hub.glance(at, lambda api: api.list_spaces_hardware(), context, within_s=10.0)
    if rows is None:
        return None
    per_hour = {"minute": _MINUTES, "hour": 1}
    known = [row for row in rows if row.unit_label in per_hour]
    return {row.name: round(row.unit_cost_usd * per_hour[row.unit_label], 6) for row in known}


# --- inputs and outputs


def outputs(found: Record, at: Hub, price: float | None) -> State:
    """What is told of it."""
    return {
        "url": f"{at.url}/spaces/{found.id}",
        "appUrl": found.app_url,
        "account": found.id.partition("/")[0],
        "stage": found.stage,
        "sha": found.sha,
        "filesDigest": repo_files.digest(found.files),
        "pricePerHour": price,
        "hourlyUsd": 0 if price is not None and found.stage in _FREE else price,
    }


def declared(found: Record) -> State:
    """The inputs that would declare it, as far as it tells them."""
    account, _, name = found.id.partition("/")
    told: State = {
        "name": name,
        "namespace": account,
        "owner": found.mark,
        "sdk": found.sdk,
        "visibility": found.visibility or ("private" if found.is_private else "public"),
        "hardware": found.hardware,
        "sleepSeconds": None if found.hardware == FREE_HARDWARE else found.sleep_s,
        "variables": found.own_variables or None,
        "volumes": volumes(found.runtime.get("volumes") or ()) or None,
        "card": own_card(found) or None,
        "resourceGroup": found.group,
        "region": found.region,
        "paused": found.stage == "PAUSED" and not found.is_guarded,
    }
    return {name: value for name, value in told.items() if value is not None}


def own_card(found: Record) -> dict[str, Any]:
    """The card without what is written there by itself."""
    title = found.id.partition("/")[2]
    card = {key: value for key, value in found.card.items() if key != "sdk"}
    return {key: value for key, value in card.items() if (key, value) != ("title", title)}


def volumes(given: Any) -> list[dict[str, Any]]:
    """Volumes in one form, whoever tells them: repositories are always read only."""
    return [_volume(one) for one in given]


def _volume(one: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in one.items() if value is not None}
    if plain.get("type") != "bucket" or not plain.get("readOnly"):
        plain.pop("readOnly", None)
    if plain.get("revision") == "main":
        plain.pop("revision")
    return plain


def local_files(inputs: State) -> repo_files.Local | None:
    """The files that it is to have; None where none are declared."""
    if not repo_files.is_given(inputs):
        return None
    card = {"title": inputs["name"], **inputs.get("card", {}), "sdk": inputs["sdk"]}
    return repo_files.with_card(repo_files.gather(inputs), card, inputs["name"])


def files_between(inputs: State, found: Record) -> Difference:
    """What has to be pushed."""
    local = local_files(inputs)
    return Difference() if local is None else repo_files.between(local, found.files)


def drift(inputs: State, state: State, found: Record) -> str | None:
    """Field by field what is otherwise than declared; neither its sleep nor the guard's pause."""
    return "; ".join(_differences(inputs, state, found)) or None


def _differences(inputs: State, state: State, found: Record) -> Iterator[str]:
    if not found.is_visible_as(inputs["visibility"]):
        seen = found.visibility or ("private" if found.is_private else "public")
        yield f"visibility: {seen} instead of {inputs['visibility']}"
    if found.hardware != inputs["hardware"]:
        yield f"hardware: {found.hardware} instead of {inputs['hardware']}"
    if inputs.get("sleepSeconds") not in (None, found.sleep_s):
        yield f"sleepSeconds: {found.sleep_s} instead of {inputs['sleepSeconds']}"
    yield from _entries("variables", inputs.get("variables", {}), found.own_variables)
    if found.mark is None and not state.get("isImported"):
        yield f"variables: {OWNER} is missing, which says whose it is"
    if volumes(inputs.get("volumes", ())) != volumes(found.runtime.get("volumes") or ()):
        yield "volumes: others are mounted"
    if "resourceGroup" in inputs and found.group != inputs["resourceGroup"]:
        yield f"resourceGroup: {found.group or 'none'} instead of {inputs['resourceGroup']}"
    yield from _secrets(inputs, state, found)
    yield from _files(inputs, found)
    yield from _standing(inputs, found)


def _files(inputs: State, found: Record) -> Iterator[str]:
    """Files that cannot be read here are told so; what is there can be looked at all the same."""
    try:
        difference = files_between(inputs, found)
    except MoorageError as error:
        yield f"files: {error}"
        return
    if difference:
        yield f"files: it {difference}"


def _entries(name: str, wanted: Mapping[str, str], have: Mapping[str, str]) -> Iterator[str]:
    """The values are public, and still none is shown: people put anything there."""
    for key in sorted(wanted.keys() | have.keys()):
        if key not in have:
            yield f"{name}: {key} is missing"
        elif key not in wanted:
            yield f"{name}: {key} was added"
        elif wanted[key] != have[key]:
            yield f"{name}: {key} was changed"


def _secrets(inputs: State, state: State, found: Record) -> Iterator[str]:
    recorded = state.get("secretsSetAt") or {}
    for key in sorted(inputs.get("secrets", {})):
        set_at = found.secrets_set_at.get(key)
        if set_at is None:
            yield f"secrets: {key} is missing"
        elif key in recorded and recorded[key] != set_at:
            yield f"secrets: {key} was set by somebody else"


def _standing(inputs: State, found: Record) -> Iterator[str]:
    is_paused = found.stage == "PAUSED"
    if is_paused and not inputs["paused"] and not found.is_guarded:
        yield "paused: somebody has paused it"
    if inputs["paused"] and not is_paused:
        yield "paused: somebody has started it"
    if found.stage in BROKEN and not inputs["paused"]:
        yield f"stage: it is {found.stage}"
