"""Weights to begin with by which a model can copy before it has learned anything.

A transformer that learns from nothing finds out last how to continue a sequence as it went on
before. The circuit by which all of them do it is known (induction heads: Olsson et al., "In-context
Learning and Induction Heads", 2022), so it is put into the first two layers, and training starts
from there:

- Heads of the first layer look one, two and three tokens back, by position alone, and write what
  they see into a subspace of their own.
- Heads of the second layer look for the places before which there was what is here now: the token,
  the last two, the last three; and write the token that stood there to where it becomes the answer.

All other weights stay random. Everything remains to be trained, these weights too.
"""

import math

import torch
from torch import Tensor

from nano.network.llama import Llama

BACK = 3
"""How many tokens the heads look back."""

SHARPNESS = 6.0
"""How much more a head of the first layer heeds its place than that beside it, in units of what the
rotations of one step tell apart."""

MATCH = 4.0
ANSWER = 1.0
_FAST, _SLOW = 8, 14


def prepare(model: Llama) -> None:
    """Put the circuit into a model; it needs three heads of 64 dimensions, or more."""
    with torch.no_grad():
        _prepare(model)


def _prepare(model: Llama) -> None:
    config = model.config
    size, head = config.hidden_size, config.head_dim
    embedding = model.model.embed_tokens.weight
    embedding.normal_(0, size**-0.5)
    embedding[:, 0] = 0.5
    seen = _orthogonal(size)[:, :head].T
    seen[:, 0] = 0
    places = [_orthogonal(size)[:, :head] for _ in range(BACK)]
    values = _orthogonal(size)[: BACK * head].reshape(BACK, head, size)
    angles = config.rope_parameters["rope_theta"] ** (-torch.arange(head // 2) / (head // 2))
    first, second = model.model.layers[0].self_attn, model.model.layers[1].self_attn
    # What the norms before the layers make of the residual stream, whose parts have the norm 1.
    constant = 0.5 * math.sqrt(size) / math.sqrt(1.25)
    part = math.sqrt(size) / math.sqrt(1.25 + BACK)
    for index in range(BACK):
        rows = slice(index * head, (index + 1) * head)
        _look_back(
            first.q_proj.weight[rows], first.k_proj.weight[rows], angles, index + 1, constant
        )
        first.v_proj.weight[rows] = seen
        first.o_proj.weight[:, rows] = places[index] / (math.sqrt(head) * 0.9)
        query = sum(
            (_turned(seen if back == 0 else places[back - 1].T, back) for back in range(index + 1)),
            torch.zeros_like(seen),
        )
        key = sum(
            (_turned(places[back].T, back) for back in range(index + 1)), torch.zeros_like(seen)
        )
        slow = torch.arange(head) % (head // 2) >= _SLOW
        scale = math.sqrt(MATCH) * 7.8 / part / math.sqrt(index + 1) ** 0.5
        second.q_proj.weight[rows] = query * slow[:, None] * scale
        second.k_proj.weight[rows] = key * slow[:, None] * scale
        second.v_proj.weight[rows] = values[index]
        second.o_proj.weight[:, rows] = values[index].T * ANSWER


def _look_back(query: Tensor, key: Tensor, angles: Tensor, back: int, constant: float) -> None:
    """Make a head look `back` tokens back, by the feature that all tokens have."""
    half = len(angles)
    weight = math.sqrt(SHARPNESS * math.sqrt(2 * half)) / constant
    query.zero_()
    key.zero_()
    fast = torch.arange(half) < _FAST
    query[:half, 0] = weight * fast
    # The key is turned on by `back` steps, so that it agrees with a query that much later.
    key[:half, 0] = weight * fast * torch.cos(back * angles)
    key[half:, 0] = weight * fast * torch.sin(back * angles)


def _turned(projection: Tensor, back: int) -> Tensor:
    """The projection in a basis of its own for each distance, so that distances do not mix."""
    generator = torch.Generator().manual_seed(back)
    size = len(projection)
    rows = torch.arange(size) % (size // 2) >= _SLOW
    chosen = projection[rows]
    turn, _ = torch.linalg.qr(torch.randn(len(chosen), len(chosen), generator=generator))
    turned = torch.zeros_like(projection)
    turned[rows] = turn @ chosen
    return turned


def _orthogonal(size: int) -> Tensor:
    return torch.linalg.qr(torch.randn(size, size))[0]
