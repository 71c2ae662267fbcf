"""The sections of a spec: every key with its meaning, its bounds, its default and an example."""

from __future__ import annotations

from typing import Any, Final

from moorage.spec.forms import (
    Schema,
    choice,
    commit,
    count,
    duration,
    label,
    money,
    percent,
    record,
    repository,
    rows,
    section,
    switch,
    table,
    text,
    words,
)
from moorage.spec.publication import PUBLICATION
from moorage.spec.tasks import TASKS, USUAL

API_VERSION: Final = "moorage/v1"
TIERS: Final = ("public", "internal", "confidential", "restricted")  # least to most strict
METHODS: Final = (
    "none",
    "fp8",
    "int8",
    "int4",
    "awq",
    "gptq",
    "mxfp4",
    "nvfp4",
    "bitsandbytes",
)
DIFFERENCES: Final = ("model", "revision", "precision", "template", "context")
BREACHES: Final = ("refuse", "cheapest-route", "scale-to-zero")
SDKS: Final = ("gradio", "docker")
TEMPLATES: Final = ("chat", "streamlit", "text-to-image")
KV_DTYPES: Final = ("auto", "bfloat16", "float16", "fp8", "fp8_e4m3", "fp8_e5m2")

_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"], "maxLength": 2000}
_FLAG: Final = r"^[a-z][a-z0-9-]{0,79}$"
_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"


