"""Containers of one host share its GPUs: who names some gets them, the others get what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.plan.devices import Wish, assign, clashes, machine
from moorage.spec.problems import Place
from tests.plan.projects import judge
from tests.plan.test_cases import CASES


def wish(
    service: str,
    gpus: int = 1,
    ids: str = "",
    *,
    spare: str = "",
    host: str = "box",
    number: int = 0,
) -> Wish:
    return Wish(
        host=host,
        service=service,
        placement=f"docker-host-{number + 1}",
        number=number,
        gpus=gpus,
        ids=tuple(ids.split()),
        spare=tuple(spare.split()),
        file=f"{service}.yaml",
        at=Place(line=1, column=1),
    )


def assigned(*wished: Wish) -> dict[str, str]:
    found = {f"{row[0]}/{row[1][-1]}": " ".join(ids) for row, ids in assign(wished).items()}
    assert assign(reversed(wished)) == assign(wished), "the order of files decides nothing"
    return found


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        ((wish("a"), wish("b", 2)), {"a/1": "0", "b/1": "1 2"}),
        ((wish("a", 2), wish("b", ids="0")), {"a/1": "1 2", "b/1": "0"}),
        ((wish("a", 2), wish("b", ids="1", spare="2")), {"a/1": "0 3", "b/1": "1"}),
        ((wish("a"), wish("b", host="other")), {"a/1": "0", "b/1": "0"}),
        ((wish("a"), wish("a", number=1)), {"a/1": "0", "a/2": "1"}),
        ((wish("a", ids="GPU-0a1b"),), {"a/1": "GPU-0a1b"}),
    ],
)
def test_what_is_left_out_gets_the_lowest_numbers_that_nobody_names(
    wished: tuple[Wish, ...], expected: dict[str, str]
) -> None:
    assert assigned(*wished) == expected


@pytest.mark.parametrize(
    ("wished", "says"),
    [
        ((wish("a", ids="0 1"), wish("b", ids="1 2")), ["GPU 1 of box is taken by a.yaml"]),
        ((wish("a", ids="0"), wish("b", ids="1", spare="0")), ["GPU 0 of box is taken by a.yaml"]),
        (
            (wish("a", ids="0"), wish("a", ids="0", number=1)),
            ["GPU 0 of box is taken by docker-host-1"],
        ),
        (
            (wish("a", ids="GPU-0a"), wish("b")),
            ["GPUs of box are numbered here, and a.yaml names them by UUID"],
        ),
        ((wish("a", ids="0"), wish("b", ids="0", host="other")), []),
        ((wish("a"), wish("b", ids="0")), []),
    ],
)
def test_no_two_containers_get_one_gpu(wished: tuple[Wish, ...], says: list[str]) -> None:
    assert [row.says for row in clashes(wished)] == says


def test_a_set_that_takes_turns_with_itself_is_told() -> None:
    (problem,) = clashes([wish("a", ids="0", spare="0")])
    assert problem.says == "GPU 0 of box is taken by docker-host-1"


@pytest.mark.parametrize(
    "host", ["ssh://gpu-box-1", "ssh://me@gpu-box-1", "ssh://GPU-box-1:22", "ssh://it@gpu-box-1:22"]
)
def test_a_machine_is_the_same_whoever_logs_in(host: str) -> None:
    assert machine(host) == "gpu-box-1"


@pytest.mark.parametrize(
    "host", ["local", "unix:///run/docker.sock", "ssh://localhost", "ssh://me@127.0.0.1:22"]
)
def test_every_way_to_this_machine_leads_to_the_same_gpus(host: str) -> None:
    assert machine(host) == "local"


def test_a_port_of_this_machine_may_lead_to_another_one() -> None:
    assert machine("ssh://localhost:2222") == "localhost:2222"


def test_plans_say_which_gpus_their_containers_get(tmp_path: Path) -> None:
    root = tmp_path / "case"
    root.mkdir()
    for path in (CASES / "lets-two-services-share-a-host").iterdir():
        (root / path.name).symlink_to(path)
    plans = {plan.service: plan.placements[0] for plan in judge(root).plans}
    assert plans["support-chat"].device_ids == ("1", "2")
    assert plans["support-chat-small"].device_ids == ("0",)
