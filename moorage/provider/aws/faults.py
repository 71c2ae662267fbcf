"""What AWS answers instead of doing what was asked, each as one line for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.errors import Exit, MoorageError

_MOST_WORDS: Final = 300
_SERVER_FAULT: Final = 500
_SILENT: Final = "NoAnswer"  # our own word for an answer that did not come
_THROTTLED: Final = frozenset(
    {
        *("RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException"),
        *("TooManyRequestsException", "RequestThrottled", "TooManyUpdates"),
    }
)
_UNAVAILABLE: Final = frozenset({"InternalError", "InternalFailure", "Unavailable"}) | {
    *("ServiceUnavailable", "InternalServerError", "RequestTimeout", "ConcurrentTagAccess"),
}
_NONE_NOW: Final = "Insufficient"  # no capacity: told as a fault of the server, and lasts
_MAY_NOT: Final = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_PERMISSION: Final = re.compile(r"perform:? ([a-z0-9-]+:[A-Za-z]+)")
_ENCODED: Final = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)
_POLICIES: Final = ("service control policy", "permissions boundary", "explicit deny")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What was asked of which service."""

    service: str
    action: str
    region: str

    @property
    def permission(self) -> str:
        """What allows it, in the words of IAM."""
        return f"{self.service}:{''.join(word.capitalize() for word in self.action.split('_'))}"


class AwsError(MoorageError):
    """An answer that is none: its code, and its line for people."""

    def __init__(self, line: str, *, code: str, words: str = "", is_passing: bool = False) -> None:
        super().__init__(line, exit_code=Exit.UNANSWERED)
        self.code = code
        self.words = words
        self.is_passing = is_passing


