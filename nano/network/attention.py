"""Attention for training on a processor, in half the time of PyTorch's.

PyTorch's kernel for processors works in small pieces, which leaves the instructions for products of
matrices idle. Here the weights of a quarter of the queries at a time are one product, and are kept
for the way back, where that kernel computes them again. A quarter sees no key behind its last
query, so about a third of all weights need no computing.
"""

import torch
from torch import Tensor, nn

from nano.network.llama import Llama

_NAME = "nano_quarters"
_PARTS = 4


def use(model: Llama) -> None:
    """Let a model on a processor attend so; a mask for its layers is to be made by `mask`."""
    from transformers import AttentionInterface

    AttentionInterface.register(_NAME, _forward)
    model.config._attn_implementation = _NAME


def used(model: Llama) -> bool:
    """Whether `use` was called with this model."""
    return bool(model.config._attn_implementation == _NAME)


def mask(sees: Tensor | None, length: int, dtype: torch.dtype) -> Tensor:
    """What is added to the logits of attention, [rows or 1, 1, length, length], for what each id
    `sees`; None: all up to itself."""
    if sees is None:
        sees = torch.ones(1, 1, length, length, dtype=torch.bool).tril()
    return torch.zeros(sees.shape, dtype=dtype).masked_fill_(~sees, -torch.inf)


def _forward(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, added: Tensor | None, **_: object
) -> tuple[Tensor, None]:
    """What transformers calls in a layer."""
    dtype = value.dtype
    added = mask(None, query.size(2), dtype) if added is None else added
    attended, *_ = attend(query.to(dtype), key.to(dtype), value, added.to(dtype))
    return attended.transpose(1, 2).contiguous(), None


@torch.library.custom_op("nano::attend", mutates_args=())  # type: ignore[untyped-decorator]
def attend(query: Tensor, key: Tensor, value: Tensor, added: Tensor) -> list[Tensor]:
    """Attention with a mask that lets nothing see what is behind it, and then the weights of each
    part of the queries. query, key, value and what comes back: [rows, heads, length, size]."""
    rows, heads, length, size = query.shape
    query, key, value = _flat(query * size**-0.5, key, value)
    attended, kept = torch.empty_like(query), []
    with torch.autocast(query.device.type, enabled=False):
        for first, end in _parts(length):
            weights = torch.bmm(query[:, first:end], key[:, :end].mT)
            weights.view(rows, heads, end - first, end).add_(added[:, :, first:end, :end])
            torch.softmax(weights, -1, out=weights)
            attended[:, first:end] = torch.bmm(weights, value[:, :end])
            kept.append(weights)
    return [attended.view(rows, heads, length, size), *kept]


@torch.library.custom_op("nano::attend_back", mutates_args=())  # type: ignore[untyped-decorator]
def attend_back(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, kept: list[Tensor]
) -> list[Tensor]:
    """The gradients of query, key and value from that of what `attend` gave."""
    shape, scale = query.shape, query.size(-1) ** -0.5
    grad, query, key, value = _flat(grad, query * scale, key, value)
    to_query, to_key, to_value = (torch.empty_like(of) for of in (query, key, value))
    # The last part first: it sees all keys, and so sets what the others add to.
    for (first, end), weights in reversed([*zip(_parts(query.size(1)), kept, strict=True)]):
        mine = grad[:, first:end]
        to_weights = torch.bmm(mine, value[:, :end].mT)
        torch._softmax_backward_data(to_weights, weights, -1, weights.dtype, grad_input=to_weights)
        to_query[:, first:end] = torch.bmm(to_weights, key[:, :end])
        last = float(end < query.size(1))
        to_key[:, :end].baddbmm_(to_weights.mT, query[:, first:end], beta=last)
        to_value[:, :end].baddbmm_(weights.mT, mine, beta=last)
    return [(to_query * scale).view(shape), to_key.view(shape), to_value.view(shape)]


def _flat(*of: Tensor) -> list[Tensor]:
    """Rows and heads as one dimension."""
    return [one.reshape(-1, *one.shape[2:]) for one in of]


def _parts(length: int) -> list[tuple[int, int]]:
    return [(length * i // _PARTS, length * (i + 1) // _PARTS) for i in range(_PARTS)]


@attend.register_fake  # type: ignore[untyped-decorator]
def _(query: Tensor, key: Tensor, value: Tensor, added: Tensor) -> list[Tensor]:
    rows, heads, length, _ = query.shape
    parts = _parts(length)
    kept = [query.new_empty(rows * heads, end - first, end) for first, end in parts]
    return [query.new_empty(query.shape), *kept]


@attend_back.register_fake  # type: ignore[untyped-decorator]
def _(grad: Tensor, query: Tensor, key: Tensor, value: Tensor, kept: list[Tensor]) -> list[Tensor]:
    return [one.new_empty(one.shape) for one in (query, key, value)]


def _setup(ctx: object, inputs: tuple[Tensor, ...], output: list[Tensor]) -> None:
    query, key, value, _ = inputs
    ctx.save_for_backward(query, key, value, *output[1:])  # type: ignore[attr-defined]


def _backward(context: object, grads: list[Tensor]) -> tuple[Tensor | None, ...]:
    query, key, value, *kept = context.saved_tensors  # type: ignore[attr-defined]
    return (*attend_back(grads[0], query, key, value, kept), None)


attend.register_autograd(_backward, setup_context=_setup)
