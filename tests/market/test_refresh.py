"""`moorage catalog refresh`: what sellers say becomes rows, unless nobody would believe it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from moorage.cli import main
from moorage.plan.catalogue import catalog
from moorage.plan.catalogue.offers import Offer
from tests.market.sellers import Sellers, compute, hardware

TODAY = datetime.now(tz=UTC).date().isoformat()


def rows(project: Path, kind: str) -> dict[str, Offer]:
    return {
        row.key: row for row in catalog.price_rows(project / "catalog" / "prices" / f"{kind}.yaml")
    }


def text(project: Path, kind: str) -> str:
    return (project / "catalog" / "prices" / f"{kind}.yaml").read_text(encoding="utf-8")


def refreshed(*words: str) -> int:
    return main(["catalog", "refresh", *words])


def test_endpoints_get_a_row_for_every_region(
    project: Path, sellers: Sellers, capsys: pytest.CaptureFixture[str]
) -> None:
    sellers.computes = {
        ("aws", "us-east-1"): [
            compute("nvidia-l4", "x1", 0.85),
            compute("nvidia-l4", "x4", 3.8, status="low_availability"),
            compute("intel-spr", "x1", 0.033),
            compute("inf2", "x1", 0.75, accelerator="neuron"),
            compute("nvidia-gx9", "x1", 9.0),
        ],
        ("aws", "eu-west-1"): [compute("nvidia-l4", "x1", 0.8)],
        ("mars", "north"): [compute("nvidia-l4", "x1", 0.8)],
    }
    assert refreshed("--kind", "hf-endpoint") == 0
    found = rows(project, "hf-endpoint")
    row = found["hf-endpoint/aws/us-east-1/nvidia-l4-x1"]
    assert (row.usd, row.date, row.count, row.memory_gib) == (Decimal("0.85"), TODAY, 1, 16)
    assert row.confidence == "published"
    assert found["hf-endpoint/aws/us-east-1/nvidia-l4-x4"].status == "low-availability"
    assert found["hf-endpoint/aws/eu-west-1/nvidia-l4-x1"].usd == Decimal("0.80")
    assert found["hf-endpoint/aws/us-east-1/intel-spr-x1"].gpu is None
    assert "hf-endpoint/aws/nvidia-l4-x1" not in found  # its regions took over
    said = capsys.readouterr().out
    assert "+ hf-endpoint/aws/us-east-1/nvidia-l4-x1 $0.85 per hour, available" in said
    assert "? aws/us-east-1/inf2-x1: no engine runs on neuron" in said
    assert "? aws/us-east-1/nvidia-gx9-x1: catalog/gpus.yaml does not know its GPU" in said
    assert "? mars/north/nvidia-l4-x1: catalog/hf-endpoint.yaml does not know the region" in said


def test_what_is_no_longer_listed_stays_and_says_so(project: Path, sellers: Sellers) -> None:
    sellers.computes = {("aws", "us-east-1"): [compute("nvidia-l4", "x1", 0.8)]}
    assert refreshed("--kind", "hf-endpoint") == 0
    found = rows(project, "hf-endpoint")
    gone = found["hf-endpoint/gcp/nvidia-h100-x1"]
    assert (gone.status, gone.date) == ("not-available", "2026-08-20")
    assert found["hf-endpoint/aws/nvidia-b200-x1"].status == "deprecated"


def test_a_second_refresh_of_the_same_day_changes_nothing(project: Path, sellers: Sellers) -> None:
    sellers.computes = {("aws", "us-east-1"): [compute("nvidia-l4", "x1", 0.8)]}
    assert refreshed("--kind", "hf-endpoint") == 0
    once = text(project, "hf-endpoint")
    assert once.startswith("# What hf-endpoint costs")
    assert refreshed("--kind", "hf-endpoint") == 0
    assert text(project, "hf-endpoint") == once
    assert main(["catalog", "check"]) == 0


def test_the_quota_of_a_namespace_is_written(
    project: Path, sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_somebody")
    sellers.computes = {("aws", "us-east-1"): [compute("nvidia-l4", "x1", 0.8)]}
    assert refreshed("--kind", "hf-endpoint", "--namespace", "acme") == 0
    assert sellers.asked == [("/v2/provider/acme", "Bearer hf_somebody")]
    assert rows(project, "hf-endpoint")["hf-endpoint/aws/us-east-1/nvidia-l4-x1"].quota == 5
    assert "hf_somebody" not in text(project, "hf-endpoint")


@pytest.mark.parametrize(
    ("usd", "rule"),
    [
        (0, "price-zero"),
        (80, "price-jump"),
        (0.008, "price-jump"),
        (2.5, "price-jump"),
        (0.2, "price-jump"),
    ],
)
def test_a_price_that_nobody_believes_is_refused(
    project: Path,
    sellers: Sellers,
    capsys: pytest.CaptureFixture[str],
    usd: float,
    rule: str,
) -> None:
    """Nothing, a hundred times as much, a hundredth, more than three times, less than a third."""
    before = text(project, "hf-endpoint"), text(project, "hf-space")
    sellers.computes = {("aws", "us-east-1"): [compute("nvidia-l4", "x1", usd)]}
    sellers.spaces = [hardware("l4x1", 0.0134, "L4")]
    assert refreshed("--kind", "hf-space", "--kind", "hf-endpoint") == 1
    said = capsys.readouterr().out
    assert f"catalog/prices/hf-endpoint.yaml:1:1 {rule}" in said.replace(
        "catalog/hf-endpoint.yaml", "catalog/prices/hf-endpoint.yaml"
    )
    assert "nothing is written" in said
    assert before == (text(project, "hf-endpoint"), text(project, "hf-space"))


def test_a_price_that_a_person_accepts_is_written(project: Path, sellers: Sellers) -> None:
    sellers.computes = {
        ("aws", "us-east-1"): [compute("nvidia-l4", "x1", 3), compute("nvidia-t4", "x1", 2)]
    }
    key = "hf-endpoint/aws/us-east-1/nvidia-l4-x1"
    assert refreshed("--kind", "hf-endpoint", "--accept", key) == 1  # the T4 is not accepted
    assert refreshed("--kind", "hf-endpoint", "--accept-all", "--dry-run") == 0
    assert key not in rows(project, "hf-endpoint")
    assert refreshed("--kind", "hf-endpoint", "--accept-all") == 0
    assert rows(project, "hf-endpoint")[key].usd == 3


def test_spaces_are_priced_by_the_minute(project: Path, sellers: Sellers) -> None:
    sellers.spaces = [
        hardware("cpu-basic", 0),
        hardware("l4x1", 0.013333, "L4"),
        hardware("a10g-largex4", 0.083333, "A10G", 4),
        hardware("rtx-pro-6000", 0.045833, "RTX PRO 6000"),
        hardware("zero-a10g", 0, "A10G"),
    ]
    assert refreshed("--kind", "hf-space") == 0
    found = rows(project, "hf-space")
    assert found["hf-space/l4x1"].usd == Decimal("0.80")
    assert found["hf-space/l4x1"].gpu == "nvidia-l4"
    assert found["hf-space/a10g-largex4"].usd == 5
    assert found["hf-space/a10g-largex4"].count == 4
    assert found["hf-space/rtx-pro-6000"].usd == Decimal("2.75")
    assert found["hf-space/cpu-basic"].free
    assert found["hf-space/t4-small"].status == "not-available"
    assert "hf-space/zero-a10g" not in found
    assert main(["catalog", "check"]) == 0


def test_a_model_is_followed_at_every_provider_that_tells_its_price(
    project: Path, sellers: Sellers, capsys: pytest.CaptureFixture[str]
) -> None:
    sellers.models = [
        {
            "id": "acme/chat",
            "providers": [
                {
                    "provider": "together",
                    "status": "live",
                    "pricing": {"input": 0.1, "output": 0.4},
                },
                {"provider": "novita", "status": "error", "pricing": {"input": 0.2, "output": 0.5}},
                {"provider": "fireworks-ai", "status": "live"},
            ],
        },
        {"id": "acme/other", "providers": []},
    ]
    assert refreshed("--kind", "hf-router", "--model", "acme/chat") == 0
    found = rows(project, "hf-router")
    assert found["hf-router/together/acme/chat:output"].usd == Decimal("0.40")
    assert found["hf-router/together/acme/chat:input"].per == "mtok-input"
    assert found["hf-router/novita/acme/chat:input"].status == "not-available"
    assert len(found) == 4
    assert "? acme/chat at fireworks-ai: nobody says what it costs" in capsys.readouterr().out
    sellers.models = []
    assert refreshed("--kind", "hf-router") == 0  # it is followed from now on
    assert "? acme/chat: the router does not list it" in capsys.readouterr().out
    assert main(["catalog", "check"]) == 0


@pytest.fixture(scope="module")
def ec2() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(sellers: Sellers, ec2: str, monkeypatch: pytest.MonkeyPatch) -> Sellers:
    """EC2 is moto's, which knows the instance types; the Price List is ours."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", ec2)
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", sellers.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return sellers


