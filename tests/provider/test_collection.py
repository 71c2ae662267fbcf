"""Collection: its items in order with their notes, one per title, and nobody else's taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.check import check, with_defaults
from moorage.provider.handler import Context, State
from moorage.provider.hugging_face.repositories import collection
from moorage.provider.hugging_face.repositories.collection_record import marked
from moorage.provider.hugging_face.repositories.collection_shape import SHAPE
from moorage.provider.testing.stage import is_one_line
from moorage.twin import face
from tests.provider.spaces import api, hurried

NewContext = Callable[..., Context]
NAMES = ("one", "two", "three", "four")


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    repos = {f"acme/{name}": face.Repo() for name in NAMES}
    with hurried(monkeypatch, face.Scenario(repos=repos)) as running:
        yield running


def items(*names: str, **notes: str) -> list[dict[str, str]]:
    return [
        {"type": "model", "id": f"acme/{name}", **({"note": notes[name]} if name in notes else {})}
        for name in names
    ]


def declared(**said: Any) -> State:
    given = {"title": "Answers", "namespace": "acme", "owner": "p/s/answers"}
    filled, failures = check(SHAPE.inputs, {**given, **said})
    assert not failures, failures
    assert not collection.HANDLER.check(filled)
    return with_defaults(SHAPE.inputs, filled)


def failing(call: Callable[[], Any]) -> str:
    with pytest.raises(MoorageError) as failed:
        call()
    is_one_line(str(failed.value))
    return str(failed.value)


def held(twin: face.Twin) -> list[tuple[str, str]]:
    [only] = twin.hub.desk.collections.values()
    return [(one["id"][5:], one.get("note", {}).get("text", "")) for one in only["items"]]


@pytest.mark.parametrize(
    "wanted",
    [
        items("one", "two", "three", one="best"),
        items("three", "two", "one"),
        items("four", "one", four="new"),
        items("two"),
        [],
        items("four", "three", "two", "one", two="x", three="y"),
    ],
)
def test_items_become_as_declared_in_order_with_notes(
    twin: face.Twin, context: NewContext, wanted: list[dict[str, str]]
) -> None:
    begun = declared(items=items("one", "two", "three", two="old"))
    made = collection.create(begun, context())
    collection.update(made.id, made.state, declared(items=wanted), context())
    assert held(twin) == [(one["id"][5:], one.get("note", "")) for one in wanted]


def test_what_others_changed_is_named_and_brought_back(
    twin: face.Twin, context: NewContext
) -> None:
    inputs = declared(items=items("one", "two", one="best"), description="Of the team")
    made = collection.create(inputs, context())
    others = api(twin)

    def drift() -> Any:
        found = collection.read(made.id, made.state, inputs, context())
        assert found is not None
        return found.state["drift"]

    assert drift() is None
    others.add_collection_item(made.id, "acme/three", "model")
    assert drift() == "items: acme/three was added"
    first = others.get_collection(made.id).items[0].item_object_id
    others.delete_collection_item(made.id, first)
    assert drift() == "items: acme/one is missing; items: acme/three was added"
    collection.update(made.id, made.state, inputs, context())
    assert drift() is None
    last = others.get_collection(made.id).items[1].item_object_id
    others.update_collection_item(made.id, last, position=0)
    assert drift() == "items: their order is another"
    collection.update(made.id, made.state, inputs, context())
    others.update_collection_item(made.id, last, note="mine")
    others.update_collection_metadata(made.id, private=False)
    expected = "visibility: public instead of private; items: their notes is another"
    assert drift() == expected
    collection.update(made.id, made.state, inputs, context())
    assert drift() is None


def test_the_collection_of_somebody_else_is_refused(twin: face.Twin, context: NewContext) -> None:
    api(twin).create_collection("Answers", namespace="acme", description="mine")
    message = failing(lambda: collection.create(declared(), context()))
    assert "has this title already and was not made by moorage" in message
    [only] = twin.hub.desk.collections.values()
    assert only["description"] == "mine"


def test_an_imported_one_keeps_what_is_said_of_it(twin: face.Twin, context: NewContext) -> None:
    others = api(twin)
    made = others.create_collection("Answers", namespace="acme", description="mine")
    others.add_collection_item(made.slug, "acme/one", "model", note="first")
    found = collection.read(made.slug, {}, {}, context())
    assert found is not None
    assert found.state["isImported"]
    inputs = with_defaults(SHAPE.inputs, {**found.inputs, "owner": "p/s/answers"})
    state = collection.update(made.slug, found.state, inputs, context())
    assert held(twin) == [("one", "first")]
    [only] = twin.hub.desk.collections.values()
    assert only["description"].startswith("mine [moorage ")
    collection.delete(made.slug, state, context())
    assert not twin.hub.desk.collections


def test_it_cannot_move_to_another_account(twin: face.Twin, context: NewContext) -> None:
    made = collection.create(declared(), context())
    elsewhere = declared(namespace="ann")
    message = failing(lambda: collection.update(made.id, made.state, elsewhere, context()))
    assert message.endswith("cannot move to ann; declare it by another name")


def test_one_that_is_not_ours_any_more_is_left_with_a_word(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    made = collection.create(declared(), context())
    api(twin).update_collection_metadata(made.id, description=marked("", "them/s/answers"))
    collection.delete(made.id, made.state, context())
    assert twin.hub.desk.collections
    assert lines[-1] == f"collection {made.id} belongs to another stack and is left as it is"


@pytest.mark.parametrize("blanks", [" nice words", "nice words\n", "  "])
def test_blanks_around_a_description_are_no_drift(
    twin: face.Twin, context: NewContext, blanks: str
) -> None:
    wanted = {**declared(), "description": blanks}
    made = collection.create(wanted, context())
    found = collection.read(made.id, made.state, wanted, context())
    assert found is not None
    assert found.state["drift"] is None
    collection.delete(made.id, made.state, context())


def test_one_whose_description_somebody_wrote_anew_is_ours_all_the_same(
    twin: face.Twin, context: NewContext
) -> None:
    made = collection.create(declared(), context())
    api(twin).update_collection_metadata(made.id, description="nicer words")
    found = collection.read(made.id, made.state, declared(), context())
    assert found is not None
    assert "it has lost the mark" in found.state["drift"]
    state = collection.update(made.id, found.state, declared(), context())
    found = collection.read(made.id, state, declared(), context())
    assert found is not None
    assert found.state["drift"] is None
    collection.delete(made.id, state, context())
    assert not twin.hub.desk.collections


def test_an_item_that_is_not_there_is_one_line(twin: face.Twin, context: NewContext) -> None:
    message = failing(lambda: collection.create(declared(items=items("nobody")), context()))
    assert "acme/nobody does not exist" in message


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"items": items("one", "one")}, "stands there twice"),
        ({"description": "x" * 128}, "may have 127"),
        ({"title": "x" * 61}, "may have 60"),
        ({"items": [{"type": "poem", "id": "a/b"}]}, "must be one of model, dataset"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    said: dict[str, Any], reason: str
) -> None:
    filled, failures = check(SHAPE.inputs, {"title": "Answers", **said})
    failures = failures or collection.HANDLER.check(filled)
    assert reason in "; ".join(failure.reason for failure in failures)


KINDS = (400, 401, 403, 404, 409, 422, 429, 500, 503, 504, "drop", "garbage")
_MOST_REQUESTS = 60


@pytest.mark.parametrize(
    "kind", ["lose", *(pytest.param(one, marks=pytest.mark.thorough) for one in KINDS)]
)
def test_any_fault_at_any_call_ends_well_or_in_one_line_and_the_next_run_mends_it(
    twin: face.Twin, context: NewContext, kind: int | str
) -> None:
    """Every request of a create, of an update, and of a delete."""
    for step in range(_MOST_REQUESTS):
        does = {"does": "answer", "status": kind} if isinstance(kind, int) else {"does": kind}
        twin.faults.append(face.Fault(after=step, **does))
        if _whole_life(twin, context):
            return
    pytest.fail(f"a whole life has more than {_MOST_REQUESTS} requests")


def _whole_life(twin: face.Twin, context: NewContext) -> bool:
    inputs = declared(items=items("one", "two", one="best"))
    changed = declared(items=items("three", "two", two="old"), visibility="public")
    made = _tried(lambda: collection.create(inputs, context()))
    made = made or collection.create(inputs, context())
    after = _tried(lambda: collection.update(made.id, made.state, changed, context()))
    after = after or collection.update(made.id, made.state, changed, context())
    assert held(twin) == [("three", ""), ("two", "old")]
    _tried(lambda: collection.delete(made.id, after, context()))
    is_through = len(twin.faults) == 1
    twin.faults.clear()
    collection.delete(made.id, after, context())
    assert not twin.hub.desk.collections
    return is_through


def _tried(call: Callable[[], Any]) -> Any:
    """What a call gives; None where it fails, in one line."""
    try:
        return call()
    except MoorageError as error:
        message = str(error)
    is_one_line(message)
    assert "hf_twin_ann" not in message
    return None
