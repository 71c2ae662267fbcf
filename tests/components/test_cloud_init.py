"""What an instance is told, and what its scripts do: run for real, on servers of this machine."""

from __future__ import annotations

import base64
import dataclasses
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import cloud_init
from components.cloud_init import Instance, render
from components.engines import Server
from components.engines.beside import HUB
from moorage.errors import MoorageError
from moorage.provider.aws import host_wait

KEY = "the-key-of-the-engine"
SERVER = Server(
    args=("acme/tiny", "--max-model-len", "4096", "--served-model-name", "it's tiny"),
    env={"VLLM_LOGGING_LEVEL": "WARNING", "ODD": "$HOME 'and' \"more\"\n  # ünd"},
    key_variable="VLLM_API_KEY",
    model="tiny",
)
INSTANCE = Instance(
    region="eu-west-1",
    image="vllm/vllm-openai:v0.33.0",
    server=SERVER,
    secrets={"HF_TOKEN": "/moorage/demo/HF_TOKEN"},
)
SCRIPTS = ("engine", "idle", "spot")


def files(instance: Instance) -> dict[str, dict[str, str]]:
    told = yaml.safe_load(render(instance, key=KEY))
    return {one["path"]: {**one, "content": content(one)} for one in told["write_files"]}


def content(file: Mapping[str, str]) -> str:
    """As cloud-init writes it."""
    said = file["content"]
    return base64.b64decode(said).decode() if file.get("encoding") == "b64" else said


