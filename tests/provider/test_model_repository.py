"""ModelRepository: its card says whose it is, changes wait for others when they shall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.check import check, with_defaults
from moorage.provider.handler import Context, Created, State
from moorage.provider.hugging_face.repositories import model_repository, repo_files
from moorage.provider.hugging_face.repositories.model_repository import SHAPE
from moorage.provider.testing.stage import is_one_line
from moorage.twin import face
from tests.provider.spaces import api, hurried

NewContext = Callable[..., Context]
ID = "acme/tuned"


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    with hurried(monkeypatch) as running:
        yield running


def declared(**said: Any) -> State:
    given = {"name": "tuned", "namespace": "acme", "owner": "p/s/tuned", "license": "mit"}
    merged = {key: value for key, value in {**given, **said}.items() if value is not None}
    filled, failures = check(SHAPE.inputs, merged)
    assert not failures, failures
    assert not model_repository.HANDLER.check(filled)
    return with_defaults(SHAPE.inputs, merged)


def failing(call: Callable[[], Any]) -> str:
    with pytest.raises(MoorageError) as failed:
        call()
    is_one_line(str(failed.value))
    return str(failed.value)


def text(twin: face.Twin, path: str = "README.md", key: str = ID) -> str:
    blob = twin.hub.repos[key].blobs[path]
    return b"".join(blob.chunks(0, blob.size)).decode()


def commits(twin: face.Twin) -> int:
    return sum("/commit/" in one.path for one in twin.requests)


def test_it_is_never_there_without_its_card(twin: face.Twin, context: NewContext) -> None:
    inputs = declared(card={"base_model": "Qwen/Qwen3-8B", "tags": ["a", "b"]})
    model_repository.create(inputs, context())
    assert text(twin) == (
        '---\nbase_model: "Qwen/Qwen3-8B"\nlicense: "mit"\nmoorage_owner: "p/s/tuned"\n'
        'tags: ["a", "b"]\n---\n\n# tuned\n'
    )
    assert not commits(twin)


def test_a_hub_that_takes_no_files_at_creation_is_told_right_after(
    twin: face.Twin, context: NewContext
) -> None:
    twin.hub.desk.ignores_files = True
    model_repository.create(declared(changesBy="pull-request"), context())
    assert "moorage_owner" in text(twin)
    assert commits(twin) == 1


def test_a_readme_that_nobody_declares_keeps_its_text(twin: face.Twin, context: NewContext) -> None:
    state = model_repository.create(declared(), context()).state
    written = "---\nlicense: mit\nmoorage_owner: p/s/tuned\nlanguage: en\n---\n# Ours\nlong text\n"
    api(twin).upload_file(path_or_fileobj=written.encode(), path_in_repo="README.md", repo_id=ID)
    inputs = declared()
    found = model_repository.read(ID, state, inputs, context())
    assert found is not None
    assert found.state["drift"] is None
    model_repository.update(ID, state, declared(license="apache-2.0"), context())
    assert text(twin) == (
        '---\nlicense: "apache-2.0"\nmoorage_owner: "p/s/tuned"\nlanguage: en\n---\n'
        "# Ours\nlong text\n"
    )


def test_a_change_waits_as_a_pull_request_that_is_kept_up_to_date(
    twin: face.Twin, context: NewContext
) -> None:
    files = {"config.json": "{}"}
    state = model_repository.create(declared(files=files), context()).state
    before = twin.hub.commit(ID)
    wanted = declared(files={"config.json": '{"n": 1}'}, changesBy="pull-request")
    state = model_repository.update(ID, state, wanted, context())
    assert state["pullRequest"] == f"{twin.hub.url}/{ID}/discussions/1"
    assert twin.hub.commit(ID) == before
    found = model_repository.read(ID, state, wanted, context())
    assert found is not None
    assert found.state["drift"] is None, "what waits for others is no drift"
    made = commits(twin)
    model_repository.update(ID, state, wanted, context())
    assert commits(twin) == made
    wanted = declared(files={"config.json": '{"n": 2}'}, changesBy="pull-request")
    state = model_repository.update(ID, state, wanted, context())
    assert len(twin.hub.desk.talks[ID]) == 1, "a second pull request was opened"
    others: Any = api(twin)
    others.merge_pull_request(ID, 1)
    assert text(twin, "config.json") == '{"n": 2}'
    state = model_repository.update(ID, state, wanted, context())
    assert not state["pullRequest"]


def test_what_others_changed_is_named_and_brought_back(
    twin: face.Twin, context: NewContext
) -> None:
    inputs = declared(files={"config.json": "{}"})
    state = model_repository.create(inputs, context()).state
    others = api(twin)
    others.update_repo_settings(ID, visibility="public")
    others.upload_file(path_or_fileobj=b"x", path_in_repo="more.bin.txt", repo_id=ID)
    found = model_repository.read(ID, state, inputs, context())
    assert found is not None
    expected = "visibility: public instead of private; files: it has also more.bin.txt"
    assert found.state["drift"] == expected
    model_repository.update(ID, state, inputs, context())
    found = model_repository.read(ID, state, inputs, context())
    assert found is not None
    assert found.state["drift"] is None


def test_the_repository_of_somebody_else_is_refused(twin: face.Twin, context: NewContext) -> None:
    api(twin).create_repo(ID, private=True)
    message = failing(lambda: model_repository.create(declared(), context()))
    assert "was not made by moorage; choose another name, or import it" in message
    assert "moorage_owner" not in str(twin.hub.repos[ID].blobs.keys())


def test_an_imported_one_is_marked_by_the_first_change_and_keeps_its_files(
    twin: face.Twin, context: NewContext
) -> None:
    others = api(twin)
    others.create_repo(ID, private=True)
    others.upload_file(path_or_fileobj=b"years of work", path_in_repo="thesis.tex", repo_id=ID)
    found = model_repository.read(ID, {}, {}, context())
    assert found is not None
    assert found.state["isImported"]
    inputs = with_defaults(SHAPE.inputs, {**found.inputs, "owner": "p/s/tuned"})
    state = model_repository.update(ID, found.state, inputs, context())
    assert text(twin, "thesis.tex") == "years of work"
    model_repository.delete(ID, state, context())
    assert not twin.hub.repos


def test_an_entry_of_the_card_that_is_declared_no_more_is_taken_away(
    twin: face.Twin, context: NewContext
) -> None:
    inputs = declared(card={"base_model": "Qwen/Qwen3-8B", "language": "en"})
    state = model_repository.create(inputs, context()).state
    others = text(twin).replace("---\n", "---\nthumbnail: theirs.png\n", 1).encode()
    api(twin).upload_file(path_or_fileobj=others, path_in_repo="README.md", repo_id=ID)
    fewer = declared(card={"language": "en"}, license=None)
    twin.faults.append(face.Fault(method="POST", path="/commit/main", status=403))
    said: list[Created] = []
    failing(lambda: model_repository.update(ID, state, fewer, context(announce=said.append)))
    assert not said, "state would say that it is done"
    state = model_repository.update(ID, state, fewer, context())
    readme = text(twin)
    assert "base_model" not in readme
    assert "license" not in readme
    assert "thumbnail: theirs.png" in readme, "what nobody declares stays"
    before = commits(twin)
    model_repository.update(ID, state, fewer, context())
    assert commits(twin) == before


def test_one_that_is_not_ours_any_more_is_left_with_a_word(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    state = model_repository.create(declared(), context()).state
    card = b"---\nmoorage_owner: them/s/tuned\n---\n"
    api(twin).upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=ID)
    model_repository.delete(ID, state, context())
    assert ID in twin.hub.repos
    assert lines[-1] == "model acme/tuned belongs to them/s/tuned and is left as it is"


@pytest.mark.parametrize("changes_by", ["commit", "pull-request"])
def test_a_card_that_somebody_overwrote_does_not_make_it_a_strangers(
    twin: face.Twin, context: NewContext, changes_by: str
) -> None:
    """As every training script does that pushes a card of its own."""
    inputs = declared(changesBy=changes_by)
    state = model_repository.create(inputs, context()).state
    api(twin).upload_file(path_or_fileobj=b"# Theirs\n", path_in_repo="README.md", repo_id=ID)
    found = model_repository.read(ID, state, inputs, context())
    assert found is not None
    assert "moorage_owner" in found.state["drift"]
    state = model_repository.update(ID, found.state, inputs, context())
    if changes_by == "commit":
        assert "moorage_owner" in text(twin)
    else:
        assert text(twin) == "# Theirs\n", "it is for others to merge"
        assert state["pullRequest"].endswith("/discussions/1")
        found = model_repository.read(ID, state, inputs, context())
        assert found is not None
        assert found.state["drift"] is None
    assert "# Theirs" in text(twin)
    model_repository.delete(ID, state, context())
    assert ID not in twin.hub.repos


def test_one_that_was_made_anew_without_a_mark_is_left_with_a_word(
    twin: face.Twin, context: NewContext, lines: list[str]
) -> None:
    state = model_repository.create(declared(), context()).state
    api(twin).delete_repo(ID)
    api(twin).create_repo(ID)
    assert model_repository.read(ID, state, declared(), context()) is None
    model_repository.delete(ID, state, context())
    assert ID in twin.hub.repos
    assert lines[-1] == "model acme/tuned was not made by moorage and is left as it is"


def test_a_token_without_rights_is_one_line(
    twin: face.Twin, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_twin_zoe")
    message = failing(lambda: model_repository.create(declared(), context()))
    assert "give the token of HF_TOKEN the permission repo.write for acme" in message


def test_entries_with_inputs_of_their_own_are_refused_in_the_card() -> None:
    inputs = {"card": {"license": "mit", "moorage_owner": "me", "tags": []}}
    reasons = [failure.reason for failure in model_repository.HANDLER.check(inputs)]
    assert [reason.partition(" ")[0] for reason in reasons] == ["license", "moorage_owner"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "---\na: 1\n---\n"),
        ("# Hello\n", "---\na: 1\n---\n\n# Hello\n"),
        ("---\na: 2\nb:\n- x\n---\n# Hello\n", "---\na: 1\nb:\n- x\n---\n# Hello\n"),
        ("---\na:\n- x\n- y\nb: 3\n---\n", "---\na: 1\nb: 3\n---\n"),
        ('---\n"a": 2\n---\nx\n', "---\na: 1\n---\nx\n"),
        ("---\nnever closed\n", "---\na: 1\n---\n\n---\nnever closed\n"),
    ],
)
def test_a_card_is_put_into_a_readme_as_it_is(before: str, after: str) -> None:
    assert repo_files.carded(before, {"a": 1}) == after


KINDS = (400, 401, 403, 404, 409, 412, 422, 429, 500, 503, 504, "drop", "garbage")
_MOST_REQUESTS = 60


@pytest.mark.parametrize(
    "kind", ["lose", *(pytest.param(one, marks=pytest.mark.thorough) for one in KINDS)]
)
def test_any_fault_at_any_call_ends_well_or_in_one_line_and_the_next_run_mends_it(
    twin: face.Twin, context: NewContext, kind: int | str
) -> None:
    """Every request of a create, of an update by a pull request, and of a delete."""
    inputs = declared(files={"a.txt": "1"})
    changed = declared(files={"a.txt": "2"}, visibility="public")
    for step in range(_MOST_REQUESTS):
        does = {"does": "answer", "status": kind} if isinstance(kind, int) else {"does": kind}
        twin.faults.append(face.Fault(after=step, **does))
        if _whole_life(twin, context, inputs, changed):
            return
    pytest.fail(f"a whole life has more than {_MOST_REQUESTS} requests")


def _whole_life(twin: face.Twin, context: NewContext, inputs: State, changed: State) -> bool:
    said: list[Created] = []
    state = _tried(lambda: model_repository.create(inputs, context(announce=said.append)).state)
    if state is None:
        state = model_repository.create(inputs, context()).state
    after = _tried(lambda: model_repository.update(ID, state, changed, context()))
    if after is None:
        after = model_repository.update(ID, state, changed, context())
    assert text(twin, "a.txt") == "2"
    assert twin.hub.repos[ID].repo.visibility == "public"
    _tried(lambda: model_repository.delete(ID, after, context()))
    is_through = len(twin.faults) == 1
    twin.faults.clear()
    model_repository.delete(ID, after, context())
    assert not twin.hub.repos
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
