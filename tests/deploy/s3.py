"""A real S3 server in a process of its own, for stacks that keep their state there.

`python -m tests.deploy.s3` serves until its stdin closes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-1"}
# Whatever login the machine has is not for tests.
NO_LOGIN = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """One bucket on the server."""

    name: str
    endpoint: str
    client: Any

    @property
    def url(self) -> str:
        """The backend below a prefix, as a team would write it."""
        options = f"endpoint={self.endpoint}&s3ForcePathStyle=true&region=eu-west-1"
        return f"s3://{self.name}/team?{options}"

    @property
    def environ(self) -> dict[str, str]:
        """What a run needs to keep its state here."""
        backend = {"PULUMI_BACKEND_URL": self.url, "PULUMI_CONFIG_PASSPHRASE": "of the team"}
        return {**KEYS, **NO_LOGIN, **backend}

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [str(one["Key"]).removeprefix("team/") for one in found]

    def read(self, key: str) -> str:
        body = self.client.get_object(Bucket=self.name, Key=f"team/{key}")["Body"]
        return str(body.read().decode())

    def write(self, key: str, text: str) -> None:
        self.client.put_object(Bucket=self.name, Key=f"team/{key}", Body=text.encode())


@contextmanager
def a_server() -> Iterator[str]:
    """Start the server; its address."""
    command = [sys.executable, "-m", "tests.deploy.s3"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def client(service: str, endpoint: str) -> Any:
    """A client of one of the server's services."""
    from botocore.config import Config
    from botocore.session import Session

    session = Session()
    session.set_credentials("test", "test")
    config = Config(s3={"addressing_style": "path"})
    return session.create_client(service, "eu-west-1", endpoint_url=endpoint, config=config)


def a_bucket(endpoint: str, name: str) -> Bucket:
    """A new bucket on the server."""
    found = client("s3", endpoint)
    where = {"LocationConstraint": "eu-west-1"}
    found.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return Bucket(name=name, endpoint=endpoint, client=found)


def serve() -> None:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    serve()
