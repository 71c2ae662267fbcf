"""What a pull request changes is told: money, privacy, what is replaced, in 25 lines."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from moorage.plan.facts import Lock
from moorage.plan.load import load
from moorage.plan.locks import lock
from moorage.plan.show.compare import LINES, Change, Move, compare, facts_moved, markdown_changes
from moorage.plan.types import Cost, Machine, Placement, Plan
from moorage.spec.types import Failover, Load, Publication, Slo

ROOT = Path(__file__).parent.parent.parent
REPLACE_ON = {"hf-endpoint": ("region", "vendor"), "local": ()}
SECRET = "hf_abcdefghijklmnopqrstuvwxyz"


def usd(amount: str) -> Cost:
    most = Decimal(amount)
    return Cost(least_usd=most / 4, expected_usd=most / 2, most_usd=most)


def placed(name: str = "hf-endpoint-1", **more: Any) -> Placement:
    machine = Machine(vendor="aws", region="eu-west-1", gpu="nvidia-l4", count=1)
    return structs.replace(
        Placement(name=name, kind=name.rpartition("-")[0], machine=machine), **more
    )


def plan(service: str = "chat", **more: Any) -> Plan:
    usual = Plan(
        service=service,
        team="support",
        model_id="Qwen/Qwen3-8B",
        revision="a" * 40,
        task="text-generation",
        max_model_len=4096,
        privacy_tier="confidential",
        regions=("eu",),
        placements=(placed(),),
        cost=usd("100"),
        slo=Slo(),
        failover=Failover(),
        load=Load(),
        spec_path=Path("specs/support/chat.yaml"),
    )
    return structs.replace(usual, **more)


def changes(before: list[Plan], after: list[Plan]) -> tuple[Change, ...]:
    return compare(before, after, replace_on=REPLACE_ON)


def told(before: Plan, after: Plan) -> list[str]:
    """What the comment says below its table."""
    lines = markdown_changes(changes([before], [after]))
    return lines[lines.index("") + 1 :] if "" in lines else []


def moved(**machine: Any) -> Plan:
    old = placed()
    assert old.machine is not None
    return plan(placements=(placed(machine=structs.replace(old.machine, **machine)),))


def test_plans_that_are_the_same_have_no_changes() -> None:
    assert changes([plan()], [plan()]) == ()
    assert markdown_changes(()) == ["No service changes."]


def test_a_new_service_costs_what_it_costs_and_an_old_one_no_more() -> None:
    added, removed = changes([plan("old")], [plan("new")])
    assert (added.service, added.what, added.before, added.after) == (
        "new",
        "added",
        None,
        usd("100"),
    )
    assert (removed.service, removed.what, removed.after) == ("old", "removed", None)
    assert added.placements == (Move(name="hf-endpoint-1", what="added"),)
    assert "\n".join(markdown_changes((added, removed))) == (
        "| service | | least a month | expected | most |\n"
        "|---|---|---|---|---|\n"
        "| new | added | $0.00 → $25.00 (+$25.00) | $0.00 → $50.00 (+$50.00) "
        "| $0.00 → $100.00 (+$100.00) |\n"
        "| old | removed | $25.00 → $0.00 (-$25.00) | $50.00 → $0.00 (-$50.00) "
        "| $100.00 → $0.00 (-$100.00) |\n"
        "| together |  | $25.00 | $50.00 | $100.00 |"
    )


def test_a_price_alone_is_a_change() -> None:
    (change,) = changes([plan()], [plan(cost=usd("100.50"))])
    assert (change.what, change.moved, change.placements) == ("changed", (), ())
    assert "$100.00 → $100.50 (+$0.50)" in markdown_changes((change,))[2]


@pytest.mark.parametrize(
    ("before", "after", "weaker"),
    [
        ({"privacy_tier": "confidential"}, {"privacy_tier": "internal"}, True),
        ({"privacy_tier": "internal"}, {"privacy_tier": "restricted"}, False),
        ({"regions": ("eu",)}, {"regions": ()}, True),
        ({"regions": ("eu",)}, {"regions": ("eu", "us")}, True),
        ({"regions": ("eu", "us")}, {"regions": ("eu",)}, False),
        ({"regions": ()}, {"regions": ("eu",)}, False),
    ],
)
def test_privacy_that_gets_weaker_is_marked(
    before: dict[str, Any], after: dict[str, Any], *, weaker: bool
) -> None:
    (change,) = changes([plan(**before)], [plan(**after)])
    assert [row.weaker for row in change.moved] == [weaker]
    (line,) = told(plan(**before), plan(**after))
    assert line.endswith("**(weaker)**") is weaker


def test_privacy_is_told_in_words() -> None:
    new = plan(privacy_tier="internal", regions=())
    assert told(plan(), new) == [
        "- chat: privacy tier `confidential` → `internal` **(weaker)**",
        "- chat: regions `eu` → `anywhere` **(weaker)**",
    ]


def test_what_is_published_is_told_and_marked_where_more_people_see_it() -> None:
    row = Publication(kind="model", name="tone", namespace="acme", folder=Path("/a/out"))
    elsewhere = structs.replace(row, folder=Path("/b/out"))
    public = structs.replace(row, visibility="public")
    before = plan(publish=(row,))
    assert told(before, plan(publish=(elsewhere,))) == []
    assert told(before, plan()) == ["- chat: model acme/tone `private` → `none`"]
    assert told(plan(), before) == ["- chat: model acme/tone `none` → `private`"]
    assert told(before, plan(publish=(public,))) == [
        "- chat: model acme/tone `private` → `public` **(weaker)**"
    ]
    asked_for = structs.replace(row, changes_by="pull-request", collection="Tones")
    assert told(before, plan(publish=(asked_for,))) == [
        "- chat: model acme/tone `private` → `private, by pull request, in collection Tones`"
    ]


def test_another_region_replaces_an_endpoint_and_more_copies_only_update_it() -> None:
    assert told(plan(), moved(region="us-east-1")) == [
        "- chat: hf-endpoint-1 **replaced**: region `eu-west-1` → `us-east-1`"
    ]
    assert told(plan(), moved(replicas_max=3)) == [
        "- chat: hf-endpoint-1 updated: replicas `1 to 1` → `1 to 3`"
    ]


def test_placements_come_and_go_by_their_names() -> None:
    after = plan(placements=(placed(), placed("local-2", machine=None)))
    assert told(plan(), after) == ["- chat: local-2 added"]
    assert told(after, plan()) == ["- chat: local-2 **removed**"]


def test_another_commit_or_precision_of_the_model_is_told() -> None:
    new = plan(revision="b" * 40, quantization="fp8")
    assert told(plan(), new) == [
        f"- chat: revision `{'a' * 40}` → `{'b' * 40}`",
        "- chat: quantization `none` → `fp8`",
    ]


def test_what_matters_most_comes_first() -> None:
    new = plan(
        privacy_tier="public",
        quantization="fp8",
        placements=(*moved(region="us-east-1", count=2).placements, placed("local-2")),
    )
    lines = compare([plan()], [new], replace_on=REPLACE_ON, facts={"chat": ["license was MIT"]})
    words = ("weaker", "replaced", "quantization", "added", "license was MIT")
    found = markdown_changes(lines)[4:]
    assert [word in line for word, line in zip(words, found, strict=True)] == [True] * 5


def test_a_hundred_changes_fit_on_a_page_and_the_dearest_are_shown() -> None:
    before = [plan(f"s{n:03}") for n in range(100)]
    after = [plan(f"s{n:03}", cost=usd(str(100 + n)), privacy_tier="public") for n in range(100)]
    lines = markdown_changes(changes(before, after))
    assert len(lines) == LINES
    assert lines[2].startswith("| s092 | changed")
    assert lines[9].startswith("| s099 | changed")
    assert lines[10].startswith("| 100 services |")
    assert lines[-1] == "- and 88 more"


def test_the_order_in_which_plans_come_changes_nothing() -> None:
    before = [plan(f"s{n}") for n in range(20)]
    after = [plan(f"s{n}", cost=usd(str(n)), regions=("us",)) for n in range(5, 25)]
    wanted = markdown_changes(changes(before, after))
    chance = random.Random(1)
    for _ in range(5):
        chance.shuffle(before)
        chance.shuffle(after)
        assert markdown_changes(changes(before, after)) == wanted


def test_nothing_that_a_spec_says_breaks_the_page_or_tells_a_secret() -> None:
    hostile = f"x` | <img src=x> @team\n# [a](http://e) {SECRET}"
    new = plan(
        hostile,
        model_id=hostile,
        placements=(placed(hostile, options={hostile: hostile}, env={"KEY": SECRET}),),
    )
    old = plan(hostile)
    lines = markdown_changes(changes([old], [new]) + changes([], [new]))
    assert SECRET not in "\n".join(lines)
    for line in lines:
        outside = re.sub(r"(?<!\\)`[^`]+`", "", line)  # in code nothing is a link or a mention
        assert set(outside).isdisjoint("<>@"), line
        assert re.search(r"(?<!\\)[`\[]", outside) is None, line
    for row in (line for line in lines if line.startswith("| ")):
        assert row.replace("\\|", "").count("|") == 6


def test_the_environment_of_an_engine_is_named_and_not_shown() -> None:
    new = plan(placements=(placed(env={"MODE": "hush"}),))
    assert told(plan(), new) == ["- chat: hf-endpoint-1 updated: env `none` → `other`"]
    newer = plan(placements=(placed(env={"MODE": "loud"}),))
    assert told(new, newer) == ["- chat: hf-endpoint-1 updated: env"]


def test_facts_that_moved_are_those_of_the_locks() -> None:
    text = (ROOT / "specs" / "examples" / "hello.lock.json").read_text(encoding="utf-8")
    old = lock.read(text, "hello.lock.json")
    assert isinstance(old, Lock)
    new = structs.replace(old, model=structs.replace(old.model, license="MIT"))
    assert facts_moved(old, new) == ("license was Apache-2.0, is MIT",)
    assert facts_moved(old, old) == facts_moved(None, old) == facts_moved(old, None) == ()


def test_the_plans_of_the_examples_compare_with_themselves_as_the_same(tmp_path: Path) -> None:
    plans = load([ROOT / "specs" / "examples" / "hello.yaml"], root=ROOT).plans
    assert changes(list(plans), list(plans)) == ()
    (before,) = plans
    first, second = before.placements
    more = structs.replace(second, options={**second.options, "parallel": 8})
    (line,) = told(before, structs.replace(before, placements=(first, more)))
    assert line == "- hello: local-2 updated: parallel `2` → `8`"
