"""AWS in one region: a question that is asked again while that may help, and clients for it.

Every write that is asked here may be made twice: it carries a token, or says again what is so
already, or is refused as done and looked at. So a lost answer is no reason to give up.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from moorage.provider.aws import faults
from moorage.provider.aws.faults import Asked
from moorage.provider.handler import Context

Record = dict[str, Any]

_PAUSES_S: Final = (0.3, 1.0, 3.0, 6.0)  # between the tries of one question
_LOOKS_S: Final = (0.0, 0.5, 1.5, 4.0)  # until what was just made is seen
_CONNECT_S: Final = 10
_READ_S: Final = 60
_CONNECTIONS: Final = 64  # as many calls as the provider has at once


@dataclass(frozen=True, kw_only=True, slots=True)
class Cloud:
    """A region, on behalf of one call of a handler."""

    region: str
    context: Context = field(repr=False)

    def ask(
        self,
        service: str,
        action: str,
        *,
        fine: Collection[str] = (),
        soon: Collection[str] = (),
        **parameters: Any,
    ) -> Record | None:
        """The answer; None for an error that is as good; else AwsError with its line.

        `soon` are errors that pass by themselves, as what was just made is not seen everywhere.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        asked = Asked(service=service, action=action, region=self.region)
        for pause_s in (*_PAUSES_S, None):
            try:
                client = _client(service, self.region, _environment())
                answer: Record = getattr(client, action)(**parameters)
            except (BotoCoreError, ClientError, ResponseParserError, ValueError) as error:
                fault = faults.of(error, asked)
            else:
                return answer
            if fault.code in fine:
                return None
            if pause_s is None or not (fault.is_passing or fault.code in soon):
                raise fault
            self.context.pause(pause_s)
        raise AssertionError("the last try returns or raises")

    def ec2(self, action: str, **asked: Any) -> Record:
        """The whole answer of EC2; an empty one for an error that is as good."""
        return self._whole("ec2", action, asked)

    def ssm(self, action: str, **asked: Any) -> Record:
        """The same of the Systems Manager."""
        return self._whole("ssm", action, asked)

    def _whole(self, service: str, action: str, asked: Record) -> Record:
        """Every page as one answer: a filter may leave the first ones empty."""
        answer = self.ask(service, action, **asked) or {}
        while answer.get("NextToken"):
            more = self.ask(service, action, **asked, NextToken=answer["NextToken"]) or {}
            lists = {name: one for name, one in answer.items() if isinstance(one, list)}
            answer = {**more, **{name: one + more.get(name, []) for name, one in lists.items()}}
        return answer

    def looks(self) -> Iterator[None]:
        """A few moments, for what was just made and may not be seen at once."""
        for pause_s in _LOOKS_S:
            self.context.pause(pause_s)
            yield


def filters(**wanted: Any) -> list[Record]:
    """What a list is narrowed down to; names with `_` for `-`, tags as `tag:name`."""
    named = {name.replace("__", ":", 1).replace("_", "-"): one for name, one in wanted.items()}
    return [
        {"Name": name, "Values": list(one) if isinstance(one, list | tuple) else [one]}
        for name, one in named.items()
    ]


def _environment() -> tuple[tuple[str, str], ...]:
    """Whose account it is, as far as the environment says."""
    return tuple(sorted(one for one in os.environ.items() if one[0].startswith("AWS_")))


@functools.lru_cache(maxsize=64)
def _client(service: str, region: str, _whose: tuple[tuple[str, str], ...]) -> Any:
    import boto3.session
    import botocore.session
    from botocore.config import Config

    # Its debug log tells whole requests, with the secrets in them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    session = botocore.session.Session()  # the default one would keep credentials of before
    session.register_component("data_loader", _loader())
    limits = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"total_max_attempts": 1},  # asked again above, where a cancel is heard
        max_pool_connections=_CONNECTIONS,
    )
    made = boto3.session.Session(botocore_session=session)
    return made.client(service, region_name=region, config=limits)


@functools.cache
def _loader() -> Any:
    """Read once: the description of EC2 is a few megabytes."""
    from botocore.loaders import create_loader

    return create_loader()