@dataclass(frozen=True)
class Machine:
    """A folder with an instance's settings and scripts, and stand-ins for what they call."""

    folder: Path
    settings: Path

    def start(self, script: str, *words: str, **environ: str) -> subprocess.Popen[str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        ours = {
            "PATH": path,
            "MOORAGE_SETTINGS": str(self.settings),
            "MOORAGE_HOME": str(self.folder / "home"),
            "MOORAGE_RUN": str(self.folder),
            "MOORAGE_DISKS": str(self.folder / "disks"),
            "MOORAGE_EVERY_S": "0.02",
        }
        return subprocess.Popen(
            ["bash", str(cloud_init._TEMPLATES / script), *words],
            env={**ours, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stand_in(self, name: str, body: str = "") -> None:
        """A program that notes how it was called."""
        note = f'printf "%s\\0" {name} "$@" >>"{self.folder}/calls"; echo >>"{self.folder}/calls"'
        path = self.folder / "bin" / name
        path.write_text(f"#!/usr/bin/env bash\n{note}\n{body}\n")
        path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        lines = path.read_text().split("\0\n")[:-1] if path.exists() else []
        return [line.split("\0") for line in lines]


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[..., Machine]:
    def machine(**changes: Any) -> Machine:
        settings = tmp_path / "settings"
        told = files(dataclasses.replace(INSTANCE, **changes))["/etc/moorage/settings"]
        settings.write_bytes(told["content"].encode())
        (tmp_path / "bin").mkdir()
        return Machine(tmp_path, settings)

    return machine


@contextmanager
def a_server(answer: Callable[[str, Mapping[str, str]], str | None]) -> Iterator[str]:
    """A server that asks `answer` what to say to a path and its headers; None is a 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = answer(self.path, dict(self.headers.items()))
            self.send_response(404 if said is None else 200)
            self.end_headers()
            self.wfile.write((said or "").encode())

        do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_scripts_are_clean() -> None:
    checker = Path(sys.executable).with_name("shellcheck")
    paths = [str(cloud_init._TEMPLATES / name) for name in SCRIPTS]
    done = subprocess.run([checker, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_a_cloud_config_far_below_what_ec2_takes() -> None:
    text = render(dataclasses.replace(INSTANCE, is_spot=True, idle_s=600), key=KEY)
    assert text.startswith("#cloud-config\n")
    assert len(text.encode()) < cloud_init.MOST_BYTES - 7 * 1024, "the rest is for what a spec says"
    assert yaml.safe_load(text)["runcmd"][-1].endswith("moorage-idle.service")


def test_files_come_through_as_they_are() -> None:
    told = files(dataclasses.replace(INSTANCE, is_spot=True, idle_s=600))
    for name in SCRIPTS:
        text = (cloud_init._TEMPLATES / name).read_text()
        assert told[f"/usr/local/lib/moorage/{name}"]["content"] == text
        assert told[f"/usr/local/lib/moorage/{name}"]["permissions"] == "0755"


def test_watchers_come_only_where_they_are_wanted() -> None:
    plain = " ".join(files(INSTANCE))
    assert "spot" not in plain
    assert "idle" not in plain


def test_the_key_stands_in_one_file_that_root_alone_reads() -> None:
    holding = [one for one in files(INSTANCE).values() if KEY in one["content"]]
    assert [one["path"] for one in holding] == ["/etc/moorage/key"]
    assert holding[0]["permissions"] == "0600"
    assert holding[0]["content"] == f"VLLM_API_KEY={KEY}\n"


def test_more_than_ec2_takes_is_refused() -> None:
    server = dataclasses.replace(SERVER, env={"LONG": "x" * 16_000})
    instance = dataclasses.replace(INSTANCE, server=server)
    with pytest.raises(MoorageError, match="bytes long, and EC2 takes 16384; say less in"):
        render(instance, key=KEY)


def test_the_engine_is_started_with_its_command_and_its_secrets(
    lay_out: Callable[..., Machine],
) -> None:
    machine = lay_out()
    machine.stand_in("aws", "echo token-from-ssm")
    machine.stand_in("docker", f'[[ $1 != run ]] || echo "$HF_TOKEN" >{machine.folder}/got')
    process = machine.start("engine", "start")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0, out
    [fetched, removed, run] = machine.calls()
    assert shlex.join(fetched[1:]) == (
        "ssm get-parameter --region eu-west-1 --with-decryption"
        " --name /moorage/demo/HF_TOKEN --query Parameter.Value --output text"
    )
    assert removed[1:] == ["rm", "--force", "moorage-engine"]
    image = run.index(INSTANCE.image)
    assert run[image + 1 :] == list(SERVER.args)
    given = dict(pairwise(run))
    assert given["--gpus"] == "all"
    assert given["--security-opt"] == "no-new-privileges"
    assert given["--volume"] == f"{cloud_init.HOME}/cache:/cache"
    assert f"ODD={SERVER.env['ODD']}" in run
    assert "HF_TOKEN" in run
    assert "token-from-ssm" not in " ".join(run)
    assert (machine.folder / "got").read_text() == "token-from-ssm\n"


def test_the_machine_asks_as_itself_whatever_the_container_s_secrets_are_called(
    lay_out: Callable[..., Machine],
) -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PATH")
    machine = lay_out(secrets={name: f"/moorage/demo/{name}" for name in names})
    machine.stand_in("aws", "[[ -z ${AWS_ACCESS_KEY_ID:-} ]] || exit 253; echo theirs")
    said = f'[[ $1 != run ]] || echo "$AWS_ACCESS_KEY_ID $PATH" >{machine.folder}/got'
    docker = machine.folder / "bin" / "docker"
    machine.stand_in("docker", said)
    docker.write_text(docker.read_text().replace("/usr/bin/env bash", "/bin/bash", 1))
    out, _ = (process := machine.start("engine", "start")).communicate(timeout=20)
    assert process.returncode == 0, out
    assert (machine.folder / "got").read_text() == "theirs theirs\n"


@pytest.mark.parametrize(
    "value", ["a\r\nb", "a\x85b", "a\u2028b", "\x1b[1m", "\ufeff", " \t\n\n 😀\n"]
)
def test_any_text_comes_to_the_engine_as_it_is(lay_out: Callable[..., Machine], value: str) -> None:
    server = dataclasses.replace(SERVER, env={"ODD": value}, args=("model", "--odd", value))
    machine = lay_out(server=server, secrets={})
    machine.stand_in("docker", f'[[ $1 != run ]] || printf "%s\\0" "$@" >"{machine.folder}/got"')
    machine.start("engine", "start").communicate(timeout=20)
    got = (machine.folder / "got").read_bytes().decode().split("\0")
    assert f"ODD={value}" in got
    assert got[-4:] == [*server.args, ""]


def test_an_entrypoint_of_its_own_takes_the_place_of_the_image_s(
    lay_out: Callable[..., Machine],
) -> None:
    server = dataclasses.replace(SERVER, entrypoint=("python3", "-c", "print()"))
    machine = lay_out(server=server, secrets={})
    machine.stand_in("docker")
    machine.start("engine", "start").communicate(timeout=20)
    run = machine.calls()[-1]
    assert dict(pairwise(run))["--entrypoint"] == "python3"
    assert run[run.index(INSTANCE.image) + 1 :] == ["-c", "print()", *SERVER.args]


def test_the_engine_gets_its_own_grace_and_some_more(lay_out: Callable[..., Machine]) -> None:
    machine = lay_out()
    machine.stand_in("docker")
    machine.start("engine", "stop").communicate(timeout=20)
    assert machine.calls() == [["docker", "stop", "--time", "60", "moorage-engine"]]


def test_the_console_tells_how_often_the_engine_has_ended(lay_out: Callable[..., Machine]) -> None:
    machine = lay_out()
    unit = files(INSTANCE)["/etc/systemd/system/moorage-engine.service"]["content"]
    assert "ExecStopPost=/usr/local/lib/moorage/engine ended\n" in unit
    for times in ("1", "2"):
        out, _ = machine.start("engine", "ended").communicate(timeout=20)
        found = host_wait._ENDED.search(out)
        assert found, "which is how the provider reads it"
        assert found[1] == times


def test_a_secret_that_cannot_be_fetched_starts_nothing(lay_out: Callable[..., Machine]) -> None:
    machine = lay_out()
    machine.stand_in("aws", "echo AccessDeniedException >&2; exit 254")
    machine.stand_in("docker")
    process = machine.start("engine", "start")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 254
    assert "AccessDeniedException" in out
    assert [call[0] for call in machine.calls()] == ["aws"]


def test_an_image_of_the_own_registry_gets_its_login(lay_out: Callable[..., Machine]) -> None:
    host = "123456789012.dkr.ecr.us-east-2.amazonaws.com"
    machine = lay_out(image=f"{host}/vllm:1", secrets={})
    machine.stand_in("aws", "echo password")
    machine.stand_in("docker", "[[ $1 != login ]] || cat >/dev/null")
    process = machine.start("engine", "start")
    process.communicate(timeout=20)
    assert process.returncode == 0
    calls = sorted(shlex.join(call) for call in machine.calls())
    assert calls[0] == "aws ecr get-login-password --region us-east-2"
    assert calls[1] == f"docker login --username AWS --password-stdin {host}"


def with_disks(machine: Machine) -> Machine:
    """Two disks of its own, each under the three names that it has."""
    (machine.folder / "disks").mkdir()
    for number in ("1", "2"):
        for end in ("", "_1", "-ns-1"):
            name = f"nvme-Amazon_EC2_NVMe_Instance_Storage_AWS0{number}A{end}"
            (machine.folder / "disks" / name).touch()
    for program in ("mdadm", "mkfs.ext4", "mount"):
        machine.stand_in(program)
    machine.stand_in("mountpoint", "exit 1")
    return machine


def prepared(machine: Machine) -> list[list[str]]:
    """What is called to prepare the disks; not what only asks."""
    process = machine.start("engine", "disk", MOORAGE_FAST=str(machine.folder / "fast"))
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0, out
    return [call for call in machine.calls() if call[0] not in ("mountpoint", "blkid", "lsblk")]


def test_disks_of_the_machine_hold_the_weights(lay_out: Callable[..., Machine]) -> None:
    machine = with_disks(lay_out())
    machine.stand_in("lsblk", "echo /dev/nvme1n1 disk")
    machine.stand_in("blkid", "exit 2")
    calls = prepared(machine)
    assert [call[0] for call in calls] == ["mdadm", "mkfs.ext4", "mount", "mount"]
    assert calls[0][4:6] == ["--level=0", "--raid-devices=2"]
    assert len(calls[0]) == 8
    assert calls[2][-2:] == ["/dev/md/moorage", str(machine.folder / "fast")]
    [(kept, seen)] = SERVER.volumes.items()
    hub = Path(HUB).relative_to(seen)
    assert calls[3][-1] == str(machine.folder / "home" / kept / hub), "where engines look for them"


def test_disks_are_found_as_they_were_after_a_reboot(lay_out: Callable[..., Machine]) -> None:
    machine = with_disks(lay_out())
    machine.stand_in("blkid")
    machine.stand_in("lsblk", "echo /dev/nvme1n1 disk; echo /dev/md127 raid0")
    calls = prepared(machine)
    assert [call[0] for call in calls] == ["mount", "mount"]
    assert calls[0][-2] == "/dev/md127", "which is not what it was called when it was made"


def test_a_machine_without_disks_of_its_own_uses_its_root_disk(
    lay_out: Callable[..., Machine],
) -> None:
    machine = lay_out()
    machine.stand_in("mount")
    process = machine.start("engine", "disk")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0, out
    assert (machine.folder / "home" / "cache" / "hub").is_dir()
    assert not machine.calls()


def test_a_machine_that_nobody_asks_is_stopped(lay_out: Callable[..., Machine]) -> None:
    """Neither while the engine loads, nor while it is busy, nor while requests come and go."""
    machine = lay_out(idle_s=0)
    machine.stand_in("shutdown")
    begun_s = time.monotonic()

    def answer(_path: str, _headers: Mapping[str, str]) -> str | None:
        age_s = time.monotonic() - begun_s
        if age_s < 0.5:
            return None
        if age_s < 1.5:
            return _metrics(1, 0)
        return _metrics(0, int(min(age_s, 2.2) * 1000))  # one request after the other

    with a_server(answer) as url:
        process = machine.start("idle", MOORAGE_METRICS=url)
        out, _ = process.communicate(timeout=30)
    assert machine.calls() == [["shutdown", "-h", "now"]], out
    assert "nobody has asked for 0 s" in out
    assert time.monotonic() - begun_s > 2.1


def test_an_engine_that_died_at_work_does_not_keep_its_machine(
    lay_out: Callable[..., Machine],
) -> None:
    machine = lay_out(idle_s=0)
    machine.stand_in("shutdown")
    told = iter([_metrics(3, 1), _metrics(3, 1)])
    with a_server(lambda _path, _headers: next(told, None)) as url:
        process = machine.start("idle", MOORAGE_METRICS=url)
        process.communicate(timeout=30)
    assert machine.calls() == [["shutdown", "-h", "now"]]


def _metrics(running: int, done: int) -> str:
    return (
        "# TYPE vllm:num_requests_running gauge\n"
        f'vllm:num_requests_running{{engine="0",model_name="tiny"}} {running}.0\n'
        'vllm:num_requests_waiting{engine="0",model_name="tiny"} 0.0\n'
        'vllm:num_requests_waiting_by_reason{reason="capacity"} 7.0\n'
        f'vllm:request_success_total{{finished_reason="stop"}} {done}.0\n'
    )


def test_a_notice_drains_the_engine(lay_out: Callable[..., Machine]) -> None:
    machine = lay_out()
    machine.stand_in("systemctl")
    asked: list[str] = []

    def answer(path: str, headers: Mapping[str, str]) -> str | None:
        lower = {name.lower(): value for name, value in headers.items()}
        if path == "/latest/api/token":
            return "a-token" if "x-aws-ec2-metadata-token-ttl-seconds" in lower else None
        asked.append(path)
        if lower.get("x-aws-ec2-metadata-token") != "a-token" or len(asked) < 4:
            return None
        return '{"action": "terminate", "time": "2026-11-25T12:00:00Z"}'

    with a_server(answer) as url:
        process = machine.start("spot", MOORAGE_IMDS=url)
        out, _ = process.communicate(timeout=30)
    assert machine.calls() == [["systemctl", "stop", "moorage-engine"]], out
    assert set(asked) == {"/latest/meta-data/spot/instance-action"}
    assert "2026-11-25T12:00:00Z" in out
