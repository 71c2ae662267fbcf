"""The place of a stack's runs: the checkout stays clean, settings are read, secrets stay shut."""

from __future__ import annotations

import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from moorage.deploy import place
from moorage.errors import Exit, MoorageError

PLUGIN = (sys.executable, "-c", "import sys; print(sys.argv[1:])")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULUMI_BACKEND_URL", place.PASSPHRASE, place.PASSPHRASE_FILE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a check out"
    (folder / "stacks").mkdir(parents=True)
    manifest = {
        "name": "demo",
        "main": "stacks",
        "stackConfigDir": "stacks",
        "runtime": {"name": "python", "options": {"virtualenv": ".venv"}},
        "plugins": {
            "providers": [
                {"name": "moorage", "path": "tools/plugin"},
                {"name": "docker", "path": "tools/docker"},
            ]
        },
    }
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "stacks" / "Pulumi.local.yaml").write_text("config: {moorage:port: 1}\n")
    return folder


def written(root: Path, name: str) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load((root / ".moorage/work/local" / name).read_text())
    return loaded


def test_the_work_folder_runs_our_provider_with_our_interpreter(root: Path) -> None:
    where = place.locate(root, "local")
    place.prepare(where, PLUGIN)
    wrapper = where.work / "plugin" / "pulumi-resource-moorage"
    told = subprocess.run([wrapper, "127.0.0.1:1"], capture_output=True, text=True, check=True)
    assert told.stdout == "['127.0.0.1:1']\n"
    manifest = written(root, "Pulumi.yaml")
    assert manifest["name"] == "demo"
    assert manifest["runtime"] == "python"
    assert manifest["plugins"] == {
        "providers": [
            {"name": "moorage", "path": str(where.work / "plugin")},
            {"name": "docker", "path": str(root / "tools/docker")},
        ]
    }
    assert "main" not in manifest


def test_the_team_s_files_are_not_touched_and_salts_are_kept(root: Path) -> None:
    """Pulumi writes its salt into the stack file: ours, which outlives the next preparation."""
    before = (root / "stacks" / "Pulumi.local.yaml").read_text()
    where = place.locate(root, "local")
    place.prepare(where, PLUGIN)
    with (where.work / "Pulumi.local.yaml").open("a") as file:
        file.write("encryptionsalt: v1:salt\n")
    place.prepare(where, PLUGIN)
    assert written(root, "Pulumi.local.yaml") == {
        "config": {"moorage:port": 1},
        "encryptionsalt": "v1:salt",
    }
    assert (root / "stacks" / "Pulumi.local.yaml").read_text() == before


def test_the_team_s_own_way_with_secrets_is_honoured(root: Path) -> None:
    settings = "secretsprovider: awskms://alias/x\nencryptedkey: abc\n"
    (root / "stacks" / "Pulumi.local.yaml").write_text(settings)
    where = place.locate(root, "local")
    place.prepare(where, PLUGIN)
    assert written(root, "Pulumi.local.yaml") == {
        "secretsprovider": "awskms://alias/x",
        "encryptedkey": "abc",
    }


def test_the_passphrase_is_for_its_owner_only_and_stays(root: Path) -> None:
    where = place.locate(root, "local")
    place.prepare(where, PLUGIN)
    path = root / ".moorage" / "passphrase"
    first = path.read_text()
    place.prepare(where, PLUGIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == first
    assert len(first) > 30


def test_of_two_first_runs_at_once_the_passphrase_of_one_holds(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other stack's run is faster, and has sealed its state by the time that we write."""
    path = root / ".moorage" / "passphrase"

    def meanwhile(_size: int) -> str:
        path.write_text("of the other run")
        return "ours"

    monkeypatch.setattr(secrets, "token_urlsafe", meanwhile)
    place.prepare(place.locate(root, "local"), PLUGIN)
    assert path.read_text() == "of the other run"
    assert [one.name for one in path.parent.glob("*passphrase*")] == ["passphrase"]


def test_a_lost_passphrase_is_not_replaced_while_something_is_deployed(root: Path) -> None:
    where = place.locate(root, "local")
    assert where.state_file is not None
    where.state_file.parent.mkdir(parents=True)
    where.state_file.write_text("{}")
    with pytest.raises(MoorageError, match="is gone") as fault:
        place.prepare(where, PLUGIN)
    assert fault.value.exit_code == Exit.NEEDS_PERSON


def test_the_user_s_passphrase_and_backend_win(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    where = place.locate(root, "local")
    place.prepare(where, PLUGIN)
    assert where.backend == "s3://bucket"
    assert where.state_file is None
    assert "PULUMI_CREDENTIALS_PATH" not in where.environ
    assert not (root / ".moorage" / "passphrase").exists()


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({}, ".moorage/passphrase"),
        ({place.PASSPHRASE: ""}, place.PASSPHRASE),
        ({place.PASSPHRASE_FILE: "/f"}, place.PASSPHRASE_FILE),
        ({place.PASSPHRASE_FILE: ""}, ".moorage/passphrase"),
        ({place.PASSPHRASE: "", place.PASSPHRASE_FILE: "/f"}, place.PASSPHRASE),
    ],
)
def test_where_a_passphrase_is_read_is_told_as_pulumi_reads_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], source: str
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    where = place.locate(root, "local")
    assert where.passphrase_source.endswith(source)
    assert where.has_own_passphrase == source.startswith(".moorage")