def test_instances_are_asked_of_ec2_and_the_price_list(
    project: Path, aws: Sellers, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.ec2_usd = {
        ("us-east-1", "g6e.xlarge"): "1.9000000000",
        ("us-east-1", "p4d.24xlarge"): "21.9576420000",
        ("us-east-1", "g6.2xlarge"): "0.9776000000",
    }
    before = rows(project, "ec2-gpu")
    words = ["--accept", "ec2-gpu/aws/us-east-1/g6e.xlarge/spot"]  # moto's spot market is a gift
    words += ["--accept", "ec2-gpu/aws/us-east-1/g6e.8xlarge/spot"]
    assert refreshed("--kind", "ec2-gpu", "--instance", "g6.2xlarge", "--accept-all", *words) == 0
    found = rows(project, "ec2-gpu")
    asked = found["ec2-gpu/aws/us-east-1/g6e.xlarge"]
    assert (asked.usd, asked.gpu, asked.count) == (Decimal("1.90"), "nvidia-l40s", 1)
    assert (asked.memory_gib, asked.date) == (32, TODAY)
    small = found["ec2-gpu/aws/us-east-1/p4d.24xlarge"]
    assert (small.gpu, small.count, small.usd) == ("nvidia-a100-40", 8, Decimal("21.957642"))
    assert found["ec2-gpu/aws/us-east-1/g6.2xlarge"].gpu == "nvidia-l4"
    spot = found["ec2-gpu/aws/us-east-1/g6e.xlarge/spot"]
    assert (spot.usd, spot.market) == (Decimal("0.00001"), "spot")
    unpriced = "ec2-gpu/aws/us-east-1/g5.xlarge"
    assert found[unpriced] == before[unpriced]
    assert "us-east-1/g5.xlarge: its price is not listed; left as it was" in capsys.readouterr().out


def test_another_region_gets_rows_of_everything_that_it_sells(project: Path, aws: Sellers) -> None:
    for region, usd in {"us-east-1": "0.805", "eu-west-1": "0.899"}.items():
        aws.ec2_usd[region, "g6.xlarge"] = usd
    assert refreshed("--kind", "ec2-gpu", "--region", "eu-west-1", "--accept-all") == 0
    found = rows(project, "ec2-gpu")
    assert found["ec2-gpu/aws/eu-west-1/g6.xlarge"].usd == Decimal("0.899")
    assert found["ec2-gpu/aws/us-east-1/g6.xlarge"].date == TODAY


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("moorage: ")
    return said


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "it wants a token"),
        (403, "may not see this"),
        (429, "too often"),
        (500, "answered 500"),
    ],
)
def test_a_seller_that_refuses_is_one_line(
    project: Path, sellers: Sellers, capsys: pytest.CaptureFixture[str], status: int, says: str
) -> None:
    sellers.status = status
    before = text(project, "hf-space")
    assert refreshed("--kind", "hf-space") == 3
    assert says in one_line(capsys)
    assert text(project, "hf-space") == before


