"""A model's facts: what stands on its card, in its configuration, and in its weights' headers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi
from msgspec import structs

from moorage import hub
from moorage.errors import Exit, MoorageError
from moorage.plan.facts import ModelFacts, Tensors
from moorage.twin.hub import Hub, Repo, serve
from tests.hub.making import safetensors, write_gguf

SHARDS = {
    "model-00001-of-00002.safetensors": safetensors(
        {
            "model.embed_tokens.weight": ("BF16", [320, 64]),
            "model.layers.0.mlp.experts.0.up_proj.weight": ("F8_E4M3", [128, 64]),
            "model.layers.0.mlp.experts.1.up_proj.weight": ("F8_E4M3", [128, 64]),
        }
    ),
    "model-00002-of-00002.safetensors": safetensors(
        {
            "model.layers.1.mlp.experts.0.up_proj.weight": ("F8_E4M3", [128, 64]),
            "model.layers.1.self_attn.v_proj.bias": ("BF16", [64]),
            "scale": ("F32", []),
        },
        pad=200_000,  # longer than the first request
    ),
}
CONFIG = {
    "architectures": ["AcmeForCausalLM"],
    "model_type": "acme",
    "hidden_size": 64,
    "rope_theta": 1e6,
    "text_config": {"num_key_value_heads": 2, "id2label": {"0": "never kept"}},
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    "sliding_window": None,
    "_name_or_path": "/home/somebody/secret-project",
    "auto_map": {"AutoModel": "modeling_acme.AcmeModel"},
}
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
FILES = {
    **SHARDS,
    "consolidated.safetensors": b"another form of the same weights",
    "pytorch_model.bin": b"\x80\x02}q\x00.",
    "config.json": json.dumps(CONFIG).encode(),
    "tokenizer.json": b'{"model": {}}',
    "tokenizer_config.json": json.dumps({"chat_template": TEMPLATE}).encode(),
}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def acme() -> Iterator[Hub]:
    repos = {
        "acme/moe": Repo(
            files=FILES,
            license="apache-2.0",
            library_name="transformers",
            earlier={"e" * 40: {"config.json": b'{"architectures": ["OldModel"]}'}},
            gguf=None,
        ),
        "acme/gated": Repo(
            files=FILES,
            gated="manual",
            readers=("hf_reader",),
            license="llama3.1",
            library_name="transformers",
        ),
    }
    with serve(repos, tokens=("hf_somebody",)) as twin:
        yield twin


def of(
    twin: Hub, model_id: str = "acme/moe", revision: str | None = None, **more: Any
) -> ModelFacts:
    return hub.facts(model_id, revision, endpoint=twin.url, **more)


def test_the_card_and_the_configuration_are_told(acme: Hub) -> None:
    facts = of(acme)
    assert facts.revision == acme.commit("acme/moe")
    assert (facts.license, facts.gated, facts.access) == ("apache-2.0", False, True)
    assert (facts.library, facts.task) == ("transformers", "text-generation")
    assert (facts.architecture, facts.weights) == ("AcmeForCausalLM", "safetensors")
    assert facts.config == {
        "architectures": ["AcmeForCausalLM"],
        "hidden_size": 64,
        "model_type": "acme",
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
        "rope_theta": 1e6,
        "text_config": {"num_key_value_heads": 2},
    }


def test_a_gguf_model_in_parts_is_read_whole(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "whole.gguf")
    write_gguf(tmp_path / "tiny.gguf", part=2)
    names = sorted(path.name for path in tmp_path.glob("tiny-*"))
    assert len(names) == 4
    files = {path.name: path.read_bytes() for path in tmp_path.glob("*.gguf")}
    with serve({"acme/moe": Repo(files=files)}, tokens=()) as twin:
        alone = of(twin, quantization=f"gguf:{whole.name}")
        for named in ("gguf:tiny-*.gguf", f"gguf:{names[0]}", f"gguf:{names[2]}"):
            facts = of(twin, quantization=named)
            assert facts.tensors == alone.tensors
            assert facts.architecture == alone.architecture
            assert facts.config == alone.config


def test_tensors_of_all_shards_are_grouped_by_their_names(acme: Hub) -> None:
    assert set(of(acme).tensors) == {
        Tensors(
            name="model.embed_tokens.weight",
            dtype="BF16",
            shape=(320, 64),
            count=1,
            bytes_each=40960,
        ),
        Tensors(
            name="model.layers.*.mlp.experts.*.up_proj.weight",
            dtype="F8_E4M3",
            shape=(128, 64),
            count=3,
            bytes_each=8192,
        ),
        Tensors(
            name="model.layers.*.self_attn.v_proj.bias",
            dtype="BF16",
            shape=(64,),
            count=1,
            bytes_each=128,
        ),
        Tensors(name="scale", dtype="F32", shape=(), count=1, bytes_each=4),
    }


def test_the_client_counts_the_same_numbers(acme: Hub) -> None:
    files = HfApi(endpoint=acme.url, token=False)
    ours: Counter[str] = Counter()
    for row in of(acme).tensors:
        ours[row.dtype] += prod(row.shape) * row.count
    theirs: Counter[str] = Counter()
    for name in SHARDS:
        theirs.update(files.parse_safetensors_file_metadata("acme/moe", name).parameter_count)
    assert ours == theirs


def test_only_headers_of_the_weights_that_are_loaded_are_read(acme: Hub) -> None:
    of(acme)
    read = {path.rpartition("/")[2] for _, path in acme.requests if "/resolve/" in path}
    assert read == {*SHARDS, "config.json", "tokenizer.json", "tokenizer_config.json"}


def test_tokenizer_and_template_are_known_by_their_digests(acme: Hub) -> None:
    facts = of(acme)
    assert facts.tokenizer_sha256 == SHA256["tokenizer.json"]
    assert facts.chat_template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()


def test_code_of_the_repository_is_noticed(acme: Hub) -> None:
    assert of(acme).remote_code
    assert not of(acme, revision="e" * 40).remote_code


def test_an_earlier_commit_has_its_own_files(acme: Hub) -> None:
    facts = of(acme, revision="e" * 40)
    assert (facts.revision, facts.architecture) == ("e" * 40, "OldModel")
    assert (facts.files, facts.weights, facts.tensors) == ((), "other", ())


@pytest.mark.parametrize("token", [None, "hf_somebody"])
def test_a_gated_model_without_access_is_known_from_outside_only(
    acme: Hub, token: str | None
) -> None:
    facts = of(acme, "acme/gated", token=token)
    assert (facts.gated, facts.access, facts.license) == ("manual", False, "llama3.1")
    assert [file.name for file in facts.files if file.name in SHARDS] == sorted(SHARDS)
    assert (facts.weights, facts.tensors, facts.config) == ("safetensors", (), {})


def test_a_gated_model_opens_to_its_reader(acme: Hub) -> None:
    inside, free = of(acme, "acme/gated", token="hf_reader"), of(acme)
    assert inside.access
    same = {"id": free.id, "gated": free.gated, "license": free.license}
    assert structs.replace(inside, **same) == free


def one(files: dict[str, bytes], **more: Any) -> ModelFacts:
    """The facts of a repository of its own."""
    with serve({"acme/one": Repo(files=files, **more)}) as twin:
        return of(twin, "acme/one")


def refused(files: dict[str, bytes]) -> str:
    with pytest.raises(MoorageError) as raised:
        one(files)
    assert raised.value.exit_code == Exit.PROBLEMS
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_licence_of_its_own_has_a_name() -> None:
    assert one({}, license="other", license_name="Acme Research 1.0").license == (
        "LicenseRef-Acme-Research-1.0"
    )
    assert one({}, license="other", license_name="mit").license == "LicenseRef-mit"
    assert one({}).license is None


def test_values_of_another_kind_than_usual_are_left_out() -> None:
    files = {
        "config.json": b'{"architectures": 7, "auto_map": []}',
        "tokenizer_config.json": b'{"chat_template": 7}',
        "two\nlines.safetensors": b"",
    }
    facts = one(files)
    assert (facts.architecture, facts.chat_template_sha256, facts.files) == (None, None, ())


def test_several_templates_have_one_digest() -> None:
    named = [{"name": "default", "template": "x"}, {"name": "tool_use", "template": "y"}]
    files = {"tokenizer_config.json": json.dumps({"chat_template": named}).encode()}
    turned = {"tokenizer_config.json": json.dumps({"chat_template": named}, indent=2).encode()}
    assert one(files).chat_template_sha256 == one(turned).chat_template_sha256 is not None


def test_pickled_weights_are_told() -> None:
    assert one({"pytorch_model.bin": FILES["pytorch_model.bin"]}).weights == "pickle"


def test_what_nvidias_quantiser_wrote_is_kept() -> None:
    quantised = {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}}
    files = {"hf_quant_config.json": json.dumps(quantised).encode(), "config.json": b"{}"}
    assert one(files).config["hf_quant_config"] == quantised["quantization"]


def test_a_pipeline_of_several_models_is_known_by_its_class() -> None:
    files = {
        "model_index.json": b'{"_class_name": "AcmePipeline"}',
        "unet/diffusion_pytorch_model.safetensors": safetensors({"a.0.b": ("F16", [2])}),
        "unet/diffusion_pytorch_model.fp16.safetensors": safetensors({"a.0.b": ("F16", [2])}),
        "vae/diffusion_pytorch_model.safetensors": safetensors({"a.0.b": ("F16", [2])}),
    }
    facts = one(files)
    assert facts.architecture == "AcmePipeline"
    assert facts.tensors == (Tensors(name="a.*.b", dtype="F16", shape=(2,), count=2, bytes_each=4),)


def headed(header: bytes) -> bytes:
    """A safetensors file with any header."""
    return len(header).to_bytes(8, "little") + header + bytes(64)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (b"", "does not begin as a safetensors file does"),
        (b"<!doctype html>" * 20, "does not begin as a safetensors file does"),
        ((2 << 30).to_bytes(8, "little") + bytes(100), "does not begin as a safetensors file"),
        ((2).to_bytes(8, "little") + b"[]" + bytes(9), "the header of model.safetensors is broken"),
        (safetensors({"a": ("F32", [8])})[:-1], "the header of model.safetensors is broken"),
        (safetensors({"a": ("F32", [8])}).replace(b"[8]", b"[-]"), "is broken"),
        (headed(b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 4]}}'), "is broken"),
        (headed(b'{"a": {"dtype": 7, "shape": [2], "data_offsets": [0, 8]}}'), "is broken"),
        (headed(b'{"a": {"dtype": "F32", "shape": [2]}}'), "is broken"),
        (headed(b'{"a": 1}'), "is broken"),
        (
            headed(b'{"\\ud800": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'),
            "is broken",
        ),
        (
            headed(
                b'{"a": {"dtype": "F32", "shape": [9999999999999999999, 0], "data_offsets": [0,0]}}'
            ),
            "is broken",
        ),
    ],
)
def test_broken_weights_are_a_problem(weights: bytes, says: str) -> None:
    assert says in refused({"model.safetensors": weights})


@pytest.mark.parametrize("config", [b"{", b"[]", b"\xff", b"[" * 100_000, b"{" + b" " * (5 << 20)])
def test_a_broken_configuration_is_a_problem(config: bytes) -> None:
    assert "config.json" in refused({"config.json": config})


ROUTED = Repo(
    files=FILES,
    providers={
        "together": {
            "status": "live",
            "task": "conversational",
            "providerId": "acme/moe-turbo",
            "context_length": 8192,
            "pricing": {"input": 0.1, "output": 0.30},
        },
        "featherless-ai": {"status": "live", "task": "conversational", "providerId": "acme/moe"},
        "groq": {
            "status": "error",
            "task": "conversational",
            "providerId": "m",
            "pricing": {"input": -1, "output": 1e999},
        },
        "fal-ai": {"status": "live", "task": "text-to-image", "providerId": "fal/moe"},
    },
)


def test_live_providers_come_with_the_routers_prices() -> None:
    with serve({"acme/moe": ROUTED}) as twin:
        routes = of(twin, routes=True, router=twin.url).routes
        asked = {path for _, path in twin.requests}
    assert [route.provider for route in routes] == ["fal-ai", "featherless-ai", "groq", "together"]
    assert [route.status for route in routes] == ["live", "live", "error", "live"]
    together = routes[-1]
    assert (together.input_usd_per_mtok, together.output_usd_per_mtok) == (
        Decimal("0.1"),
        Decimal("0.3"),
    )
    assert (together.context_tokens, together.provider_id) == (8192, "acme/moe-turbo")
    assert all(route.input_usd_per_mtok is None for route in routes[:-1])
    assert "/v1/models/acme/moe" in asked


def test_the_router_is_asked_only_for_a_spec_that_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve({"acme/moe": ROUTED}) as twin:
        monkeypatch.setenv("MOORAGE_HF_ROUTER_URL", twin.url)
        assert of(twin).routes == ()
        assert not any(path.startswith("/v1/") for _, path in twin.requests)
        assert len(of(twin, routes=True).routes) == 4


def test_a_router_that_does_not_answer_is_named() -> None:
    with (
        serve({"acme/moe": ROUTED}) as twin,
        pytest.raises(MoorageError, match=r"http://127\.0\.0\.1:9") as raised,
    ):
        of(twin, routes=True, router="http://127.0.0.1:9")
    assert raised.value.exit_code == Exit.UNANSWERED


def test_a_model_that_the_router_does_not_know_has_no_routes(acme: Hub) -> None:
    assert of(acme, routes=True, router=acme.url).routes == ()
