"""The language of `specs/policy.yaml` as a JSON Schema: all that a platform team can allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from moorage.spec.forms import (
    DIALECT,
    LABEL,
    Schema,
    choice,
    count,
    day,
    label,
    money,
    record,
    repository,
    rows,
    section,
    switch,
    table,
    text,
    words,
)
from moorage.spec.language import API_VERSION, TIERS
from moorage.spec.policy import (
    CREATE_FIRST,
    DELETE_FIRST,
    PRICE_REFUSE_DAYS,
    PRICE_WARN_DAYS,
)

SEVERITIES: Final = ("off", "warning", "error")
SLUG: Final = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
DAYS: Final = r"^[0-9]{1,5}d$"

_MOST_GPUS: Final = 1_000_000
_MOST_NAMES: Final = 500

_TIER_SAYS: Final = {
    "public": "What services of tier public may use.",
    "internal": "What services of tier internal may use.",
    "confidential": "What services of tier confidential may use.",
    "restricted": "What services of tier restricted may use.",
}

_LICENSES: Final = {
    "allow": words(
        "The licences that a model may have: SPDX identifiers, or LicenseRef- and the Hub's word. "
        "Left out: every licence that is not refused.",
        most=_MOST_NAMES,
        examples=[["Apache-2.0", "MIT", "LicenseRef-llama3.1"]],
    ),
    "refuse": words(
        "The licences that no model may have.", most=_MOST_NAMES, examples=[["CC-BY-NC-4.0"]]
    ),
}

_GPUS: Final = {
    "allow": words(
        "The GPUs that may be used, as catalog/gpus.yaml names them. Left out: all.",
        most=_MOST_NAMES,
        examples=[["nvidia-l4", "nvidia-l40s"]],
    ),
    "per_service": count(
        "The most GPUs that one service may have, all its replicas together.",
        _MOST_GPUS,
        examples=[8],
    ),
    "total": count("The most GPUs that all services together may have.", _MOST_GPUS, examples=[64]),
    "replace": choice(
        "What goes first where an endpoint must be replaced by another. create-first: both stand, "
        "and are paid, until the new one serves. delete-first: where a quota has no room for two.",
        (CREATE_FIRST, DELETE_FIRST),
        CREATE_FIRST,
    ),
    "spot": switch(
        "Whether instances may be bought on the spot market, where they can be taken away at two "
        "minutes' notice.",
        default=True,
    ),
}

_TEAM: Final = record(
    {
        "owner": text(
            "Who is asked about the team's services that name no owner.",
            examples=["support-leads@example.com"],
        ),
        "monthly_usd": money(
            "The most that a month of all the team's services may cost.", examples=[5000]
        ),
    }
)

_BUDGETS: Final = {
    "total_usd": money(
        "The most that a month of all services may cost; the teams' shares must fit into it.",
        examples=[20000],
    ),
    "teams": table(
        "The teams that may have services. Left out: any team, without a ceiling of its own.",
        LABEL,
        _TEAM,
        examples=[{"support": {"owner": "support-leads@example.com", "monthly_usd": 5000}}],
    ),
}

_OWNERS: Final = {
    "needed": switch("Whether every service must have an owner, its own or its team's."),
}


def _age(description: str, days: int) -> Schema:
    return {
        "description": description,
        "type": "string",
        "pattern": DAYS,
        "errorMessage": "must be whole days such as 60d",
        "default": f"{days}d",
        "examples": [f"{days}d"],
    }


_PRICES: Final = {
    "warn_after": _age("From this age on, a price of the catalogue is warned of.", PRICE_WARN_DAYS),
    "refuse_after": _age("From this age on, nothing is planned with it.", PRICE_REFUSE_DAYS),
}

_WAIVER: Final = record(
    {
        "rule": text(
            "The rule that is not held against the service.",
            pattern=SLUG,
            errorMessage="must be the name of a rule such as license-not-allowed",
            examples=["license-not-allowed"],
        ),
        "service": label("The name of the service.", "support-chat"),
        "owner": text("Who answers for it.", examples=["legal@example.com"]),
        "reason": text("Why it is right.", examples=["signed a licence of our own, see LEGAL-42"]),
        "expires": day("The last day on which it counts.", "2027-01-31"),
    },
    ("rule", "service", "owner", "reason", "expires"),
)


def build(kinds: Iterable[str]) -> dict[str, Any]:
    """The schema of a policy; `kinds` are the placement kinds of the catalogue."""
    return {
        "$schema": DIALECT,
        "title": "A policy",
        "description": "What the platform team allows; what a policy does not say, it allows.",
        **record(_top(tuple(kinds)), ("apiVersion", "kind")),
    }


def _top(kinds: tuple[str, ...]) -> dict[str, Schema]:
    return {
        "apiVersion": {"description": "The version of this language.", "const": API_VERSION},
        "kind": {"description": "What the file describes.", "const": "Policy"},
        "licenses": section("The licences of models.", _LICENSES),
        "tiers": section(
            "What services may use, by their privacy tier.",
            {tier: section(_TIER_SAYS[tier], _tier(kinds)) for tier in TIERS},
        ),
        "gpus": section("The GPUs of all services.", _GPUS),
        "budgets": section("What services may cost, at worst.", _BUDGETS),
        "owners": section("Who answers for a service.", _OWNERS),
        "prices": section("How old a price may be.", _PRICES),
        "remote_code": rows(
            "The models whose repository may run code of its own.",
            repository("A repository of the Hub.", "nomic-ai/nomic-embed-text-v1.5"),
            most=_MOST_NAMES,
            examples=[["nomic-ai/nomic-embed-text-v1.5"]],
        ),
        "rules": table(
            "How grave a breach of a rule is, where it is not what the rule itself says.",
            SLUG,
            choice("off: not judged; warning: told; error: refuses the spec.", SEVERITIES),
            examples=[{"price-stale": "error"}],
        ),
        "waivers": rows(
            "Rules that are not held against one service, until a day.",
            _WAIVER,
            most=_MOST_NAMES,
        ),
    }


def _tier(kinds: tuple[str, ...]) -> dict[str, Schema]:
    kind = {"description": "A placement kind.", "type": "string", "enum": list(kinds)}
    return {
        "kinds": rows(
            "The placement kinds that may be used. Left out: every kind that honours the tier.",
            kind,
            examples=[list(kinds[:1])],
        ),
        "routers": words(
            "The providers of the Hugging Face router that may be used. Left out: those that "
            "honour the tier; with none in the list, no provider may.",
            most=_MOST_NAMES,
            examples=[["together"]],
        ),
        "regions": words(
            "The areas (eu) or regions (eu-west-1) that may be used. Left out: all.",
            most=_MOST_NAMES,
            examples=[["eu"]],
        ),
    }
