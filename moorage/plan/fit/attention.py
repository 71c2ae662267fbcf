"""Which architectures are understood, and what each keeps for a request."""

from __future__ import annotations

from moorage.plan.fit import lengths, readers
from moorage.plan.fit.fields import Config, UnreadableError, text_of, word
from moorage.plan.fit.layers import Attention, Layers
from moorage.plan.fit.readers import Reader

# Of a language model inside another: the word of its own `model_type`.
TEXTS: dict[str, Reader] = {
    "cohere": readers.plain,
    "cohere2": readers.patterned(4, plus=1),
    "deepseek_v2": readers.latent,
    "deepseek_v3": readers.latent,
    "gemma": readers.plain,
    "gemma2": readers.patterned(2, default=4096),
    "gemma3_text": readers.gemma3,
    "gemma3n_text": readers.gemma3n,
    "gemma4_text": readers.gemma4,
    "glm4v_text": readers.plain,
    "glm4v_moe_text": readers.plain,
    "granite": readers.plain,
    "internlm2": readers.plain,
    "kimi_k2": readers.latent,
    "lfm2": readers.lfm2,
    "llama": readers.plain,
    "llama4_text": readers.llama4,
    "ministral3": readers.plain,
    "mistral": readers.plain,
    "mixtral": readers.plain,
    "phi3": readers.plain,
    "qwen2": readers.qwen,
    "qwen2_5_omni_text": readers.qwen,
    "qwen2_5_vl": readers.qwen,
    "qwen2_5_vl_text": readers.qwen,
    "qwen2_audio": readers.qwen,
    "qwen2_moe": readers.qwen,
    "qwen2_vl": readers.qwen,
    "qwen2_vl_text": readers.qwen,
    "qwen3": readers.qwen,
    "qwen3_5_moe_text": readers.linear,
    "qwen3_5_text": readers.linear,
    "qwen3_moe": readers.qwen,
    "qwen3_omni_moe_text": readers.qwen,
    "qwen3_vl_moe_text": readers.qwen,
    "qwen3_vl_text": readers.qwen,
    "smollm3": readers.qwen,
}


def inner(config: Config) -> list[Layers]:
    """What the language model inside a vision or audio model keeps."""
    kind = word(config, "model_type")
    if kind not in TEXTS:
        shown = kind or "no model_type at all"
        msg = f"the language model inside it is not known here: {shown}"
        raise UnreadableError(msg)
    return TEXTS[kind](config)


