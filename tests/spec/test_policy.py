"""A policy is read with places; every mistake of it is told at once, in plain words."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from moorage.plan.catalogue import catalog
from moorage.spec import document, policy_parse, policy_schema, shape
from moorage.spec.policy import Policy, TeamPolicy, TierPolicy, Waiver
from moorage.spec.policy_parse import ParsedPolicy

ROOT = Path(__file__).parent.parent.parent
OWN = ROOT / "specs" / "policy.yaml"
KINDS = ("hf-endpoint", "docker-host", "local", "openai")
SCHEMA = policy_schema.build(KINDS)
REAL = policy_schema.build(catalog.read(ROOT / "catalog").kinds)
SECRET = "hf_abcdefghijklmnopqrstuvwxyz"

FULL = """\
apiVersion: moorage/v1
kind: Policy
licenses: {allow: [Apache-2.0, MIT], refuse: [CC-BY-NC-4.0]}
tiers:
  confidential: {kinds: [hf-endpoint, docker-host], routers: [], regions: [eu]}
  restricted: {kinds: [docker-host, local]}
gpus: {allow: [nvidia-l4], per_service: 8, total: 64, replace: delete-first}
budgets:
  total_usd: 20000
  teams:
    support: {owner: support-leads@example.com, monthly_usd: 5000.10}
    search: {}
owners: {needed: true}
prices: {warn_after: 30d, refuse_after: 90d}
remote_code: [nomic-ai/nomic-embed-text-v1.5]
rules: {price-stale: off, budget: warning}
waivers:
  - rule: license-not-allowed
    service: support-chat
    owner: legal@example.com
    reason: see LEGAL-42
    expires: 2027-01-31
