"""What is known of the world outside a spec when it is judged: its lock, and files found."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

from moorage.spec.problems import Problem


class RepoFile(Struct, frozen=True, kw_only=True):
    """One file of a repository at a commit."""

    name: str
    size_bytes: int
    sha256: str


class Tensors(Struct, frozen=True, kw_only=True):
    """Tensors that differ only by the numbers in their names (`layers.*.mlp.up_proj.weight`)."""

    name: str  # every run of digits between dots is written as *
    dtype: str  # as the header says it: BF16, F8_E4M3, U8; of GGUF: Q4_K, F32
    shape: tuple[int, ...]
    count: int
    bytes_each: int

    @property
    def bytes_all(self) -> int:
        return self.bytes_each * self.count


class Route(Struct, frozen=True, kw_only=True):
    """A provider of the Hugging Face router that serves a model; None is what nobody says."""

    provider: str  # the router's own slug; they come and go
    task: str
    status: str  # live | staging | error
    provider_id: str | None = None
    context_tokens: int | None = None
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None


class Reference(Struct, frozen=True, kw_only=True):
    """Another repository that a spec names, at a commit."""

    role: str  # adapter | tokenizer | chat-template | dataset
    id: str
    revision: str
    license: str | None = None
    gated: bool | str = False
    access: bool | None = None
    digests: Mapping[str, str] = field(default_factory=dict)  # file -> SHA-256
    rank: int | None = None  # of a LoRA adapter
    size_bytes: int | None = None
    base_model: str | None = None  # what an adapter was trained for


class ModelFacts(Struct, frozen=True, kw_only=True):
    """What the Hub says of one revision of a model."""

    id: str
    revision: str  # the commit that the asked revision stands for
    files: tuple[RepoFile, ...]  # those with a digest: the weights
    license: str | None = None  # an SPDX identifier where there is one, else the Hub's own word
    gated: bool | str = False  # False, "auto" or "manual"
    access: bool | None = None  # whether the token that asked may read the files
    library: str | None = None
    task: str | None = None  # the Hub's pipeline tag
    architecture: str | None = None
    weights: str | None = None  # safetensors | gguf | pickle | other; None: nobody looked
    remote_code: bool = False  # whether loading it runs code of the repository
    config: Mapping[str, Any] = field(default_factory=dict)  # the part of config.json we read
    tensors: tuple[Tensors, ...] = ()  # from the headers of the weights
    tokenizer_sha256: str | None = None
    chat_template_sha256: str | None = None
    routes: tuple[Route, ...] = ()
    references: tuple[Reference, ...] = ()
    asked_of: str  # where the answer comes from
    asked_on: str  # the day, YYYY-MM-DD


class LockedOffer(Struct, frozen=True, kw_only=True):
    """A price row as it stood when the spec was locked."""

    key: str  # as moorage.plan.catalogue.catalog.Offer.key
    usd: Decimal
    per: str
    date: str


class Lock(Struct, frozen=True, kw_only=True):
    """The facts that a spec was reviewed with: only the files that its quantization names."""

    model: ModelFacts
    quantization: str  # what the spec asked for when it was locked
    offers: tuple[LockedOffer, ...] = ()


class LocalFile(NamedTuple):
    """A file that a spec names by its path, as it was found."""

    path: Path  # absolute
    fault: str = ""  # why it cannot be served; empty when it can


class LocalFolder(NamedTuple):
    """A folder that a spec publishes, as it was found."""

    path: Path  # absolute
    fault: str = ""  # why there is nothing to publish; empty where there is
    private: str = ""  # what of it must stay here; empty where all may go


class Facts(Struct, frozen=True, kw_only=True):
    """Everything besides spec and catalogue that a verdict depends on."""

    lock: Lock | None = None
    lock_file: str = ""  # the lock's name as messages show it, whether it is there or not
    lock_path: Path = Path()
    lock_fault: Problem | None = None  # it is there and cannot be understood
    file: LocalFile | None = None  # only where the model is a path
    folders: Mapping[Path, LocalFolder] = field(default_factory=dict)  # as the spec names them


# The keys of config.json that determine memory, context or what an engine must be able to do.
CONFIG_KEYS: Final = frozenset(
    """
    architectures model_type torch_dtype dtype is_encoder_decoder is_decoder add_cross_attention
    hidden_size d_model n_embd dim model_dim embed_dim embedding_size word_embed_proj_dim
    hidden_dim n_hidden projection_dim projector_hidden_size hidden_sizes
    num_hidden_layers num_layers n_layer n_layers num_decoder_layers encoder_layers decoder_layers
    num_encoder_layers depth depths num_nextn_predict_layers num_mtp_layers
    mtp_num_hidden_layers num_hash_layers num_kv_shared_layers
    num_attention_heads n_head n_heads num_heads num_key_value_heads n_head_kv num_kv_heads
    multi_query multi_query_group_num multi_query_attention num_attention_groups kv_heads
    new_decoder_architecture encoder_attention_heads decoder_attention_heads
    num_global_key_value_heads num_attention_groups
    head_dim head_size kv_channels attention_head_size global_head_dim d_kv qk_head_dim
    v_head_dim kv_lora_rank q_lora_rank qk_rope_head_dim qk_nope_head_dim swa_head_dim
    swa_v_head_dim swa_num_key_value_heads swa_num_attention_heads
    index_head_dim index_n_heads index_topk compress_ratios o_lora_rank o_groups
    intermediate_size ffn_dim n_inner d_ff encoder_ffn_dim decoder_ffn_dim ffn_hidden_size
    ffn_config block_configs mlp_ratio intermediate_sizes intermediate_size_mlp
    block_ff_dim block_multiple_of block_auto_adjust_ff_dim block_ffn_dim_multiplier
    moe_intermediate_size moe_num_experts moe_topk moe_layer_freq moe_layer_start_index
    moe_layer_end_index moe_layer_interval moe_num_shared_experts moe_every_n_layers
    moe_shared_expert_intermediate_size moe_intermediate_dim moe_layers moe_layers_enum
    moe_latent_size moe_num_active_primary_experts expert_layer_period expert_layer_offset
    shared_expert_intermediate_size shared_intermediate_size expert_intermediate_size
    num_experts num_local_experts n_routed_experts n_shared_experts num_shared_experts
    num_experts_per_tok num_experts_per_token n_group topk_group top_k_experts
    first_k_dense_replace mlp_only_layers decoder_sparse_step interleave_moe_layer_step
    enable_moe_block dense_intermediate_size num_dense_layers
    sliding_window sliding_window_pattern sliding_window_size use_sliding_window
    max_window_layers window_size local_attention window_attention sliding_window_layers
    _sliding_window_pattern global_attn_every_n_layers local_attention_window
    interleaved_sliding_window
    layer_types attention_layers attention_types attn_layer_indices attn_type_list
    layers_block_type hybrid_override_pattern hybrid_layer_pattern no_rope_layers
    no_rope_layer_interval attention_chunk_size full_attention_interval full_attn_idxs
    attn_layer_period attn_layer_offset attn_type_lists attention_pattern attention_window
    use_attention_sinks attention_bias use_bias qkv_bias attn_config attention_k_eq_v
    max_position_embeddings n_positions max_seq_len max_seq_length seq_length n_ctx
    max_sequence_length model_max_length max_source_positions max_target_positions
    original_max_position_embeddings rope_scaling rope_theta rope_parameters rotary_dim
    partial_rotary_factor rope_local_base_freq use_rope position_embedding_type alibi
    relative_attention_num_buckets type_vocab_size
    vocab_size padded_vocab_size vocab_size_per_layer_input hidden_size_per_layer_input
    tie_word_embeddings tie_encoder_decoder num_labels num_mel_bins num_codebooks audio_vocab_size
    mamba_d_state mamba_d_conv mamba_expand mamba_d_ssm mamba_dt_rank mamba_n_heads mamba_d_head
    mamba_n_groups mamba_chunk_size mamba_num_heads mamba_head_dim mamba_hidden_act
    mamba_ssm_cache_dtype mamba_proj_bias mamba_conv_bias mamba2_layers mamba_layers
    mamba_state_dim mamba_ssm_dtype
    ssm_state_size ssm_cfg state_size conv_kernel conv_kernel_size conv_L_cache conv_dim
    conv_dim_out conv_bias n_groups chunk_size time_step_rank expand use_mambapy
    linear_num_key_heads linear_num_value_heads linear_key_head_dim linear_value_head_dim
    linear_conv_kernel_dim linear_attn_config linear_attention_pattern lru_width d_inner
    block_types num_memory_layers rwkv_version attention_hidden_size
    quantization_config compression_config hf_quant_config expert_dtype
    text_config vision_config audio_config llm_config language_config text_model
    text_model_config thinker_config talker_config encoder decoder text_encoder audio_encoder
    text_encoder_config decoder_config vision_encoder_config audio_encoder_config
    image_size patch_size num_channels temporal_patch_size spatial_merge_size image_seq_length
    mm_tokens_per_image image_token_index out_hidden_size downsample_ratio num_image_tokens
    vision_feature_layer max_dynamic_patch dynamic_image_size
    pooling_config problem_type classifier_dropout
    is_causal use_bidirectional_attention hidden_size_per_head n_embed attn_output_gate
    attention_output_gate indexer_types index_topk_freq index_topk_pattern mlp_layer_types hc_mult
    num_mtp_modules mtp_transformer_layers mtp_layers_block_type mtp_hybrid_override_pattern
    vt_hidden_size vt_intermediate_size vt_num_attention_heads vt_num_hidden_layers mm_hidden_size
    text_hidden_size num_position_embeddings in_channels sparse_attention_config share_expert_dim
    experts_per_token initial_context_length full_attn_layers kda_layers short_conv_kernel_size
    mlp_bias pooling_kernel_size position_embedding_size use_double_wide_mlp
    vision_soft_tokens_per_image cross_attention_hidden_size routed_expert_hidden_size
    """.split()  # noqa: SIM905  two hundred words read better than two hundred strings
)
