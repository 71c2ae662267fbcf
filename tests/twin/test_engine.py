"""The engine's process: what its command line and its environment are understood as."""

from __future__ import annotations

import pytest

from moorage.provider.serving import metrics
from moorage.twin.engine import conduct, orders, page
from moorage.twin.engine.orders import Order, RefusedError
from moorage.twin.engine.seats import Seats


def read(*words: str, **environment: str) -> Order:
    return orders.read(words, environment)


def test_vllm_s_words_are_understood_with_and_without_serve() -> None:
    words = "acme/m --served-model-name a b --port=9000 --max_model_len 32K --max-num-seqs 4"
    more = (
        "--enable-prefix-caching --shutdown-timeout 30 --tensor-parallel-size 2 --lora-modules x=/x"
    )
    wanted = Order(
        model="acme/m",
        names=("a", "b"),
        port=9000,
        key="k",
        length_tokens=32_768,
        seqs=4,
        ranks=2,
        drain_s=30.0,
        adapters=("x",),
    )
    given = [*words.split(), *more.split()]
    assert read("serve", *given, VLLM_API_KEY="k") == read(*given, VLLM_API_KEY="k") == wanted


def test_other_engines_words_mean_the_same_things() -> None:
    llama = read(
        "-m", "/m.gguf", "--alias", "a", "-c", "4096", "--parallel", "2", LLAMA_API_KEY="k"
    )
    assert (llama.style, llama.names, llama.length_tokens) == (orders.LLAMA, ("a",), 4096)
    assert (llama.seqs, llama.key) == (2, "k")
    tei = read("--model-id", "acme/e", "--hostname", "127.0.0.1", API_KEY="k")
    assert (tei.style, tei.names, tei.host, tei.pools) == (
        orders.TEI,
        ("acme/e",),
        "127.0.0.1",
        True,
    )
    sglang = read("--model-path", "acme/m", "--context-length", "4096", "--tp-size", "2")
    assert (sglang.names, sglang.length_tokens, sglang.ranks) == (("acme/m",), 4096, 2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--port", "1"), "the following arguments are required: model"),
        (("m", "--port", "70000"), "argument --port: 70000 must be at least 1 and at most 65535"),
        (("m", "--max-num-seqs", "0"), "argument --max-num-seqs: 0 must be at least 1"),
        (("m", "--max-model-len"), "argument --max-model-len: invalid int value: ''"),
        (("m", "--tensor-parallel-size", "-1"), "--tensor-parallel-size: invalid int value: '-1'"),
    ],
)
def test_values_that_cannot_be_are_refused(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        read(*words)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
def test_a_variable_that_is_no_number_is_named(value: str) -> None:
    with pytest.raises(RefusedError, match=r"MOORAGE_TWIN_LOADING_S: .* is no number from 0 on"):
        conduct.read({"MOORAGE_TWIN_LOADING_S": value}, read("m"))


@pytest.mark.parametrize(("devices", "gpus"), [("", None), ("all", None), ("none", 0), ("0,3", 2)])
def test_the_gpus_are_those_that_nvidia_s_runtime_shows(devices: str, gpus: int | None) -> None:
    assert conduct.read({"NVIDIA_VISIBLE_DEVICES": devices}, read("m")).gpus == gpus


def test_the_provider_reads_its_page_as_it_was_meant() -> None:
    order = read("m", "--data-parallel-size", "2", "--max-model-len", "1024")
    ways = conduct.read({"MOORAGE_TWIN_KV_TOKENS": "4096"}, order)
    seats = Seats(seats=1, queued=None)
    seats.running, seats.waiting, seats.held_tokens = 1, 2, 2048
    seats.tally.update({"generation_tokens": 7, "stop": 3, "length": 1})
    found = metrics.parse(page.text(order, ways, seats))
    assert (found.running, found.waiting, found.engines) == (1, 2, 2)
    assert (found.generation_tokens, found.requests, found.kv_usage) == (7, 4, 0.25)
    assert found.cache is not None
    assert found.cache.tokens == 4096