"""


def parsed(text: str) -> ParsedPolicy:
    return policy_parse.parse(text, "policy.yaml", schema=SCHEMA)


def said(text: str) -> list[str]:
    return [str(problem).removeprefix("policy.yaml:") for problem in parsed(text).problems]


def test_everything_that_a_policy_can_say_is_understood() -> None:
    assert parsed(FULL).policy == Policy(
        licenses_allow=("Apache-2.0", "MIT"),
        licenses_refuse=("CC-BY-NC-4.0",),
        tiers={
            "confidential": TierPolicy(
                kinds=("hf-endpoint", "docker-host"), routers=(), regions=("eu",)
            ),
            "restricted": TierPolicy(kinds=("docker-host", "local")),
        },
        gpus_allow=("nvidia-l4",),
        gpus_per_service=8,
        delete_first=True,
        gpus_total=64,
        total_usd=Decimal(20000),
        teams={
            "support": TeamPolicy(
                owner="support-leads@example.com", monthly_usd=Decimal("5000.10")
            ),
            "search": TeamPolicy(),
        },
        owner_needed=True,
        price_warn_days=30,
        price_refuse_days=90,
        remote_code=("nomic-ai/nomic-embed-text-v1.5",),
        rules={"price-stale": "off", "budget": "warning"},
        waivers=(
            Waiver(
                rule="license-not-allowed",
                service="support-chat",
                owner="legal@example.com",
                reason="see LEGAL-42",
                expires=date(2027, 1, 31),
                line=18,
            ),
        ),
        file="policy.yaml",
    )


def test_a_policy_that_says_nothing_allows_everything() -> None:
    policy = parsed("{apiVersion: moorage/v1, kind: Policy}").policy
    assert policy == Policy(file="policy.yaml")
    assert (policy.licenses_allow, policy.teams, policy.owner_needed) == (None, None, False)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("apiVersion: moorage/v1\n", "", "1:1 missing-key: the policy needs the key 'apiVersion'"),
        ("kind: Policy", "kind: ModelService", "2:7 unknown-value: 'kind' must be Policy, not"),
        ("licenses:", "licences:", "3:1 unknown-key: the policy has no key 'licences'; did you"),
        ("hf-endpoint, d", "hf-endpiont, d", "5:26 unknown-value: entry 1 of 'kinds' must be"),
        ("hf-endpoint, d", "hf-endpiont, d", "did you mean 'hf-endpoint'?"),
        ("confidential:", "confidental:", "did you mean 'confidential'?"),
        (
            "replace: delete-first",
            "replace: never",
            "'replace' must be create-first or delete-first, not 'never'",
        ),
        ("per_service: 8", "per_service: 0.5", "must be a whole number from 1 to 1000000"),
        ("total_usd: 20000", "total_usd: 20k", "must be US dollars such as 0, 25 or 19.99, not"),
        ("total_usd: 20000", "total_usd: 20k", "write 20000"),
        ("search: {}", "Search Team: {}", "'teams' cannot have the key 'Search Team'"),
        (
            "warn_after: 30d",
            "warn_after: 30",
            "'warn_after' must be whole days such as 60d, not 30",
        ),
        ("warn_after: 30d", "warn_after: 720h", "must be whole days such as 60d, not '720h'"),
        ("budget: warning", "budget: warn", "must be off, warning or error, not 'warn'; did you"),
        ("budget: warning", "Budget: warning", "'rules' cannot have the key 'Budget'"),
        ("    reason: see LEGAL-42\n", "", "18:5 missing-key: entry 1 of 'waivers' needs the key"),
        ("2027-01-31", "soon", "'expires' must be a day such as 2027-01-31, not 'soon'"),
        ("2027-01-31", "2027-02-29", "22:5 policy-date: '2027-02-29' is no day of any year"),
        ("refuse_after: 90d", "refuse_after: 9d", "14:1 policy-prices: prices are warned of after"),
        ("warn_after: 30d", "warn_afer: 30d", "'prices' has no key 'warn_afer'; did you mean"),
        ("total_usd: 20000", "total_usd: 5000", "10:3 policy-budgets: the teams' budgets sum up"),
        ("total_usd: 20000", "total_usd: 5000", "sum up to $5,000.10, the total is $5,000.00"),
        ("[Apache-2.0, MIT]", "[MIT, MIT]", "'MIT' is given twice, first as entry 1"),
        ("[CC-BY-NC-4.0]", "[MIT]", "3:47 policy-duplicate: 'MIT' is allowed and refused"),
        ("[docker-host, local]", "[local, local]", "6:31 policy-duplicate: 'local' is given twice"),
        ("see LEGAL-42", SECRET, "21:13 secret-in-spec: this looks like a Hugging Face token"),
        (FULL, "", "1:1 empty-file: the file holds no policy"),
        (FULL, "# only words", "1:1 empty-file: the file holds no policy"),
        (FULL, "- a", "1:1 wrong-type: the policy must be a mapping (key: value), not a list"),
        (FULL, FULL + "---\na: 1\n", "yaml-documents: a second document begins here; a file holds"),
        (FULL, FULL + "kind: Policy\n", "duplicate-key: 'kind' is given twice, first in line 2"),
    ],
)
def test_a_mistake_is_told_at_its_place(old: str, new: str, problem: str) -> None:
    assert old in FULL
    lines = said(FULL.replace(old, new, 1))
    assert any(problem in line for line in lines), lines
    assert parsed(FULL.replace(old, new, 1)).policy is None


def test_every_mistake_is_told_at_once() -> None:
    text = FULL.replace("licenses:", "licences:").replace("Policy", "policy").replace("8,", "x,")
    assert [line.split(":")[0] for line in said(text)] == ["2", "3", "7"]


def test_a_waiver_given_twice_is_told_with_the_first_place() -> None:
    waiver = FULL[FULL.index("  - rule") :]
    assert "\n".join(said(FULL + waiver.replace("LEGAL-42", "LEGAL-43"))) == (
        "23:5 policy-duplicate: license-not-allowed is waived for 'support-chat' already "
        "in line 18; keep one of them"
    )


def test_severity_off_needs_no_quotes_though_yaml_reads_it_as_false() -> None:
    for written in ("off", "'off'", '"off"'):
        policy = parsed(FULL.replace("price-stale: off", f"price-stale: {written}")).policy
        assert policy is not None
        assert policy.rules["price-stale"] == "off"
    assert "must be off, warning or error" in said(FULL.replace(": off", ": false"))[0]


def test_a_rule_that_nobody_knows_is_told_with_the_one_that_was_meant() -> None:
    found = policy_parse.unknown_rules(parsed(FULL), ["price-stale", "license-allowed"])
    assert "".join(f"{problem}\n" for problem in found) == (
        "policy.yaml:16:27 policy-rule: there is no rule 'budget'\n"
        "policy.yaml:18:5 policy-rule: there is no rule 'license-not-allowed'; "
        "did you mean 'license-allowed'?\n"
    )
    known = ["price-stale", "budget", "license-not-allowed"]
    assert policy_parse.unknown_rules(parsed(FULL), known) == []


def test_a_gpu_that_the_catalogue_does_not_have_is_told() -> None:
    found = policy_parse.unknown_gpus(parsed(FULL), ["nvidia-l40s"])
    assert [str(problem) for problem in found] == [
        "policy.yaml:7:16 policy-gpu: there is no GPU 'nvidia-l4'; did you mean 'nvidia-l40s'?"
    ]
    assert policy_parse.unknown_gpus(parsed(FULL), ["nvidia-l4"]) == []
    assert policy_parse.unknown_gpus(parsed(""), []) == []


def test_a_project_keeps_its_policy_with_its_specs_or_at_its_top(tmp_path: Path) -> None:
    none = policy_parse.load(tmp_path, schema=SCHEMA)
    assert (none.policy, none.problems) == (Policy(), ())
    (tmp_path / "policy.yaml").write_text(FULL.replace("8,", "9,"))
    assert policy_parse.find(tmp_path) == tmp_path / "policy.yaml"
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "policy.yaml").write_text(FULL)
    both = policy_parse.load(tmp_path, schema=SCHEMA).policy
    assert both is not None
    assert (both.file, both.gpus_per_service) == ("specs/policy.yaml", 8)


def test_a_policy_that_cannot_be_read_is_a_problem_and_never_no_policy(tmp_path: Path) -> None:
    """A link into nowhere must not mean that everything is allowed."""
    (tmp_path / "policy.yaml").symlink_to("policy.yaml")
    read = policy_parse.load(tmp_path, schema=SCHEMA)
    assert read.policy is None
    assert [problem.rule for problem in read.problems] == ["unreadable-file"]


def test_the_policy_of_this_repository_is_good() -> None:
    read = policy_parse.load(ROOT, schema=REAL)
    assert read.problems == ()
    assert read.policy is not None
    assert read.policy.file == "specs/policy.yaml"


def test_what_its_comments_offer_is_good_too() -> None:
    """An example that does not parse would be worse than none."""
    head, kind, rest = OWN.read_text(encoding="utf-8").partition("kind: Policy\n")
    rest = rest.replace("waivers: []", "waivers:")
    shown = head + kind + re.sub(r"^( *)# ", r"\1", rest, flags=re.MULTILINE)
    read = policy_parse.parse(shown, "policy.yaml", schema=REAL)
    assert read.problems == ()
    policy = read.policy
    assert policy is not None
    assert (set(policy.tiers), len(policy.waivers)) == ({"confidential", "restricted"}, 1)
    assert (policy.owner_needed, set(policy.teams or ())) == (True, {"examples"})
    assert policy.licenses_allow is not None
    assert policy.total_usd is not None


def undescribed(schema: object, way: str = "") -> list[str]:
    """Every key without a description, or without something to copy."""
    if not isinstance(schema, dict):
        return []
    found = []
    for key, own in schema.get("properties", {}).items():
        shows = {"examples", "enum", "const", "default", "properties"} & set(own)
        rows_of_records = own.get("items", {}).get("properties")
        if "description" not in own or not (shows or rows_of_records):
            found.append(f"{way}.{key}")
        found += undescribed(own, f"{way}.{key}")
    for below in ("items", "additionalProperties"):
        found += undescribed(schema.get(below), f"{way}[]")
    return found


def examples(schema: Any) -> list[tuple[Any, Any]]:
    """Every schema that has examples, with each of them."""
    if not isinstance(schema, dict):
        return []
    below = [*schema.get("properties", {}).values()]
    below += [schema.get("items"), schema.get("additionalProperties")]
    own = [(schema, example) for example in schema.get("examples", ())]
    return own + [pair for part in below for pair in examples(part)]


def test_every_key_of_the_schema_is_explained_and_shown() -> None:
    assert undescribed(SCHEMA) == []


def test_every_example_of_the_schema_is_good() -> None:
    found = examples(SCHEMA)
    assert len(found) > 20
    for schema, example in found:
        Draft202012Validator(schema).validate(example)


def test_the_published_schema_is_a_schema_and_the_policy_fits_it() -> None:
    published = json.loads((ROOT / "specs" / "policy.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(published)
    tree, _ = document.read(OWN.read_text(encoding="utf-8"), "policy.yaml")
    assert tree is not None
    Draft202012Validator(published).validate(document.plain(tree))


WORDS = ["", "off", "{}", "[]", "null", "x: [", "- a", "60d", "1e9", "&a", "*a", "2027-13-01", "ü"]


def mutated(text: str, seed: int) -> str:
    """The text with a few of its parts cut, doubled, moved or replaced."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.randrange(12))
        new = chance.choice([*WORDS, text[at:end] * 2, chr(chance.randrange(1, 300))])
        text = text[:at] + new + text[end:]
    return text


@settings(max_examples=100)
@given(st.integers(min_value=0))
def test_a_mutated_policy_never_crashes_and_has_a_policy_or_problems(seed: int) -> None:
    read = parsed(mutated(FULL, seed))
    assert (read.policy is None) == bool(read.problems)


@settings(max_examples=100)
@given(st.integers(min_value=0))
def test_the_shape_is_judged_as_jsonschema_judges_it(seed: int) -> None:
    tree, problems = document.read(mutated(FULL.replace(": off", ": error"), seed), "policy.yaml")
    if tree is None or problems:
        return
    ours = shape.check(tree, SCHEMA, "policy.yaml", name="the policy")
    assert (not ours) == Draft202012Validator(SCHEMA).is_valid(document.plain(tree))
