"""The tensors that layers without attention keep for a request, whatever its length."""

from __future__ import annotations

from moorage.plan.fit.fields import Config, whole, word
from moorage.plan.fit.layers import State


def mamba1(config: Config) -> tuple[State, ...]:
    inner = whole(config, "intermediate_size")
    return _mamba1(inner, whole(config, "conv_kernel"), whole(config, "state_size"))


def jamba(config: Config) -> tuple[State, ...]:
    inner = whole(config, "mamba_expand", default=2) * whole(config, "hidden_size")
    kernel = whole(config, "mamba_d_conv", default=4)
    return _mamba1(inner, kernel, whole(config, "mamba_d_state", default=16))


def mamba2(config: Config) -> tuple[State, ...]:
    """Of Granite and Falcon-H1."""
    expanded = whole(config, "mamba_expand", default=2) * whole(config, "hidden_size")
    return _mamba2(
        inner=whole(config, "mamba_d_ssm", default=expanded),
        groups=whole(config, "mamba_n_groups", default=1),
        heads=whole(config, "mamba_n_heads"),
        head=whole(config, "mamba_d_head"),
        size=whole(config, "mamba_d_state"),
        kernel=whole(config, "mamba_d_conv", default=4),
    )


def mamba2_only(config: Config) -> tuple[State, ...]:
    return _mamba2(
        inner=whole(config, "expand", default=2) * whole(config, "hidden_size"),
        groups=whole(config, "n_groups"),
        heads=whole(config, "num_heads"),
        head=whole(config, "head_dim"),
        size=whole(config, "state_size"),
        kernel=whole(config, "conv_kernel", default=4),
    )


def nemotron(config: Config) -> tuple[State, ...]:
    heads, head = whole(config, "mamba_num_heads"), whole(config, "mamba_head_dim")
    return _mamba2(
        inner=heads * head,
        groups=whole(config, "n_groups"),
        heads=heads,
        head=head,
        size=whole(config, "ssm_state_size"),
        kernel=whole(config, "conv_kernel", default=4),
        wide=word(config, "mamba_ssm_cache_dtype") in ("", "float32"),
    )


def delta_net(config: Config) -> tuple[State, ...]:
    keys, values = whole(config, "linear_num_key_heads"), whole(config, "linear_num_value_heads")
    key, value = whole(config, "linear_key_head_dim"), whole(config, "linear_value_head_dim")
    kernel = whole(config, "linear_conv_kernel_dim", default=4)
    wide = word(config, "mamba_ssm_dtype") == "float32"
    return (
        State(units=key * keys * 2 + value * values, rest=kernel - 1),
        State(units=values, rest=value * key, wide=wide),
    )


def short_conv(config: Config) -> tuple[State, ...]:
    size = whole(config, "conv_dim", "hidden_size")
    return (State(units=size, rest=whole(config, "conv_L_cache") - 1),)


def _mamba1(inner: int, kernel: int, size: int) -> tuple[State, ...]:
    return (State(units=inner, rest=kernel - 1), State(units=inner, rest=size))


def _mamba2(
    *, inner: int, groups: int, heads: int, head: int, size: int, kernel: int, wide: bool = False
) -> tuple[State, ...]:
    return (
        State(units=inner, rest=kernel - 1, groups=groups, group_units=2 * size),
        State(units=heads, rest=head * size, wide=wide),
    )