ARCHITECTURES: dict[str, Reader] = {
    "AfmoeForCausalLM": readers.plain,
    "ApertusForCausalLM": readers.plain,
    "ArceeForCausalLM": readers.plain,
    "AriaForConditionalGeneration": inner,
    "BailingMoeForCausalLM": readers.plain,
    "BailingMoeV2ForCausalLM": readers.plain,
    "BertForMaskedLM": readers.nothing,
    "BertForSequenceClassification": readers.nothing,
    "BertForTokenClassification": readers.nothing,
    "BertModel": readers.nothing,
    "BloomForCausalLM": readers.plain,
    "ChatGLMModel": readers.chat_glm,
    "ChatGLMForConditionalGeneration": readers.chat_glm,
    "Cohere2ForCausalLM": readers.patterned(4, plus=1),
    "Cohere2VisionForConditionalGeneration": inner,
    "CohereForCausalLM": readers.plain,
    "DeepseekForCausalLM": readers.plain,
    "DeepseekV2ForCausalLM": readers.latent,
    "DeepseekV32ForCausalLM": readers.latent,
    "DeepseekV3ForCausalLM": readers.latent,
    "Ernie4_5ForCausalLM": readers.plain,
    "Ernie4_5_MoeForCausalLM": readers.plain,
    "Exaone4ForCausalLM": readers.plain,
    "ExaoneForCausalLM": readers.plain,
    "FalconForCausalLM": readers.falcon,
    "FalconH1ForCausalLM": readers.falcon_h1,
    "FalconMambaForCausalLM": readers.mamba,
    "GPT2LMHeadModel": readers.plain,
    "GPTBigCodeForCausalLM": readers.big_code,
    "GPTJForCausalLM": readers.plain,
    "GPTNeoXForCausalLM": readers.plain,
    "Gemma2ForCausalLM": readers.patterned(2, default=4096),
    "Gemma2Model": readers.patterned(2, default=4096),
    "Gemma3ForCausalLM": readers.gemma3,
    "Gemma3ForConditionalGeneration": inner,
    "Gemma3TextModel": readers.gemma3,
    "Gemma3nForCausalLM": readers.gemma3n,
    "Gemma3nForConditionalGeneration": inner,
    "Gemma4ForCausalLM": readers.gemma4,
    "Gemma4ForConditionalGeneration": inner,
    "GemmaForCausalLM": readers.plain,
    "Glm4ForCausalLM": readers.plain,
    "Glm4MoeForCausalLM": readers.plain,
    "Glm4MoeLiteForCausalLM": readers.latent,
    "Glm4vForConditionalGeneration": inner,
    "Glm4vMoeForConditionalGeneration": inner,
    "GlmForCausalLM": readers.plain,
    "GlmMoeDsaForCausalLM": readers.latent,
    "GptOssForCausalLM": readers.gpt_oss,
    "GraniteForCausalLM": readers.plain,
    "GraniteMoeForCausalLM": readers.plain,
    "GraniteMoeHybridForCausalLM": readers.granite_hybrid,
    "GraniteMoeSharedForCausalLM": readers.plain,
    "GteModel": readers.nothing,
    "GteNewModel": readers.nothing,
    "HunYuanDenseV1ForCausalLM": readers.plain,
    "Idefics3ForConditionalGeneration": inner,
    "InternLM2ForCausalLM": readers.plain,
    "InternLM3ForCausalLM": readers.plain,
    "InternVLChatModel": inner,
    "InternVLForConditionalGeneration": inner,
    "JambaForCausalLM": readers.jamba,
    "KimiK25ForConditionalGeneration": inner,
    "KimiVLForConditionalGeneration": inner,
    "Lfm2ForCausalLM": readers.lfm2,
    "Lfm2MoeForCausalLM": readers.lfm2,
    "Llama4ForCausalLM": readers.llama4,
    "Llama4ForConditionalGeneration": inner,
    "LlamaBidirectionalModel": readers.nothing,
    "LlamaForCausalLM": readers.plain,
    "LlamaModel": readers.plain,
    "LlavaForConditionalGeneration": inner,
    "LlavaNextForConditionalGeneration": inner,
    "LlavaOnevisionForConditionalGeneration": inner,
    "Mamba2ForCausalLM": readers.mamba2,
    "MambaForCausalLM": readers.mamba,
    "MiMoForCausalLM": readers.qwen,
    "MiniCPMForCausalLM": readers.plain,
    "Ministral3ForCausalLM": readers.plain,
    "Mistral3ForConditionalGeneration": inner,
    "MistralForCausalLM": readers.plain,
    "MistralModel": readers.plain,
    "MixtralForCausalLM": readers.plain,
    "ModernBertForSequenceClassification": readers.nothing,
    "ModernBertForTokenClassification": readers.nothing,
    "ModernBertModel": readers.nothing,
    "NemotronForCausalLM": readers.plain,
    "NemotronHForCausalLM": readers.nemotron_h,
    "NomicBertModel": readers.nothing,
    "OPTForCausalLM": readers.plain,
    "Olmo2ForCausalLM": readers.plain,
    "Olmo3ForCausalLM": readers.patterned(4),
    "OlmoForCausalLM": readers.plain,
    "OlmoeForCausalLM": readers.plain,
    "OrionForCausalLM": readers.plain,
    "PaliGemmaForConditionalGeneration": inner,
    "Phi3ForCausalLM": readers.plain,
    "PhiForCausalLM": readers.plain,
    "PhiMoEForCausalLM": readers.plain,
    "PixtralForConditionalGeneration": inner,
    "Qwen2AudioForConditionalGeneration": inner,
    "Qwen2ForCausalLM": readers.qwen,
    "Qwen2ForProcessRewardModel": readers.qwen,
    "Qwen2ForRewardModel": readers.qwen,
    "Qwen2Model": readers.qwen,
    "Qwen2MoeForCausalLM": readers.qwen,
    "Qwen2VLForConditionalGeneration": inner,
    "Qwen2_5OmniForConditionalGeneration": inner,
    "Qwen2_5OmniModel": inner,
    "Qwen2_5_VLForConditionalGeneration": inner,
    "Qwen3ForCausalLM": readers.qwen,
    "Qwen3ForSequenceClassification": readers.qwen,
    "Qwen3Model": readers.qwen,
    "Qwen3MoeForCausalLM": readers.qwen,
    "Qwen3NextForCausalLM": readers.linear,
    "Qwen3OmniMoeForConditionalGeneration": inner,
    "Qwen3VLForConditionalGeneration": inner,
    "Qwen3VLMoeForConditionalGeneration": inner,
    "Qwen3_5ForCausalLM": readers.linear,
    "Qwen3_5ForConditionalGeneration": inner,
    "Qwen3_5MoeForCausalLM": readers.linear,
    "Qwen3_5MoeForConditionalGeneration": inner,
    "RobertaForMaskedLM": readers.nothing,
    "RobertaForSequenceClassification": readers.nothing,
    "RobertaModel": readers.nothing,
    "SeedOssForCausalLM": readers.plain,
    "SmolLM3ForCausalLM": readers.qwen,
    "SmolVLMForConditionalGeneration": inner,
    "SolarForCausalLM": readers.plain,
    "StableLmForCausalLM": readers.plain,
    "Starcoder2ForCausalLM": readers.plain,
    "TeleChat3ForCausalLM": readers.plain,
    "UltravoxModel": inner,
    "VoxtralForConditionalGeneration": inner,
    "WhisperForConditionalGeneration": readers.whisper,
    "XLMRobertaForSequenceClassification": readers.nothing,
    "XLMRobertaForTokenClassification": readers.nothing,
    "XLMRobertaModel": readers.nothing,
}


def knows(architecture: str | None) -> bool:
    """Whether what such a model keeps for a request is understood."""
    return architecture in ARCHITECTURES


def read(config: Config, architecture: str) -> Attention:
    """What a model of a known architecture keeps; UnreadableError where its config does not say."""
    text = text_of(config)
    layers = [] if text.get("is_causal") is False else ARCHITECTURES[architecture](text)
    heads = readers.query_heads(text) if _has_heads(text) else 1
    return Attention(
        layers=tuple(layers),
        heads=heads,
        kv_heads=max((one.kv_heads for one in layers if not one.latent), default=heads) or heads,
        longest=lengths.longest(config),
    )


def _has_heads(text: Config) -> bool:
    return any(text.get(name) is not None for name in readers.QUERY_HEADS)
