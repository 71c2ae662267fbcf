"""What a whole spec costs, and what its placements are told: from a file to the plan."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from moorage.plan.load import Loaded, load
from moorage.plan.show.render import FORMATS
from moorage.plan.types import Plan
from tests.plan.fit.known import FACTS, ROOT
from tests.plan.projects import judge

QWEN = ("Qwen/Qwen3-8B", "b968826d9c46dd6066d109eabc6255188de91218", "text-generation")
RERANKER = ("BAAI/bge-reranker-v2-m3", "df764ef2e7994949ae05c4fff0f2ec8efbd4e983", "text-ranking")
ENDPOINT = "{kind: hf-endpoint, vendor: aws, region: eu-west-1, gpu: %s, count: 1%s}"


def judged(root: Path, body: str, model: tuple[str, str, str] = QWEN) -> Loaded:
    repo, revision, task = model
    text = (
        "apiVersion: moorage/v1\nkind: ModelService\nname: chat\nteam: support\n"
        f"model: {{id: {repo}, revision: {revision}, task: {task}}}\n{body}"
    )
    (root / "chat.yaml").write_text(text, encoding="utf-8")
    lock = FACTS / f"{repo.lower().replace('/', '--')}.lock.json"
    shutil.copy(lock, root / "chat.lock.json")
    return judge(root)


def planned(root: Path, body: str, model: tuple[str, str, str] = QWEN) -> Plan:
    loaded = judged(root, body, model)
    assert [row for row in loaded.problems if row.severity == "error"] == []
    return loaded.plans[0]


def test_who_is_first_once_the_dearer_is_left_out_is_expected_to_carry_the_load(
    tmp_path: Path,
) -> None:
    second = ENDPOINT % ("nvidia-l4", ", replicas: {min: 1, max: 2}")
    plan = planned(
        tmp_path,
        "budget: {monthly_usd: 1300, on_breach: cheapest-route}\n"
        "serving: {kv_cache_dtype: fp8, max_num_seqs: 8}\n"
        "load: {rps: 4, input_tokens: 512, output_tokens: 128}\n"
        f"providers: [{ENDPOINT % ('nvidia-l40s', '')}, {second}]\n",
    )
    (kept,) = plan.placements
    assert kept.name == "hf-endpoint-2"
    assert kept.cost.expected_usd == Decimal("1168.00")  # both replicas, all month
    assert "is expected to wait" not in " ".join(kept.reasons)


def test_the_app_is_paid_too(tmp_path: Path) -> None:
    body = f"budget: {{monthly_usd: 2000}}\nproviders: [{ENDPOINT % ('nvidia-l40s', '')}]\n"
    (tmp_path / "free").mkdir()
    (tmp_path / "paid").mkdir()
    free = planned(tmp_path / "free", f"{body}app: {{kind: hf-space}}\n")
    paid = planned(tmp_path / "paid", f"{body}app: {{kind: hf-space, hardware: t4-small}}\n")
    assert paid.app_cost is not None
    assert paid.app_cost.expected_usd == Decimal("292.00")  # 730 hours at 0.40
    assert paid.cost.expected_usd == free.cost.expected_usd + Decimal("292.00")


def test_a_rank_is_no_token(tmp_path: Path) -> None:
    """4 requests a second with 32 tokens each, and nothing written in return."""
    body = f"budget: {{monthly_usd: 2000}}\nproviders: [{ENDPOINT % ('nvidia-l4', '')}]\n"
    (placement,) = planned(tmp_path, body, RERANKER).placements
    assert placement.cost.usd_per_mtok == Decimal("1.7361")  # 584 over 336.384 million


def test_a_small_step_holds_no_more_requests_than_tokens(tmp_path: Path) -> None:
    body = (
        "budget: {monthly_usd: 2000}\nserving: {max_num_batched_tokens: 100}\n"
        f"providers: [{ENDPOINT % ('nvidia-l40s', '')}]\n"
    )
    (placement,) = planned(tmp_path, body).placements
    assert placement.flags["max-num-batched-tokens"] == 100
    assert placement.flags["max-num-seqs"] == 64


def host(more: str) -> str:
    return f"providers: [{{kind: docker-host, host: local, region: eu, {more}}}]\n"


def test_flags_that_moorage_says_itself_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    args = "{port: 9000, host: 0.0.0.0, served-model-name: x, enable-lora: true}"
    loaded = judged(tmp_path, f"serving: {{args: {args}}}\n{host('gpu: nvidia-l40s, count: 1')}")
    assert [row.rule for row in loaded.problems] == ["unknown-flag"] * 4


def test_an_image_of_ones_own_may_have_a_port_of_its_own(tmp_path: Path) -> None:
    image = f"registry.example.com/serve@sha256:{'0' * 64}"
    serving = f"serving: {{engine: custom, image: '{image}', args: {{port: 9000}}}}\n"
    loaded = judged(tmp_path, serving + host("gpu: nvidia-l40s, count: 1"))
    assert [row.rule for row in loaded.problems] == ["memory-unknown"]


def test_folders_of_moorage_itself_are_not_mounted_over(tmp_path: Path) -> None:
    mounts = "{/weights: /srv/a, /cache/: /srv/b, /cache/mine: /srv/c}"
    loaded = judged(tmp_path, host(f"gpu: nvidia-l40s, count: 1, mounts: {mounts}"))
    assert [(row.says, row.hint) for row in loaded.problems] == [
        ("'mounts' cannot have the key '/weights'", "its keys look like /draft"),
        ("'mounts' cannot have the key '/cache/'", "its keys look like /draft"),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ssh://gpu-1", "ssh://root@GPU-1:22"),
        ("local", "unix:///run/user/1000/docker.sock"),
    ],
)
def test_a_host_is_one_however_it_is_come_to(tmp_path: Path, one: str, other: str) -> None:
    entry = '{kind: docker-host, host: "%s", region: eu, gpu: nvidia-l40s, port: 9000, %s}'
    first, second = entry % (one, 'device_ids: ["0"]'), entry % (other, 'device_ids: ["0"]')
    loaded = judged(tmp_path, f"providers: [{first}, {second}]\n")
    assert {row.rule for row in loaded.problems} == {"device-clash", "port-clash"}


def test_what_is_no_address_is_told_so(tmp_path: Path) -> None:
    (problem,) = judged(tmp_path, host("gpu: nvidia-l40s, count: 1, address: 10.0.0.300")).problems
    assert problem.says == "10.0.0.300 is no IP address"


def test_a_host_of_which_nobody_says_the_memory_is_not_proven(tmp_path: Path) -> None:
    body = "serving: {engine: tei}\n" + host("on_change: downtime")
    (problem,) = judged(tmp_path, body, RERANKER).problems
    assert problem.rule == "memory-unknown"
    assert problem.hint == "say how much the host has: memory_gib: 64"


@pytest.mark.parametrize(
    ("serving", "used"),
    [
        ("engine: vllm", 4),
        ("engine: vllm, tensor_parallel: 2", 2),
        ("engine: vllm, tensor_parallel: 2, args: {data-parallel-size: 2}", 4),
        ("engine: vllm, tensor_parallel: 1, args: {pipeline-parallel-size: 3}", 3),
        ("engine: sglang, tensor_parallel: 2", 2),
        ("engine: sglang, tensor_parallel: 2, args: {dp-size: 2}", 4),
    ],
)
def test_gpus_that_nobody_uses_are_told(tmp_path: Path, serving: str, used: int) -> None:
    loaded = judged(tmp_path, f"serving: {{{serving}}}\n{host('gpu: nvidia-l40s, count: 4')}")
    told = [row.says for row in loaded.problems if row.rule == "gpus-idle"]
    assert [f" uses {used} of the 4 GPUs " in says for says in told] == [True] * (used < 4)


def test_an_engine_of_which_no_versions_are_known_is_told_without_one() -> None:
    small = ROOT / "specs" / "docker" / "small.yaml"
    assert "      llama.cpp: --ctx-size 8192 --parallel 4\n" in FORMATS["text"](
        load([small], root=ROOT)
    )
