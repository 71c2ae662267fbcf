"""Folders and buckets keep the same promises: what changed meanwhile is never overwritten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.deploy.locking import leases, owners
from moorage.deploy.locking.leases import Holder, Lease
from moorage.deploy.stored import backends
from moorage.deploy.stored.stores import Folder, Store, refusals
from moorage.errors import Exit, MoorageError
from tests.deploy import s3

KEY = ".moorage/leases/demo/local.json"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3.a_server() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**s3.KEYS, **s3.NO_LOGIN}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> Store:
    if request.param == "folder":
        return Folder(tmp_path)
    name = f"stores-{abs(hash(request.node.name))}"
    found = backends.store(s3.a_bucket(server, name).url)
    assert found is not None
    return found


def test_what_is_there_is_not_put_twice(store: Store) -> None:
    assert store.read(KEY) is None
    assert store.create(KEY, "one")
    assert not store.create(KEY, "two")
    entry = store.read(KEY)
    assert entry is not None
    assert entry.text == "one"
    assert store.keys(".moorage/leases/demo") == [KEY]


def test_what_changed_meanwhile_stays(store: Store) -> None:
    assert store.create(KEY, "one")
    old = store.read(KEY)
    assert old is not None
    assert store.touch(old)
    assert store.replace(old, "two")
    assert not store.touch(old)
    assert not store.replace(old, "three")
    store.remove(old)
    new = store.read(KEY)
    assert new is not None
    assert new.text == "two"
    store.remove(new)
    assert store.read(KEY) is None
    assert not store.touch(new)
    assert not store.replace(new, "four")


def test_of_many_at_once_one_gets_the_lease(store: Store, tmp_path: Path) -> None:
    got: list[Lease | Holder] = []
    start = threading.Barrier(8)

    def run() -> None:
        me = owners.here("moorage up", tmp_path)
        start.wait()
        got.append(leases.take(store, KEY, me, lambda _: None, None))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [one for one in got if isinstance(one, Lease)]
    assert len(held) == 1
    assert len(got) == 8
    held[0].give_up()
    assert store.read(KEY) is None


def test_a_folder_keeps_nothing_of_ours_when_nothing_is_held(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    lease = leases.take(store, KEY, owners.here("moorage up", tmp_path), lambda _: None, None)
    assert isinstance(lease, Lease)
    lease.give_up()
    assert not list(tmp_path.iterdir())


def test_a_beat_that_the_disk_refuses_is_told_as_such(tmp_path: Path) -> None:
    """The beats go on in a thread: what is no fault of ours would end them."""
    store = Folder(tmp_path)
    assert store.create(KEY, "a lease")
    entry = store.read(KEY)
    assert entry is not None
    (tmp_path / KEY).unlink()
    (tmp_path / KEY).mkdir()
    with pytest.raises(MoorageError, match="cannot be written"):
        store.touch(entry)


def test_a_full_disk_is_told_and_what_is_not_the_disks_fault_is_left(tmp_path: Path) -> None:
    with (
        pytest.raises(MoorageError, match=r"the disk is full: free some space"),
        refusals(tmp_path),
    ):
        Path("/dev/full").write_text("anything")
    with pytest.raises(FileNotFoundError), refusals(tmp_path):
        (tmp_path / "missing").read_text()


def faulty(url: str) -> str:
    with pytest.raises(MoorageError) as fault:
        assert (found := backends.store(url)) is None or found.keys(".pulumi")
    assert fault.value.exit_code == Exit.NEEDS_PERSON
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_a_bucket_that_is_missing_is_told(server: str) -> None:
    url = s3.Bucket(name="nowhere", endpoint=server, client=None).url
    assert faulty(url).startswith(f"the bucket of the state, s3://nowhere at {server}, does not")


def test_missing_credentials_are_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in s3.KEYS:
        monkeypatch.delenv(name)
    url = s3.Bucket(name="there", endpoint=server, client=None).url
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE" in faulty(url)


def test_a_server_that_does_not_answer_is_told() -> None:
    url = s3.Bucket(name="there", endpoint="http://127.0.0.1:1", client=None).url
    assert "s3://there at http://127.0.0.1:1 cannot be reached: nothing answers" in faulty(url)


def test_a_backend_with_options_that_only_pulumi_knows_is_left_to_it(server: str) -> None:
    url = s3.Bucket(name="there", endpoint=server, client=None).url
    assert backends.store(f"{url}&role=arn:aws:iam::1:role/x") is None
    assert backends.store("gs://states") is None


def test_a_folder_that_somebody_named_must_be_there(tmp_path: Path) -> None:
    url = backends.normal(f"file://{tmp_path}/not mounted", tmp_path)
    with pytest.raises(MoorageError, match="does not exist: mount or create it"):
        backends.check(url, tmp_path / "checkout")
    (tmp_path / "not mounted").write_text("")
    with pytest.raises(MoorageError, match="is no folder"):
        backends.check(url, tmp_path / "checkout")


def test_pulumi_cloud_needs_a_login_or_a_token(tmp_path: Path) -> None:
    url = "https://api.pulumi.com"
    environ = {"PULUMI_HOME": str(tmp_path)}
    with pytest.raises(MoorageError) as fault:
        backends.check(url, tmp_path, environ)
    assert str(fault.value) == (
        "no login for https://api.pulumi.com: run `pulumi login https://api.pulumi.com`, "
        "or set PULUMI_ACCESS_TOKEN"
    )
    backends.check(url, tmp_path, {**environ, "PULUMI_ACCESS_TOKEN": "pul-1"})
    (tmp_path / "credentials.json").write_text('{"accounts": {"https://api.pulumi.com": {}}}')
    backends.check(url, tmp_path, environ)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("file://state", "file:///root of it/state"),
        ("file://./a/../state", "file:///root of it/state"),
        ("file:///mnt/team%20state", "file:///mnt/team state"),
        ("file:///mnt/s?metadata=skip", "file:///mnt/s?metadata=skip"),
        ("s3://b/team?region=x", "s3://b/team?region=x"),
        ("https://api.pulumi.com/", "https://api.pulumi.com"),
    ],
)
def test_a_backend_is_named_in_full(named: str, expected: str) -> None:
    assert backends.normal(named, Path("/root of it")) == expected


def test_what_is_no_backend_is_told(tmp_path: Path) -> None:
    with pytest.raises(MoorageError, match="is no backend that Pulumi knows"):
        backends.normal("/mnt/state", tmp_path)


def test_no_secret_of_a_url_is_shown() -> None:
    assert (
        backends.shown("https://me:pass@cloud.example/org?token=x") == "https://cloud.example/org"
    )