def of(error: Exception, asked: Asked) -> AwsError:
    """The line for what the SDK has raised."""
    response: Mapping[str, Any] | None = getattr(error, "response", None)
    if response is None:
        return _unsent(error, asked)
    told = response.get("Error", {})
    code, words = str(told.get("Code") or "Unknown"), says(str(told.get("Message") or ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    is_broken = status >= _SERVER_FAULT and not code.startswith(_NONE_NOW)
    is_passing = code in _THROTTLED | _UNAVAILABLE or is_broken
    explained = _other_passing if is_passing else _LINES.get(code, _other)
    line = f"AWS, {asked.region}: {explained(asked, code, words)}"
    return AwsError(line, code=code, words=words, is_passing=is_passing)


def says(words: str) -> str:
    """AWS's own words on one line, without what only a machine can read."""
    plain = " ".join(_ENCODED.sub("", words).split()).rstrip(".")
    return plain if len(plain) <= _MOST_WORDS else f"{plain[:_MOST_WORDS]}..."


def _unsent(error: Exception, asked: Asked) -> AwsError:
    """Nothing came back, or nothing was sent."""
    name = type(error).__name__
    for kinds, explained in _UNSENT:
        if name in kinds:
            return AwsError(f"AWS, {asked.region}: {explained(error, asked)}", code=name)
    line = f"AWS, {asked.region}: no answer to {asked.permission}: {says(str(error))}"
    return AwsError(f"{line}; run up again later", code=_SILENT, is_passing=True)


def _no_credentials(_error: Exception, _asked: Asked) -> str:
    return (
        "there are no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
        " or log in with `aws sso login`"
    )


def _bad_credentials(error: Exception, _asked: Asked) -> str:
    return f"the credentials cannot be used: {says(str(error))}; log in again, or set others"


def _unreachable(_error: Exception, asked: Asked) -> str:
    import boto3.session

    known = boto3.session.Session().get_available_regions(asked.service)
    if known and asked.region not in known:
        return f"{asked.region} is no region of {asked.service} that is known; correct the region"
    return f"{asked.service} cannot be reached; check the network, its proxy and AWS_ENDPOINT_URL"


def _malformed(error: Exception, _asked: Asked) -> str:
    return f"the request cannot be made: {says(str(error))}; correct what it names"


_UNSENT: Final[tuple[tuple[frozenset[str], Callable[[Exception, Asked], str]], ...]] = (
    (frozenset({"NoCredentialsError", "NoAuthTokenError"}), _no_credentials),
    (
        frozenset(
            {
                *("PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
                *("UnauthorizedSSOTokenError", "SSOTokenLoadError", "TokenRetrievalError"),
                *("ConfigParseError", "InvalidConfigError", "RefreshWithMFAUnsupportedError"),
                *("SSOError", "LoginError", "LoginRefreshRequired", "UnknownCredentialError"),
            }
        ),
        _bad_credentials,
    ),
    (frozenset({"EndpointConnectionError"}), _unreachable),
    (frozenset({"ParamValidationError", "InvalidRegionError", "ValueError"}), _malformed),
)


def _expired(_asked: Asked, code: str, _words: str) -> str:
    return f"the credentials have expired ({code}); log in again, or set newer ones"


def _unknown_key(asked: Asked, code: str, words: str) -> str:
    return (
        f"the credentials are not valid ({code}: {words}); set valid ones, and check that"
        f" {asked.region} is enabled for the account"
    )


def _clock(_asked: Asked, code: str, _words: str) -> str:
    return f"the request is not of this time ({code}); set this machine's clock"


def _not_signed_up(asked: Asked, code: str, words: str) -> str:
    return f"the account may not use this ({code}: {words}); enable {asked.region} for the account"


def _forbidden(asked: Asked, code: str, words: str) -> str:
    found = _PERMISSION.search(words)
    missing = found[1] if found else asked.permission
    policies = [one for one in _POLICIES if one in words]
    where = f" (by a {policies[0]})" if policies else ""
    return f"{missing} is not allowed{where} ({code}); allow it to these credentials"


def _other_passing(asked: Asked, code: str, words: str) -> str:
    why = f"{code}: {words}" if words else code
    return f"{asked.permission} cannot be answered now ({why}); run up again later"


def _other(asked: Asked, code: str, words: str) -> str:
    return f"{asked.permission} is refused ({code}): {words or 'no reason'}; correct what it names"


def _asks_for(advice: str) -> Callable[[Asked, str, str], str]:
    def explained(_asked: Asked, code: str, words: str) -> str:
        return f"{words or code} ({code}); {advice}"

    return explained


_LINES: Final[Mapping[str, Callable[[Asked, str, str], str]]] = {
    **dict.fromkeys(_MAY_NOT, _forbidden),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException"), _expired),
    **dict.fromkeys(
        (
            *("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"),
            *("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature"),
            *("InvalidSignatureException", "MissingAuthenticationToken"),
        ),
        _unknown_key,
    ),
    **dict.fromkeys(("RequestExpired", "RequestInTheFuture"), _clock),
    **dict.fromkeys(("OptInRequired", "PendingVerification", "Blocked"), _not_signed_up),
    **dict.fromkeys(
        ("InvalidSubnetID.NotFound", "InvalidSubnet", "InvalidSubnetId.Malformed"),
        _asks_for("give a subnet of this region"),
    ),
    **dict.fromkeys(
        ("InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable"),
        _asks_for("give an image of this region, or the SSM parameter that names one"),
    ),
    **dict.fromkeys(
        ("VPCIdNotSpecified", "DefaultVpcDoesNotExist", "MissingInput"),
        _asks_for("there is no default network in this region: give subnets"),
    ),
    **dict.fromkeys(
        ("InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
        _asks_for("give allowFrom groups of the same network"),
    ),
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted": _asks_for(
        "create the service-linked role of spot once: aws iam create-service-linked-role"
        " --aws-service-name spot.amazonaws.com"
    ),
    "InsufficientInstanceCapacity": _asks_for(
        "run up again later, or take another zone, instance type or region"
    ),
    "InvalidBlockDeviceMapping": _asks_for("give a diskGib that holds the image"),
    "OperationNotPermitted": _asks_for("take its protection against termination away first"),
}