def _pinned(what: str, example: str, more: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {
        "id": repository(f"The repository of the {what}.", example),
        "revision": commit("Its commit, 40 hexadecimal digits."),
        **(more or {}),
    }
    return record(properties, ("id",))


_ADAPTER = _pinned(
    "adapter",
    "acme/support-tone-lora",
    {"name": label("What requests call it; left out, the last part of its id.", "support-tone")},
)
_TEMPLATE_FILE = text(
    "The file in it; left out, chat_template.jinja or the tokenizer's own.",
    examples=["chat_template.jinja"],
)

_MODEL = {
    "id": text(
        "A repository of the Hugging Face Hub, or the path of a GGUF file (absolute, with ~/, or "
        "relative to this file).",
        examples=["Qwen/Qwen3-8B", "bartowski/SmolLM2-135M-Instruct-GGUF", "~/models/mine.gguf"],
    ),
    "revision": commit(
        "The commit of the repository, 40 hexadecimal digits; not used for a file. "
        "`moorage lock` tells it."
    ),
    "task": choice("What the model is for, in the Hub's words.", TASKS, USUAL),
    "quantization": {
        "description": "How the weights are stored: none (as a full-precision repository has "
        "them), the method of a quantized repository, or the one GGUF file that a name or "
        "pattern matches. fp8 on a full-precision repository quantizes while loading.",
        "type": "string",
        "pattern": rf"^({'|'.join(METHODS)}|gguf:[^\s:]+)$",
        "maxLength": 300,
        "errorMessage": f"must be one of {', '.join(METHODS)}, or gguf:<file name or pattern>",
        "default": "none",
        "examples": ["none", "fp8", "gguf:*Q4_K_M.gguf"],
    },
    "max_model_len": count(
        "Tokens of a prompt and its answer together; left out, what the model was made for.",
        10_000_000,
        examples=[16384],
    ),
    "offline": choice(
        "Where the Hub cannot be reached: refuse, or serve the tiny model made by moorage itself "
        "(kind local only).",
        ("refuse", "tiny"),
        "refuse",
    ),
    "trust_remote_code": switch(
        "Whether code of the repository may run where the model is served."
    ),
    "adapters": rows("LoRA adapters that are served beside the model.", _ADAPTER, most=32),
    "tokenizer": {
        "description": "A tokenizer of another repository.",
        **_pinned("tokenizer", "meta-llama/Llama-3.1-8B-Instruct"),
    },
    "chat_template": {
        "description": "A chat template of another repository.",
        **_pinned("chat template", "Qwen/Qwen3-8B", {"file": _TEMPLATE_FILE}),
    },
}

_PRIVACY = {
    "tier": choice(
        "public: anything. internal: authenticated access only, nothing kept or trained on. "
        "confidential: dedicated hardware in the named regions. restricted: own hosts only, "
        "nothing leaves them.",
        TIERS,
        "internal",
    ),
    "regions": words(
        "Where requests may be computed: areas (eu, us) or regions (eu-west-1); none: anywhere.",
        most=32,
        examples=[["eu"]],
    ),
    "retention": duration("The longest that anyone may keep requests or logs of them.", "30d"),
}

_BUDGET = {
    "monthly_usd": money(
        "The most that a month may cost, in US dollars.", default=0, examples=[0, 2500]
    ),
    "on_breach": choice(
        "When the worst case costs more: refuse; cheapest-route: leave the dearest placements "
        "out until it does not; scale-to-zero: let placements stop when idle and judge the "
        "expected cost instead.",
        BREACHES,
        "refuse",
    ),
    "test_usd": money("The most that one load test may cost.", default=1, examples=[1]),
}

_SERVING = {
    "engine": text(
        "The serving engine, a name of catalog/engines.yaml; left out, the kind's first choice "
        "that serves the task.",
        examples=["vllm", "sglang", "tei", "llama.cpp"],
    ),
    "version": text("Its version; left out, the newest one known.", examples=["0.33.0"]),
    "image": text(
        "A container image of your own, pinned by digest.",
        examples=["registry.example.com/serve@sha256:" + "0" * 64],
    ),
    "max_num_seqs": count("Requests that are answered at the same time.", 65536, examples=[256]),
    "max_num_batched_tokens": count("Tokens of one step of the engine.", 1 << 24, examples=[8192]),
    "gpu_memory_utilization": {
        "description": "The share of the GPU's memory that the engine may take.",
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "examples": [0.92],
    },
    "kv_cache_dtype": choice("How the KV cache is stored.", KV_DTYPES, "auto"),
    "tensor_parallel": count(
        "GPUs that share every layer; left out, all of the placement.", 64, examples=[2]
    ),
    "args": table(
        "Other flags of the engine, without the leading dashes.",
        _FLAG,
        _SCALAR,
        examples=[{"enable-prefix-caching": True}],
    ),
    "env": table(
        "Environment variables of the engine; never a secret.",
        _VARIABLE,
        {"type": "string", "maxLength": 2000},
        examples=[{"VLLM_LOGGING_LEVEL": "WARNING"}],
    ),
}

_SLO = {
    "ttft_p95": duration("Time to the first token, 95 of 100 requests.", "800ms"),
    "tpot_p95": duration("Time per further token, 95 of 100 requests.", "40ms"),
    "error_rate": percent("The largest share of requests that may fail.", "0.5%"),
}

_FAILOVER = {
    "time_to_recover": duration("From the failure to the next good answer, at most.", "15s"),
    "lost_before_first_token": {
        "description": "How many requests without a first token yet may be lost.",
        "type": "integer",
        "minimum": 0,
        "maximum": 1_000_000,
        "examples": [0],
    },
}

_LOAD = {
    "rps": {
        "description": "Requests per second to be expected.",
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 100_000,
        "default": 4,
    },
    "input_tokens": count("Tokens of a usual prompt.", 10_000_000, default=32),
    "output_tokens": count("Tokens of a usual answer.", 10_000_000, default=16),
    "active": percent(
        "The share of the month in which this load is there; costs use it.", "30%", default="100%"
    ),
}

_APP = {
    "kind": {"description": "A Space of the Hub.", "const": "hf-space"},
    "sdk": choice("What runs it, as its template is made: docker for streamlit.", SDKS, "gradio"),
    "template": choice("Which of moorage's apps it is.", TEMPLATES, "chat"),
    "hardware": text("Hardware as the Hub calls it.", default="cpu-basic", examples=["cpu-basic"]),
    "visibility": choice(
        "Who sees it; protected hides the code, not the app.",
        ("public", "protected", "private"),
        "private",
    ),
    "namespace": text("The user or organisation that owns it.", examples=["acme"]),
    "sleep_after": duration("When nobody uses it for so long, it sleeps.", "1h"),
}

_EVALUATION = record(
    {
        "dataset": {
            "description": "The dataset of the Hub.",
            **_pinned("dataset", "openai/gsm8k"),
        },
        "split": text("Its split.", default="test", examples=["test"]),
        "metric": text("What is measured.", examples=["exact_match"]),
        "at_least": {
            "description": "The least value that is good enough.",
            "type": "number",
            "minimum": -1_000_000,
            "maximum": 1_000_000,
            "examples": [0.7],
        },
        "samples": count("Rows to use; left out, all.", 10_000_000, examples=[200]),
    },
    ("dataset", "metric", "at_least"),
)

DIFFERS: Final[Schema] = {
    "description": "What of this placement may differ from the first one, said openly.",
    "type": "array",
    "items": {"type": "string", "enum": list(DIFFERENCES)},
    "maxItems": len(DIFFERENCES),
    "examples": [["revision", "precision"]],
}

REQUIRED: Final = ("apiVersion", "kind", "name", "team", "model", "providers")
TOP: Final[dict[str, Any]] = {
    "apiVersion": {"description": "The version of this language.", "const": API_VERSION},
    "kind": {"description": "What the file describes.", "const": "ModelService"},
    "name": label("The name of the service, unique among all specs.", "support-chat"),
    "team": label("The team it belongs to.", "support"),
    "owner": text(
        "Who is asked at three in the morning: an address, a handle, a channel.",
        examples=["support-oncall@example.com"],
    ),
    "model": section("Which weights, and for what.", _MODEL, ("id",)),
    "privacy": section("How private the requests are.", _PRIVACY),
    "budget": section("What it may cost.", _BUDGET),
    "providers": {},
    "serving": section("The engine and its settings; what is left out is chosen.", _SERVING),
    "slo": section("How well it must answer; the load test measures it.", _SLO),
    "failover": section("What the failover test accepts.", _FAILOVER),
    "load": section("The load to expect; costs and load tests use it.", _LOAD),
    "app": section("A Space in front of the service.", _APP, ("kind",)),
    "publish": rows(
        "Models and datasets of your own that are kept on the Hub.", PUBLICATION, most=32
    ),
    "evaluations": rows(
        "Datasets that the served model is held to by whoever measures it; the lock pins them.",
        _EVALUATION,
        most=16,
    ),
}
