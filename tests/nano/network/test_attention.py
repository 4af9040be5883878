"""Attention of our own is PyTorch's, and so are its gradients."""

from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from nano.data.conversations import conversation
from nano.data.drills import drill
from nano.network import attention, model
from nano.settings import Settings
from nano.tokens.batches import Batch, batch
from nano.tokens.samples import Sampler

LENGTHS = st.integers(1, 70)


def drawn(seed: int, length: int) -> list[Tensor]:
    """query, key and value."""
    generator = torch.Generator().manual_seed(seed)
    # In double precision rounding hides nothing, whatever the order of a processor's sums.
    made = [torch.randn(2, 3, length, 8, generator=generator).double() for _ in range(3)]
    return [one.requires_grad_() for one in made]


def branches(seed: int, length: int) -> Batch:
    """Rows of so many ids that share a beginning and go on in branches."""
    random = Random(seed)
    branch = torch.zeros(2, length, dtype=torch.long)
    for row in branch:
        number = 0
        for place in range(random.randint(1, length), length):
            number += number == 0 or random.random() < 0.2
            row[place] = number
    empty = torch.zeros(2, length)
    return Batch(empty.long(), empty.bool(), empty.bool(), [], branch)


@given(st.integers(0, 1000), LENGTHS, st.booleans())
def test_it_attends_as_pytorch_does(seed: int, length: int, branched: bool) -> None:
    sees = branches(seed, length).sees if branched else None
    ours, theirs = drawn(seed, length), drawn(seed, length)
    added = attention.mask(sees, length, torch.float64)
    attended = attention.attend(*ours, added)[0]
    expected = functional.scaled_dot_product_attention(
        *theirs, attn_mask=sees, is_causal=sees is None
    )
    torch.testing.assert_close(attended, expected)
    grad = torch.randn(expected.shape, generator=torch.Generator().manual_seed(seed)).double()
    attended.backward(grad)
    expected.backward(grad)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("length", [3, 4, 16, 37])
def test_it_is_an_operation_that_pytorch_can_compile(length: int) -> None:
    added = attention.mask(None, length, torch.float64)
    torch.library.opcheck(attention.attend, (*drawn(0, length), added))


# Logits are up to 2.6 here, where neighbours in bfloat16 are 0.016 apart; float32 is off by 1e-6.
@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_a_model_that_uses_it_thinks_the_same(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, off: float
) -> None:
    monkeypatch.setattr(model, "compute_dtype", lambda device: dtype)
    attend, asked = attention.attend, []

    def noted(*arguments: Tensor) -> list[Tensor]:
        asked.append(arguments)
        attended: list[Tensor] = attend(*arguments)
        return attended

    monkeypatch.setattr(attention, "attend", noted)
    torch.manual_seed(0)
    llama = model.build(Settings.read().model | {"num_hidden_layers": 2}, sampler.tokenizer)
    model.deepen(llama, [1])
    samples = [
        sampler.sample(conversation(Random("one"), "train")),
        sampler.branched(drill(Random("two"), "train")),
    ]
    for sample in samples:
        rows = batch([sample], len(sample.ids))
        with torch.no_grad():
            llama.set_attn_implementation("sdpa")
            assert not attention.used(llama)
            theirs, _ = model.answer_logits(llama, rows)
            assert not asked
            attention.use(llama)
            assert attention.used(llama)
            ours, _ = model.answer_logits(llama, rows)
        assert len(asked) == len(llama.model.layers)
        asked.clear()
        torch.testing.assert_close(ours, theirs, atol=off, rtol=0)