@pytest.mark.parametrize("kind", ["hf-endpoint", "hf-space", "hf-router"])
def test_no_network_is_one_line(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    for name in ("MOORAGE_HF_ENDPOINTS_URL", "MOORAGE_HF_ROUTER_URL", "HF_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert refreshed("--kind", kind, "--model", "acme/chat") == 3
    assert "told no prices" in one_line(capsys)


def test_no_credentials_of_aws_are_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    assert refreshed("--kind", "ec2-gpu") == 3
    assert "Unable to locate credentials" in one_line(capsys)


def test_a_seller_that_says_nothing_is_left_after_the_deadline(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert refreshed("--kind", "hf-space", "--deadline", "0.3") == 3
        assert time.monotonic() - began < 5
    assert "timed out" in one_line(capsys)


@pytest.mark.parametrize("answer", [[{"name": "l4x1"}], {"error": "no"}, None])
def test_an_answer_of_another_form_is_one_line(
    project: Path, sellers: Sellers, capsys: pytest.CaptureFixture[str], answer: object
) -> None:
    sellers.spaces = answer  # type: ignore[assignment]
    assert refreshed("--kind", "hf-space") == 3
    assert "is not understood" in one_line(capsys)


def test_no_model_to_follow_is_one_line(
    project: Path, sellers: Sellers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refreshed("--kind", "hf-router") == 3
    assert "name one: --model" in one_line(capsys)
