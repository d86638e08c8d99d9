"""The three functions that transformers and this project call."""

import torch


def flash_attn_func(
    q,
    k,
    v,
    dropout_p=0.0,
    softmax_scale=None,
    causal=False,
    window_size=(-1, -1),
    softcap=0.0,
    alibi_slopes=None,
    deterministic=False,
    return_attn_probs=False,
):
    """Attention of (batch, positions, heads, size); causal ends at the last key of each row."""
    _plain(dropout_p, window_size, softcap, alibi_slopes)
    _check(q, k, v)
    return torch.stack(
        [
            _attend(query, keys, values, softmax_scale, causal)
            for query, keys, values in zip(q, k, v, strict=True)
        ]
    )


def flash_attn_varlen_func(
    q,
    k,
    v,
    cu_seqlens_q,
    cu_seqlens_k,
    max_seqlen_q,
    max_seqlen_k,
    dropout_p=0.0,
    softmax_scale=None,
    causal=False,
    window_size=(-1, -1),
    softcap=0.0,
    alibi_slopes=None,
    deterministic=False,
    return_attn_probs=False,
    block_table=None,
):
    """Attention of sequences one after the other: (tokens, heads, size)."""
    _plain(dropout_p, window_size, softcap, alibi_slopes, block_table)
    _check(q, k, v)
    queries, keys = cu_seqlens_q.tolist(), cu_seqlens_k.tolist()
    return torch.cat(
        [
            _attend(q[a:b], k[c:d], v[c:d], softmax_scale, causal)
            for a, b, c, d in zip(queries, queries[1:], keys, keys[1:], strict=False)
        ]
    )


def flash_attn_with_kvcache(
    q,
    k_cache,
    v_cache,
    k=None,
    v=None,
    rotary_cos=None,
    rotary_sin=None,
    cache_seqlens=None,
    cache_batch_idx=None,
    cache_leftpad=None,
    block_table=None,
    softmax_scale=None,
    causal=False,
    window_size=(-1, -1),
    softcap=0.0,
    rotary_interleaved=True,
    alibi_slopes=None,
    num_splits=0,
    return_softmax_lse=False,
):
    """Attention to the first `cache_seqlens` positions of each row of a cache."""
    # Long because it has the signature of the real one.
    _plain(0.0, window_size, softcap, alibi_slopes, block_table)
    for refused in (k, v, rotary_cos, rotary_sin, cache_batch_idx, cache_leftpad):
        if refused is not None:
            raise NotImplementedError
    _check(q, k_cache, v_cache)
    if isinstance(cache_seqlens, int):
        cache_seqlens = torch.full((q.shape[0],), cache_seqlens, dtype=torch.int32)
    if cache_seqlens is None:
        lengths = [k_cache.shape[1]] * q.shape[0]
    elif cache_seqlens.dtype != torch.int32:
        raise RuntimeError("seqlens_k must have dtype int32")
    else:
        lengths = cache_seqlens.tolist()
    return torch.stack(
        [
            _attend(q[row], k_cache[row, :length], v_cache[row, :length], softmax_scale, causal)
            for row, length in enumerate(lengths)
        ]
    )


def _plain(dropout_p, window_size, softcap, alibi_slopes, block_table=None):
    """What is not stood in for."""
    if dropout_p or tuple(window_size) != (-1, -1) or softcap:
        raise NotImplementedError
    if alibi_slopes is not None or block_table is not None:
        raise NotImplementedError


def _check(q, k, v):
    """What the real package refuses."""
    if q.dtype not in (torch.float16, torch.bfloat16):
        raise RuntimeError("FlashAttention only support fp16 and bf16 data type")
    if k.dtype != q.dtype or v.dtype != q.dtype:
        raise RuntimeError("query, key, value must have the same dtype")
    if any(states.stride(-1) != 1 for states in (q, k, v)):
        raise RuntimeError("Input tensor must have contiguous last dimension")
    if q.shape[-1] > 256 or q.shape[-1] % 8:
        raise RuntimeError("FlashAttention forward only supports head dimension at most 256")
    if q.shape[-2] % k.shape[-2]:
        raise RuntimeError("Number of heads in key/value must divide number of heads in query")


def _attend(q, k, v, scale, causal):
    """(queries, heads, size) to (keys, key heads, size), in float32, rounded at the end."""
    groups = q.shape[1] // k.shape[1]
    query = q.float().transpose(0, 1)
    keys, values = (
        states.float().transpose(0, 1).repeat_interleave(groups, dim=0) for states in (k, v)
    )
    scores = query @ keys.transpose(1, 2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if causal:
        last = torch.arange(q.shape[0], device=q.device) + k.shape[0] - q.shape[0]
        allowed = torch.arange(k.shape[0], device=q.device) <= last[:, None]
        scores = scores.masked_fill(~allowed, float("-inf"))
    return (scores.softmax(-1).nan_to_num() @ values).transpose(0, 1).to(q.dtype)
