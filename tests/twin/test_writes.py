"""The twin's Hub is written to by the real client as the Hub would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RepositoryNotFoundError

from moorage.twin import face

ANN, ZOE, NARROW = "hf_twin_ann", "hf_twin_zoe", "hf_twin_narrow"
ID = "acme/tuned"


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[face.Twin]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the twin keeps no Xet storage
    with face.serve() as running:
        running.hub.desk.groups = {"acme": {"g1": "support"}}
        yield running


@pytest.fixture
def api(twin: face.Twin) -> HfApi:
    return HfApi(endpoint=twin.hub.url, token=ANN)


def text(twin: face.Twin, path: str, key: str = ID) -> bytes:
    blob = twin.hub.repos[key].blobs[path]
    return b"".join(blob.chunks(0, blob.size))


def put(path: str, content: bytes) -> CommitOperationAdd:
    return CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the library's own upload
def test_what_is_committed_is_read_back(twin: face.Twin, api: HfApi) -> None:
    api.create_repo(ID, private=True)
    weights = b"GGUF" + bytes(5000)
    files = [put("config.json", b"{}"), put("in/a.txt", b"a"), put("w.gguf", weights)]
    told = api.create_commit(ID, operations=files, commit_message="Add")
    info = api.model_info(ID, files_metadata=True)
    assert info.sha == told.oid
    assert info.private
    by_path = {one.rfilename: one for one in info.siblings or ()}
    large = by_path["w.gguf"].lfs
    assert large is not None
    assert large.size == len(weights)
    assert text(twin, "in/a.txt") == b"a"
    tree = api.list_repo_tree(ID, recursive=True)
    assert {one.path for one in tree} == {*by_path}
    assert [one.path for one in api.list_repo_tree(ID)] == [
        "in",
        ".gitattributes",
        "config.json",
        "w.gguf",
    ]
    [one] = api.get_paths_info(ID, ["in/a.txt", "nowhere"])
    assert one.path == "in/a.txt"
    gone = [CommitOperationDelete(path_in_repo="in/", is_folder=True)]
    api.create_commit(ID, operations=gone, commit_message="Remove")
    assert "in/a.txt" not in twin.hub.repos[ID].blobs
    assert api.hf_hub_download(ID, "config.json", revision=told.oid)


def test_a_commit_on_another_parent_is_refused(twin: face.Twin, api: HfApi) -> None:
    api.create_repo(ID)
    first = twin.hub.commit(ID)
    api.create_commit(ID, operations=[put("a", b"1")], commit_message="One", parent_commit=first)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as refused:
        api.create_commit(
            ID, operations=[put("a", b"2")], commit_message="Two", parent_commit=first
        )
    assert refused.value.response.status_code == 412
    assert text(twin, "a") == b"1"


def test_the_card_is_told_as_data(api: HfApi) -> None:
    api.create_repo(ID)
    readme = b"---\nlicense: mit\ntags: [a, b]\nmoorage_owner: p/s/x\n---\n# Tuned\n"
    api.create_commit(ID, operations=[put("README.md", readme)], commit_message="Card")
    info = api.model_info(ID)
    card: Any = info.card_data
    assert card.to_dict() == {
        "license": "mit",
        "tags": ["a", "b"],
        "moorage_owner": "p/s/x",
    }
    assert "license:mit" in (info.tags or ())


def test_a_pull_request_waits_and_is_merged(twin: face.Twin, api: HfApi) -> None:
    api.create_repo(ID)
    told = api.create_commit(
        ID, operations=[put("a", b"1")], commit_message="Change it", create_pr=True
    )
    assert told.pr_num == 1
    assert "a" not in twin.hub.repos[ID].blobs
    [talk] = api.get_repo_discussions(ID, discussion_type="pull_request", discussion_status="open")
    assert (talk.num, talk.title, talk.is_pull_request) == (1, "Change it", True)
    info = api.model_info(ID, revision="refs/pr/1")
    assert "a" in {one.rfilename for one in info.siblings or ()}
    api.comment_discussion(ID, 1, "fine")
    api.merge_pull_request(ID, 1)
    assert text(twin, "a") == b"1"
    assert api.get_discussion_details(ID, 1).status == "merged"
    assert not list(api.get_repo_discussions(ID, discussion_status="open"))


def test_a_discussion_is_opened_and_closed(api: HfApi) -> None:
    api.create_repo(ID)
    whole: Any = api  # some of its calls have no types
    talk = whole.create_discussion(ID, "Why?", description="Tell me")
    assert not talk.is_pull_request
    assert whole.change_discussion_status(ID, talk.num, "closed").new_status == "closed"


def test_who_may_not_write_is_refused(twin: face.Twin, api: HfApi) -> None:
    api.create_repo(ID)
    for token in (ZOE, NARROW):
        other = HfApi(endpoint=twin.hub.url, token=token)
        for call in (
            lambda other=other: other.create_repo("acme/more"),
            lambda other=other: other.create_commit(
                ID, operations=[put("a", b"1")], commit_message="x"
            ),
            lambda other=other: other.delete_repo(ID),
        ):
            with pytest.raises(HfHubHTTPError) as refused:
                call()  # type: ignore[no-untyped-call]
            assert refused.value.response.status_code == 403


def test_what_exists_and_what_has_no_good_name_is_refused(api: HfApi) -> None:
    api.create_repo(ID)
    with pytest.raises(HfHubHTTPError, match="You already created this model repo") as refused:
        api.create_repo(ID)
    assert refused.value.response.status_code == 409
    with pytest.raises(BadRequestError, match="Resource group"):
        api.create_repo("acme/more", resource_group_id="nobody's")


def test_a_repository_is_in_its_resource_group(api: HfApi) -> None:
    api.create_repo(ID, resource_group_id="g1")
    assert (api.model_info(ID).resource_group or {})["id"] == "g1"


def test_a_deleted_one_is_gone(api: HfApi) -> None:
    api.create_repo(ID, repo_type="dataset")
    api.delete_repo(ID, repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info(ID)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo(ID, repo_type="dataset")


def test_a_collection_has_items_in_order_with_notes(api: HfApi) -> None:
    for name in ("one", "two"):
        api.create_repo(f"acme/{name}")
    made = api.create_collection("What answers", namespace="acme", description="All of it")
    api.add_collection_item(made.slug, "acme/one", "model", note="first")
    told = api.add_collection_item(made.slug, "acme/two", "model")
    with pytest.raises(HfHubHTTPError) as refused:
        api.add_collection_item(made.slug, "acme/two", "model")
    assert refused.value.response.status_code == 409
    api.update_collection_item(made.slug, told.items[1].item_object_id, position=0, note="now")
    found = api.get_collection(made.slug)
    assert [(one.item_id, one.note) for one in found.items] == [
        ("acme/two", "now"),
        ("acme/one", "first"),
    ]
    api.delete_collection_item(made.slug, found.items[0].item_object_id)
    assert [one.title for one in api.list_collections(owner="acme")] == ["What answers"]
    again = api.create_collection("What answers", namespace="acme", exists_ok=True)
    assert again.slug == made.slug
    api.update_collection_metadata(made.slug, private=True, description="Less of it")
    assert api.get_collection(made.slug).description == "Less of it"
    api.delete_collection(made.slug)
    assert not list(api.list_collections(owner="acme"))


def test_a_private_collection_is_shown_to_members_only(twin: face.Twin, api: HfApi) -> None:
    made = api.create_collection("Ours", namespace="acme", private=True)
    other = HfApi(endpoint=twin.hub.url, token=ZOE)
    with pytest.raises(HfHubHTTPError) as refused:
        other.get_collection(made.slug)
    assert refused.value.response.status_code == 404
