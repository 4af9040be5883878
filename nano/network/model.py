"""The model: a plain Llama, so that every engine serves it as it is."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from functionary_sgl.tokenizer import Tokenizer
from nano.network import attention
from nano.network.llama import Llama, new
from nano.network.muon import Muon
from nano.network.precision import compute_dtype
from nano.tokens.batches import Batch
from nano.tokens.tokenizer import BOS, END


def build(shape: dict[str, Any], tokenizer: Tokenizer) -> Llama:
    """A new model of this shape, its weights drawn from torch's generator."""
    ids = tokenizer.control_ids
    return new(
        **shape,
        vocab_size=tokenizer.size,
        tie_word_embeddings=True,
        bos_token_id=ids[BOS],
        eos_token_id=[ids[END], ids["<|end_of_text|>"]],
        attn_implementation="sdpa",
    )


def deepen(model: Llama, after: Sequence[int]) -> None:
    """Put a new layer behind each of these, counted from 1: a copy that adds nothing at first, so
    that the model says what it said before (block expansion: Wu et al., "LLaMA Pro", 2024)."""
    layers = []
    for number, layer in enumerate(model.model.layers, start=1):
        layers.append(layer)
        if number in after:
            layers.append(new := deepcopy(layer, {id(model.config): model.config}))
            nn.init.zeros_(new.self_attn.o_proj.weight)
            nn.init.zeros_(new.mlp.down_proj.weight)
    for index, layer in enumerate(layers):
        layer.self_attn.layer_idx = index
    model.model.layers = nn.ModuleList(layers)
    model.config.num_hidden_layers = len(layers)


def compiled(model: Llama) -> None:
    """Compile each layer in place: much faster, and quickly compiled as layers are alike."""
    for layer in model.model.layers:
        layer.compile(dynamic=True)


def states(model: Llama, batch: Batch) -> list[Tensor]:
    """The hidden states behind each layer, [rows, length, size].

    Rows are filled up at their ends, where causal attention cannot see the filling.
    """
    device = model.device
    decoder = model.model
    positions = batch.positions.to(device)
    # Made anew each time that it is asked for, and as large as all attention.
    if (sees := batch.sees) is not None:
        sees = sees.to(device)
    if attention.used(model):
        sees = attention.mask(sees, batch.ids.size(1), compute_dtype(device))
    with _computing(device):
        made = [decoder.embed_tokens(batch.ids.to(device))]
        turned = decoder.rotary_emb(made[0], position_ids=positions)
        for layer in decoder.layers:
            made.append(layer(made[-1], attention_mask=sees, position_embeddings=turned))
    return made[1:]


def answer_logits(
    model: Llama, batch: Batch, states_of: list[Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """For each token of the batch's answers: the logits of all tokens, and its id. `states_of` the
    batch are computed where they are not given."""
    last = (states_of or states(model, batch))[-1]
    wanted = batch.answer[:, 1:].to(last.device)
    with _computing(last.device):
        logits = model.lm_head(model.model.norm(last[:, :-1][wanted]))
    return logits.float(), batch.ids[:, 1:].to(last.device)[wanted]


def _computing(device: torch.device) -> torch.autocast:
    dtype = compute_dtype(device)
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def loss(logits: Tensor, ids: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean over the ids; with `weights`, [ids], the sum of what each counts by its weight."""
    if weights is None:
        return functional.cross_entropy(logits, ids)
    return functional.cross_entropy(logits, ids, reduction="none") @ weights


def optimizers(model: nn.Module, matrix_lr: float, other_lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for all else."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.ndim == 2 and "layers" in name]
    others = [p for name, p in named if not (p.ndim == 2 and "layers" in name)]
    return [
        Muon(matrices, lr=matrix_lr),
        torch.optim.AdamW(others, lr=other_lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]