def test_the_default_backend_never_uses_the_user_s_login(root: Path) -> None:
    where = place.locate(root, "local")
    assert where.environ["PULUMI_CREDENTIALS_PATH"] == str(root / ".moorage")
    assert where.backend == f"file://{root}/.moorage/state"


def test_a_missing_stack_is_one_line_that_names_the_others(root: Path) -> None:
    with pytest.raises(MoorageError) as fault:
        place.locate(root, "prod")
    assert str(fault.value) == (
        "no stack prod: stacks/Pulumi.prod.yaml is missing; there are: local"
    )


@pytest.mark.parametrize("name", ["../x", "a/b", "", "-x"])
def test_a_name_that_is_a_path_is_refused(root: Path, name: str) -> None:
    with pytest.raises(MoorageError, match="no name of a stack"):
        place.locate(root, name)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("runtime: python", "has no `name:`"),
        ("{name: demo, stackConfigDir: [stacks]}", "has a `stackConfigDir:` that is no folder's"),
        ("name: ../../elsewhere", "names its project '../../elsewhere'"),
        ("{name: demo, backend: s3://bucket}", "has a `backend:` without a `url:`"),
        ("{name: demo, backend: {url: 5}}", "has a `backend:` without a `url:`"),
        ("{name: demo, plugins: docker}", "under plugins.providers"),
        ("{name: demo, plugins: {providers: {name: docker}}}", "under plugins.providers"),
        ("{name: demo, plugins: {providers: [{name: docker, path: 5}]}}", "plugins.providers"),
    ],
)
def test_a_manifest_that_we_cannot_go_by_is_refused(root: Path, text: str, says: str) -> None:
    (root / "Pulumi.yaml").write_text(text)
    with pytest.raises(MoorageError) as fault:
        place.locate(root, "local", may_be_undeclared=True)
    assert says in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config:\n  a: [1\n", "stacks/Pulumi.local.yaml:3:1 is not valid YAML"),
        ("- a\n", "stacks/Pulumi.local.yaml:1:1 must be a mapping"),
        ("config: [1]\n", "stacks/Pulumi.local.yaml: `config:` must hold settings"),
        ("config: x\n", "stacks/Pulumi.local.yaml: `config:` must hold settings"),
    ],
)
def test_broken_settings_are_one_line_with_their_place(root: Path, text: str, says: str) -> None:
    (root / "stacks" / "Pulumi.local.yaml").write_text(text)
    with pytest.raises(MoorageError) as fault:
        place.locate(root, "local")
    assert says in str(fault.value)
    assert "\n" not in str(fault.value)


def test_settings_may_lie_outside_of_the_checkout(root: Path, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere"
    there.mkdir()
    (root / "Pulumi.yaml").write_text(f"{{name: demo, stackConfigDir: {there}}}")
    with pytest.raises(MoorageError, match=r"\.\./elsewhere/Pulumi\.local\.yaml is missing"):
        place.locate(root, "local")
    (there / "Pulumi.local.yaml").write_text("config: {a:b: c}\n")
    assert place.locate(root, "local").settings == {"config": {"a:b": "c"}}
    (there / "Pulumi.local.yaml").write_text("config: {\n")
    with pytest.raises(MoorageError, match=r"\.\./elsewhere/Pulumi\.local\.yaml:2:1 is not valid"):
        place.locate(root, "local")


def test_a_fault_of_the_cli_names_the_team_s_files(root: Path) -> None:
    where = place.locate(root, "local")
    told = f"could not validate '{where.work}/Pulumi.yaml': see {where.work}/Pulumi.local.yaml"
    assert where.of_team(told) == ("could not validate 'Pulumi.yaml': see stacks/Pulumi.local.yaml")
