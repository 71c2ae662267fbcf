"""What EC2 does and moto does not: requests are filled in on their way, and some are answered here.

A launch template is read in full; a client token makes one instance and no second one; a group
with an instance in it stays.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

ACCOUNT: Final = "123456789012"  # moto's own
_TOKEN: Final = "ClientToken"
_GROUP: Final = ".SecurityGroupId."
_SHUTDOWN: Final = "InstanceInitiatedShutdownBehavior.Value"  # which moto takes for groups
_LIVE: Final = ("pending", "running", "stopping", "stopped")
# Of a launch template, what moto does not give to an instance.
_UNREAD: Final = (
    *("ImageId", "InstanceInitiatedShutdownBehavior", "IamInstanceProfile"),
    *("MetadataOptions", "BlockDeviceMappings", "TagSpecifications"),
)
_SINGULAR: Final = {
    "BlockDeviceMappings": "BlockDeviceMapping",
    "TagSpecifications": "TagSpecification",
    "Tags": "Tag",
}

Form = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error of AWS."""

    code: str
    words: str = ""
    status: int = 400


@dataclass(kw_only=True)
class Gaps:
    """An account's memory of its client tokens."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: dict[str, Form] = field(default_factory=dict)
    _answers: dict[str, bytes] = field(default_factory=dict)

    def before(self, region: str, body: bytes) -> bytes | Refusal:
        """The request as moto is to have it, or what EC2 says at once."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        action = form.get("Action")
        if action == "RunInstances":
            return self._refused(region, form) or urlencode(_filled(region, form)).encode()
        if action == "DeleteSecurityGroup" and _is_used(region, form.get("GroupId", "")):
            return Refusal(code="DependencyViolation", words="resource has a dependent object")
        if action == "ModifyInstanceAttribute" and _SHUTDOWN in form:
            told = {"Attribute": _SHUTDOWN[0].lower() + _SHUTDOWN[1:-6], "Value": form[_SHUTDOWN]}
            return urlencode({**form, **told}).encode()
        return body

    def known(self, body: bytes) -> bytes | None:
        """The answer that was given to the same token before."""
        return self._answers.get(dict(parse_qsl(body.decode())).get(_TOKEN, ""))

    def after(self, region: str, body: bytes, answer: bytes) -> None:
        """An instance was made: its token is used. Tags were changed: those of templates, too."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if form.get("Action") in ("CreateTags", "DeleteTags"):
            for template in list(backend(region).launch_templates.values()):
                template.tags = template.get_tags()
        if form.get("Action") == "RunInstances" and _TOKEN in form:
            with self._lock:
                self._asked[form[_TOKEN]] = _without_signature(form)
                self._answers[form[_TOKEN]] = answer

    def _refused(self, region: str, form: Form) -> Refusal | None:
        token = form.get(_TOKEN, "")
        with self._lock:
            before = self._asked.get(token)
        if before is None:
            return None
        if before != _without_signature(form):
            return Refusal(code="IdempotentParameterMismatch", words="the parameters differ")
        alive = any(one.client_token == token and is_live(one) for one in instances(region))
        if not alive:
            return Refusal(code="IdempotentInstanceTerminated", words="its instance has ended")
        return None


def backend(region: str, service: str = "ec2") -> Any:
    """moto's own memory of a region."""
    from moto import backends

    of: Any = backends.get_backend
    return of(service)[ACCOUNT][region]


def instances(region: str) -> Iterator[Any]:
    """Every instance that moto knows."""
    for reservation in list(backend(region).reservations.values()):
        yield from reservation.instances


def is_live(instance: Any) -> bool:
    """Whether it has not ended."""
    return instance.state in _LIVE


def _is_used(region: str, group_id: str) -> bool:
    return any(
        group_id in {group.id for group in one.security_groups}
        for one in instances(region)
        if is_live(one)
    )


def _filled(region: str, form: Form) -> Form:
    template_id = form.get("LaunchTemplate.LaunchTemplateId")
    if template_id is None:
        return form
    template = backend(region).get_launch_template(template_id)
    data = template.get_version(form.get("LaunchTemplate.Version", "$Default")).data
    told = {name: data[name] for name in _UNREAD if data.get(name)}
    if "MarketType" in data.get("InstanceMarketOptions", {}):
        told["InstanceMarketOptions"] = {"MarketType": data["InstanceMarketOptions"]["MarketType"]}
    return {**dict(_flat("", told)), **dict(map(_of_instance, form.items()))}


def _of_instance(one: tuple[str, str]) -> tuple[str, str]:
    """The groups of an interface, which moto does not tell of an instance."""
    return one[0].removeprefix("NetworkInterface.1.") if _GROUP in one[0] else one[0], one[1]


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """As the query protocol of EC2 writes what is nested."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else name, one)
    elif isinstance(value, list):
        parent, _, name = prefix.rpartition(".")
        singular = f"{parent}.{_SINGULAR.get(name, name)}".lstrip(".")
        for number, one in enumerate(value, start=1):
            yield from _flat(f"{singular}.{number}", one)
    else:
        yield prefix, str(value).lower() if isinstance(value, bool) else str(value)


def _without_signature(form: Form) -> Form:
    return {name: one for name, one in form.items() if not name.startswith("X-Amz-")}


def console(instance_id: str, text: str) -> bytes:
    """The answer to GetConsoleOutput."""
    output = base64.b64encode(text.encode()).decode()
    return (
        f"<GetConsoleOutputResponse><instanceId>{instance_id}</instanceId>"
        f"<output>{output}</output></GetConsoleOutputResponse>"
    ).encode()
