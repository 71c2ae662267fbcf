"""A bucket is a store on S3 or any server that speaks it; its faults are one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moorage.deploy.stored.stores import Entry
from moorage.errors import Exit, MoorageError

CONNECT_S = 5.0
READ_S = 15.0
ATTEMPTS = 3
# Options of the backend's URL that boto knows too; with any other one only Pulumi opens the bucket.
KNOWN_OPTIONS = frozenset(
    {
        "awssdk",
        "disableSSL",
        "disable_https",
        "endpoint",
        "hostname_immutable",
        "profile",
        "rate_limiter_capacity",
        "region",
        "request_checksum_calculation",
        "response_checksum_validation",
        "s3ForcePathStyle",
        "use_path_style",
    }
)
TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # as Go reads them
GONE = frozenset({"404", "NoSuchKey", "NotFound"})
CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden", "AllAccessDisabled"})
WRONG_KEY = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401"}
)
SILENCES = {
    "EndpointConnectionError": "nothing answers there",
    "ConnectTimeoutError": f"no connection within {CONNECT_S:.0f} s",
    "ReadTimeoutError": f"no answer within {READ_S:.0f} s",
}


class _NoConditions(Exception):  # noqa: N818 (a finding, not an error)
    """The server writes nothing on a condition."""


class Bucket:
    """The part of one bucket below a prefix."""

    def __init__(self, name: str, prefix: str, options: dict[str, str]) -> None:
        self._name = name
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = _endpoint(options)
        with self._faults():
            self._client = _client(options, self._endpoint)

    def keys(self, folder: str) -> list[str]:
        """The keys directly in a folder."""
        start = f"{self._prefix}{folder}/"
        asked: dict[str, Any] = {"Bucket": self._name, "Prefix": start, "Delimiter": "/"}
        with self._faults():
            pages = self._client.get_paginator("list_objects_v2").paginate(**asked)
            found = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return sorted(key.removeprefix(self._prefix) for key in found)

    def read(self, key: str) -> Entry | None:
        """What stands under a key."""
        got = self._unless(GONE, self._client.get_object, Key=self._prefix + key)
        if got is None:
            return None
        with self._faults():
            data: bytes = got["Body"].read()
        return Entry(key=key, data=data, tag=got["ETag"], touched_at=got["LastModified"])

    def create(self, key: str, text: str) -> bool:
        """Put it there unless something is."""
        return self._put(key, text.encode(), IfNoneMatch="*")

    def replace(self, entry: Entry, text: str) -> bool:
        """Put another content in its place unless it changed meanwhile."""
        return self._put(entry.key, text.encode(), IfMatch=entry.tag)

    def touch(self, entry: Entry) -> bool:
        """Make it look new unless it changed meanwhile."""
        return self._put(entry.key, entry.data, IfMatch=entry.tag)

    def remove(self, entry: Entry) -> None:
        """Take it away unless it changed meanwhile; few servers delete on a condition."""
        now = self.read(entry.key)
        if now is not None and now.tag == entry.tag:
            self._unless(GONE, self._client.delete_object, Key=self._prefix + entry.key)

    def url(self, key: str) -> str:
        """The address without its options."""
        return f"s3://{self._name}/{self._prefix}{key}"

    def _put(self, key: str, data: bytes, **condition: str) -> bool:
        words = {"Key": self._prefix + key, "Body": data, "ContentType": "application/json"}
        try:
            done = self._unless(GONE | CHANGED, self._client.put_object, **words, **condition)
        except _NoConditions:
            return self._put_as_if(key, words, condition.get("IfMatch"))
        return done is not None

    def _put_as_if(self, key: str, words: dict[str, Any], tag: str | None) -> bool:
        """The condition kept as well as such a server lets us; behind it is Pulumi's own lock."""
        now = self.read(key)
        if (now.tag if now else None) != tag:
            return False
        self._unless(frozenset(), self._client.put_object, **words)
        after = self.read(key)
        return after is not None and after.data == words["Body"]

    def _unless(self, codes: frozenset[str], call: Callable[..., Any], **words: Any) -> Any | None:
        """The call's answer, or None where it ends with one of these codes."""
        from botocore.exceptions import ClientError

        with self._faults():
            try:
                return call(Bucket=self._name, **words)
            except ClientError as error:
                if _code(error) in codes:
                    return None
                if _code(error) == "NotImplemented" and {"IfMatch", "IfNoneMatch"} & {*words}:
                    raise _NoConditions from None
                raise

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise self._refused(error) from None
        except (BotoCoreError, ValueError) as error:
            raise self._unreached(error) from None

    def _refused(self, error: Any) -> MoorageError:
        code, where = _code(error), self._where
        said = str(error.response.get("Error", {}).get("Message") or code)
        if code == "NoSuchBucket":
            advice = "create it, or correct PULUMI_BACKEND_URL"
            return _fault(f"the bucket of the state, {where}, does not exist: {advice}")
        if code in WRONG_KEY:
            return _fault(f"{where} does not take the AWS credentials ({code}): renew them")
        if code in FORBIDDEN:
            needs = "s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject"
            return _fault(f"no permission for {where}: these credentials need {needs} there")
        if code in {"PermanentRedirect", "AuthorizationHeaderMalformed", "301"}:
            return _fault(f"{where} is in another region ({said}): add `?region=` to the backend")
        return _fault(f"{where} refused what the state needs: {code}, {' '.join(said.split())}")

    def _unreached(self, error: Exception) -> MoorageError:
        kind, where = type(error).__name__, self._where
        if kind in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
            advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            return _fault(f"there are no AWS credentials for {where}: {advice}")
        if kind in {"TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"}:
            return _fault(f"the AWS login for {where} has ended: run `aws sso login`")
        if kind == "ProfileNotFound":
            return _fault(f"the AWS profile for {where} is not in the AWS configuration: {error}")
        if kind == "NoRegionError":
            return _fault(f"the region of {where} is not known: add `?region=` or set AWS_REGION")
        said = SILENCES.get(kind) or " ".join(str(error).split())
        return _fault(f"{where} cannot be reached: {said}; see the network and PULUMI_BACKEND_URL")

    @property
    def _where(self) -> str:
        at = f" at {self._endpoint}" if self._endpoint else ""
        return f"s3://{self._name}{at}"


def _client(options: dict[str, str], endpoint: str | None) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    path_style = any(options.get(k) in TRUE for k in ("s3ForcePathStyle", "use_path_style"))
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        s3={"addressing_style": "path" if path_style else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = Session(profile=options.get("profile"))
    return session.create_client(
        "s3", region_name=options.get("region"), endpoint_url=endpoint, config=config
    )


def _endpoint(options: dict[str, str]) -> str | None:
    """The server's address; Go's SDK takes it without a scheme too."""
    endpoint = options.get("endpoint")
    if not endpoint or "://" in endpoint:
        return endpoint or None
    plain = any(options.get(name) in TRUE for name in ("disableSSL", "disable_https"))
    return f"{'http' if plain else 'https'}://{endpoint}"


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _fault(message: str) -> MoorageError:
    return MoorageError(message, exit_code=Exit.NEEDS_PERSON)
