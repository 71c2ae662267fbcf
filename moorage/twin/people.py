"""Who there is in a twin: users, organisations, their tokens and what each token may do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

INFER: Final = "inference.endpoints.infer.write"
MANAGE: Final = "inference.endpoints.write"
ROUTE: Final = "inference.serverless.write"
ROLES: Final = ("write", "read", "fineGrained")
KINDS: Final = ("user", "org")


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token of a user; a fine-grained one may do only what is listed.

    It is listed by account, or by one repository: owner/name, with datasets/ or spaces/ before it.
    """

    text: str
    role: str = "write"
    scoped: Mapping[str, Sequence[str]] = field(default_factory=dict)  # where -> permissions
    everywhere: Sequence[str] = ()  # the permissions that whoami calls global
    reads_gated: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user with tokens, or an organisation with members."""

    name: str
    kind: str = "user"
    tokens: Sequence[Token] = ()
    members: Sequence[str] = ()  # the users of an organisation
    plan: str = "pro"  # free, pro, team or enterprise
    can_pay: bool = True
    credits_left: bool = True  # of Inference Providers
    bans_providers: Sequence[str] = ()  # that its admins disabled


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """A token that belongs to somebody."""

    token: Token
    user: Account


class People:
    """Every account, found by its name or by a token."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts: Final = {account.name: account for account in accounts}
        self._callers: Final = {
            token.text: Caller(token=token, user=account)
            for account in accounts
            for token in account.tokens
        }

    def caller(self, token: str | None) -> Caller | None:
        """Whose token it is; None for no token and for an unknown one."""
        return self._callers.get(token) if token else None

    def texts(self) -> tuple[str, ...]:
        """Every token that anybody has."""
        return tuple(self._callers)

    def belongs(self, user: Account, account: str) -> bool:
        """Whether the account is the user's own or an organisation it is a member of."""
        org = self.accounts.get(account)
        return user.name == account or (org is not None and user.name in org.members)

    def may(
        self, caller: Caller, account: str, permission: str, *, write: bool = True, repo: str = ""
    ) -> bool:
        """Whether the token may do something on an account, or on this one repository of it."""
        if not self.belongs(caller.user, account):
            return False
        if caller.token.role == "fineGrained":
            return permission in _granted(caller.token, account, repo)
        return not write or caller.token.role == "write"

    def may_call(self, caller: Caller, account: str) -> bool:
        """Whether the token may call endpoints of an account; a classic one of a member may."""
        return self.may(caller, account, INFER, write=False)

    def may_call_any(self, caller: Caller) -> bool:
        """Whether the token may call endpoints that are open to every account."""
        token = caller.token
        named = (*token.everywhere, *(one for some in token.scoped.values() for one in some))
        return token.role != "fineGrained" or INFER in named

    def described(self, caller: Caller) -> dict[str, Any]:
        """What `whoami-v2` says."""
        orgs = [org for org in self.accounts.values() if caller.user.name in org.members]
        return {
            "type": caller.user.kind,
            "id": identity(caller.user.name),
            "name": caller.user.name,
            "fullname": caller.user.name,
            "isPro": caller.user.plan == "pro",
            "canPay": caller.user.can_pay,
            "orgs": [_organisation(org) for org in orgs],
            "auth": {"type": "access_token", "accessToken": self._token(caller.token)},
        }

    def _token(self, token: Token) -> dict[str, Any]:
        told: dict[str, Any] = {"displayName": "twin", "role": token.role}
        if token.role == "fineGrained":
            told["fineGrained"] = {
                "canReadGatedRepos": token.reads_gated,
                "global": list(token.everywhere),
                "scoped": list(self._scopes(token)),
            }
        return told

    def _scopes(self, token: Token) -> Iterator[dict[str, Any]]:
        for name, permissions in token.scoped.items():
            account = self.accounts.get(name)
            kind, called = _repository(name) if "/" in name else ("user", name)
            kind = account.kind if account else kind
            entity = {"_id": identity(name), "type": kind, "name": called}
            yield {"entity": entity, "permissions": list(permissions)}


def identity(name: str) -> str:
    """The 24 digits under which the platform keeps an account."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _granted(token: Token, account: str, repo: str) -> tuple[str, ...]:
    return (*token.scoped.get(account, ()), *token.scoped.get(repo, ()), *token.everywhere)


def _repository(where: str) -> tuple[str, str]:
    """The kind of a repository and its name: spaces/acme/chat is the space acme/chat."""
    *folder, owner, name = where.split("/")
    return "".join(folder).removesuffix("s") or "model", f"{owner}/{name}"


def _organisation(org: Account) -> dict[str, Any]:
    return {
        "type": "org",
        "id": identity(org.name),
        "name": org.name,
        "fullname": org.name,
        "canPay": org.can_pay,
        "isEnterprise": org.plan == "enterprise",
        "plan": org.plan,
        "roleInOrg": "write",
    }
