"""Property diffs: what changes, why it replaces, and never a secret on either side."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pulumi.automation.events import StepEventMetadata

from moorage.deploy.events import Failed, Finished, Started
from moorage.deploy.show import diffs, money, values
from moorage.deploy.show.money import Money

URN = "urn:pulumi:local::demo::moorage:index:Process::engine"
# As CLI 3.259 sends them; the values themselves never leave it.
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SECRET |= {"ciphertext": "[secret]"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
WAS, IS = "sk-was", "sk-is"


def step(
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    *,
    op: str = "update",
    detailed: dict[str, str] | None = None,
    **more: Any,
) -> StepEventMetadata:
    """A step as the engine tells it, between two states of the inputs."""
    told: dict[str, Any] = {"op": op, "urn": URN, "type": "moorage:index:Process", **more}
    for name, inputs in (("old", old), ("new", new)):
        if inputs is not None:
            told[name] = {"urn": URN, "custom": True, "inputs": inputs, "outputs": inputs}
    told["detailedDiff"] = {
        path: {"diffKind": kind, "inputDiff": True} for path, kind in (detailed or {}).items()
    }
    return StepEventMetadata.from_json(told)


def lines(detail: StepEventMetadata, *, full: bool = False) -> list[str]:
    return diffs.lines(diffs.changes(detail, full=full), full=full)


def test_what_the_provider_names_is_shown_by_pulumi_s_paths() -> None:
    detail = step(
        {"ready": {"path": "/health"}, "args": ["a", "b"], "gone": True},
        {"ready": {"path": "/v1/models"}, "args": ["a", "c"], "labels": {"a b": 1}},
        detailed={
            "ready.path": "update",
            "args[1]": "update",
            'labels["a b"]': "add",
            "gone": "delete",
        },
    )
    assert lines(detail) == [
        '~ ready.path: "/health" -> "/v1/models"',
        '~ args[1]: "b" -> "c"',
        '+ labels["a b"]: 1',
        "- gone: true",
    ]


def test_a_property_that_forces_a_replacement_is_marked_and_is_the_reason() -> None:
    detail = step(
        {"directory": "/a", "size": 1},
        {"directory": "/b", "size": 2},
        op="replace",
        detailed={"directory": "update-replace", "size": "update"},
    )
    found = diffs.changes(detail)
    assert diffs.lines(found) == ['~ directory: "/a" -> "/b"  (replaces)', "~ size: 1 -> 2"]
    assert diffs.reason(detail, found) == "directory changed"


def test_a_provider_that_names_keys_only_is_compared_by_us() -> None:
    detail = step(
        {"path": "/a", "env": {"X": "1", "KEY": SECRET}},
        {"path": "/b", "env": {"X": "2", "KEY": SECRET, "Y": "3"}},
        op="replace",
        diffs=["path", "env"],
        keys=["path"],
    )
    found = diffs.changes(detail)
    assert diffs.lines(found) == [
        '~ path: "/a" -> "/b"  (replaces)',
        '~ env.X: "1" -> "2"',
        "~ env.KEY: [secret], may differ",
        '+ env.Y: "3"',
    ]
    assert diffs.reason(detail, found) == "path changed"


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"key": WAS}, {"key": SECRET}, ["key"]),
        ({"key": SECRET}, {"key": IS}, ["key"]),
        ({"env": {"KEY": WAS}}, {"env": SECRET}, ["env.KEY"]),
        ({"env": SECRET}, {"env": {"KEY": IS}}, ["env.KEY"]),
        ({"env": SECRET}, {"env": {"KEY": IS}}, ["env"]),
        ({"list": [{"a": SECRET}]}, {"list": [{"a": IS}]}, ["list[0].a", "list"]),
        ({"list": [WAS]}, {"list": [SECRET]}, ["list[0]"]),
        ({}, {"key": "[secret]"}, ["key"]),
        ({"key": "[secret]"}, {"key": IS}, ["key"]),
        ({"env": {"a": {"b": WAS}}}, {"env": {"a": SECRET}}, ["env", "env.a.b"]),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_what_is_secret_on_one_side_is_shown_on_none(
    old: dict[str, Any], new: dict[str, Any], paths: list[str], named: bool
) -> None:
    detail = step(old, new, detailed=dict.fromkeys(paths, "update") if named else None)
    text = "\n".join(lines(detail, full=True))
    assert "[secret]" in text
    assert WAS not in text
    assert IS not in text
    assert WAS not in repr(Started(urn=URN, step="update", detail=detail))


def test_a_property_whose_output_is_secret_is_masked_in_the_inputs_too() -> None:
    detail = step({"token": WAS}, {"token": IS}, detailed={"token": "update"})
    assert detail.old is not None
    detail.old.outputs = {"token": SECRET}
    assert lines(detail) == ["~ token: [secret]"]


def test_a_part_of_a_secret_is_named_although_nobody_sees_into_it() -> None:
    """A whole map is one secret to the engine; the provider knows which of its members differs."""
    paths = {"secrets.KEY": "update", "secrets.NEW": "add", "secrets.OLD": "delete"}
    detail = step({"secrets": SECRET}, {"secrets": SECRET}, detailed=paths)
    assert lines(detail) == [
        "~ secrets.KEY: [secret]",
        "+ secrets.NEW: [secret]",
        "- secrets.OLD: [secret]",
    ]


def test_what_only_the_run_can_tell_says_so() -> None:
    detail = step({"url": "http://a"}, {"url": UNKNOWN}, detailed={"url": "update"})
    assert lines(detail) == ['~ url: "http://a" -> (known after the up)']


def test_long_values_lack_their_middle_and_many_lines_their_end() -> None:
    detail = step({"a": "x" * 500}, {"a": "y" * 500})
    (line,) = lines(detail)
    assert len(line) < 140
    assert "xxx...xxx" in line
    many = step({}, {f"k{n}": n for n in range(20)})
    assert lines(many)[-1] == "and 14 more (`--diff` shows all)"
    assert len(lines(many, full=True)) == 20


def test_texts_of_several_lines_are_compared_line_by_line() -> None:
    old = "\n".join(f"line {n}" for n in range(50))
    detail = step({"script": old}, {"script": old.replace("line 20", "line \x1b[2Jtwenty")})
    assert lines(detail) == [
        "~ script:",
        "    @@ -20,3 +20,3 @@",
        "     line 19",
        "    -line 20",
        "    +line \\x1b[2Jtwenty",
        "     line 21",
    ]


def test_an_update_without_changes_says_what_it_makes_good() -> None:
    detail = step({"a": 1}, {"a": 1})
    assert detail.old is not None
    detail.old.init_errors = ["no answer from\nport 80"]
    assert lines(detail) == []
    assert diffs.reason(detail, []) == "it did not get ready: no answer from port 80"


def test_pulumi_s_own_book_keeping_is_no_difference() -> None:
    old = {"a": {"__defaults": ["x"], "b": 1}, "__defaults": []}
    new = {"a": {"__defaults": ["y"], "b": 1}, "__defaults": ["z"]}
    assert lines(step(old, new)) == []
    assert lines(step(old, new, detailed={"a.__defaults[0]": "update"})) == []


def test_a_file_is_told_by_its_hash_and_a_resource_by_its_name() -> None:
    asset = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17"}
    other = {"4dabf18193072939515e22adb298388d": "5cf8f73096256a8f31e491e813e4eb8e", "urn": URN}
    old = {"code": asset | {"hash": "0123456789"}}
    assert lines(step(old, {"code": asset | {"hash": "abcdefghij"}, "of": other})) == [
        "~ code: (file 01234567) -> (file abcdefgh)",
        "+ of: (engine)",
    ]


def test_a_new_resource_is_told_whole_only_when_asked_for() -> None:
    detail = step(None, {"path": "/a", "key": SECRET}, op="create")
    assert lines(detail) == []
    assert lines(detail, full=True) == ['+ path: "/a"', "+ key: [secret]"]


@pytest.mark.parametrize("path", ["a.b[0].c", 'a["b c"].d', '["a.b"][3]', 'a["say \\"no\\""]'])
def test_paths_are_read_as_they_are_written(path: str) -> None:
    assert values.write_path(values.parse_path(path)) == path


def told(kind: Any, op: str, old: float | None, new: float | None, **more: Any) -> Any:
    before = None if old is None else {"hourlyUsd": old}
    after = None if new is None else {"hourlyUsd": new}
    return kind(urn=URN, step=op, detail=step(before, after, op=op, **more))


def sums(*events: Any) -> tuple[str, str, str]:
    counted = Money()
    for event in events:
        counted.take(event)
    amounts = (counted.before_usd, counted.now_usd, counted.after_usd)
    return tuple(map(money.write, amounts))  # type: ignore[return-value]


def test_a_replaced_resource_costs_twice_while_both_exist() -> None:
    begun = [told(Started, "create-replacement", 0.8, 1.2)]
    assert sums(*begun) == ("0.80", "0.80", "1.20")
    begun.append(told(Finished, "create-replacement", 0.8, 1.2))
    assert sums(*begun) == ("0.80", "2.00", "1.20")
    begun += [told(kind, "replace", 0.8, 1.2) for kind in (Started, Finished)]
    begun += [told(kind, "delete-replaced", 0.8, None) for kind in (Started, Finished)]
    assert sums(*begun) == ("0.80", "1.20", "1.20")


def test_one_that_is_deleted_first_costs_nothing_in_between() -> None:
    begun = [told(kind, "delete-replaced", 0.8, None) for kind in (Started, Finished)]
    assert sums(*begun) == ("0.80", "0.00", "0.00")
    begun += [told(kind, "create-replacement", 0.8, 1.2) for kind in (Started, Finished)]
    assert sums(*begun) == ("0.80", "1.20", "1.20")


def test_what_an_earlier_run_left_to_be_deleted_is_not_the_one_that_stays() -> None:
    """It has the same URN; a run that died before its deletion leaves it to the next one."""

    def named(event: Any, id_: str) -> Any:
        for state in (event.detail.old, event.detail.new):
            if state is not None:
                state.id = id_
        return event

    begun = [named(told(kind, "update", 0.8, 0.8), "acme/new") for kind in (Started, Finished)]
    begun.append(named(told(Started, "delete-replaced", 1.2, None), "acme/old"))
    assert sums(*begun) == ("2.00", "2.00", "0.80")
    begun.append(named(told(Finished, "delete-replaced", 1.2, None), "acme/old"))
    assert sums(*begun) == ("2.00", "0.80", "0.80")


def test_what_failed_costs_as_soon_as_it_exists() -> None:
    failed = told(Failed, "create", None, 0.5)
    assert sums(told(Started, "create", None, 0.5), failed)[1] == "0.00"
    failed.detail.new.id = "i-1"
    assert sums(told(Started, "create", None, 0.5), failed)[1] == "0.50"


def test_a_destroyed_resource_costs_nothing_and_a_strange_price_counts_nothing() -> None:
    assert sums(*(told(kind, "delete", 0.1, None) for kind in (Started, Finished))) == (
        "0.10",
        "0.00",
        "0.00",
    )
    strange: Any = True
    assert sums(told(Started, "create", None, strange)) == ("0.00", "0.00", "0.00")


def test_amounts_have_cents_and_further_digits_only_where_they_are_needed() -> None:
    shown = [money.write(Decimal(text)) for text in ("0", "0.8", "100", "0.0331", "1.230")]
    assert shown == ["0.00", "0.80", "100.00", "0.0331", "1.23"]
