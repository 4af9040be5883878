"""What a batch of SGLang knows of our requests, where batches merge and shrink."""

from typing import Any

import pytest

from tests.engine.batches import IDS, batch_info

# What the fixture `hooks` says: the control tokens are 3 and 5, and these no tokenizer has.
UNKNOWN = set(range(900, IDS))


@pytest.mark.filterwarnings("ignore")
def test_control_tokens_are_barred_but_for_who_asks(hooks: None) -> None:
    import torch

    def batch(*asked: frozenset[int] | None) -> Any:
        bias = torch.full((len(asked), IDS), 100.0)
        return batch_info(len(asked), asked=list(asked), logit_bias=bias)

    def barred(info: Any) -> list[set[int]]:
        logits = torch.zeros(len(info.temperatures), IDS)
        info.apply_logits_bias(logits)
        assert set(logits.unique().tolist()) <= {100.0, float("-inf")}
        return [set((row < 0).nonzero().flatten().tolist()) for row in logits]

    all_, no_five, none = {3, 5} | UNKNOWN, {3} | UNKNOWN, set()
    running = batch(frozenset(), None)
    assert barred(running) == [all_, none]
    copy = running.copy_for_forward()
    running.merge_batch(batch(frozenset({5, 700})))
    assert barred(running) == barred(running.copy_for_forward()) == [all_, none, no_five]
    assert barred(copy) == [all_, none]
    running.filter_batch([2, 0], torch.tensor([2, 0]))
    assert barred(running.copy_for_forward()) == [no_five, all_]


@pytest.mark.filterwarnings("ignore")
def test_rows_that_are_no_numbers_are_drawn_evenly_and_marked(hooks: None) -> None:
    import torch

    from functionary_sgl.engines.sglang.scheduler import finite

    class Told:
        pass

    rows = torch.tensor(
        [[1.0, 2.0], [float("nan"), 0.0], [float("inf"), 0.0], [float("-inf")] * 2, [2e30, 0.0]]
    )
    output, info, result = Told(), Told(), Told()
    output.next_token_logits, info.vocab_size = rows, IDS  # type: ignore[attr-defined]
    seen = finite._sample(lambda _, told, __: told.next_token_logits.clone(), None, output, info)
    assert seen.tolist() == [[1.0, 2.0], *[[0.0, 0.0]] * 4]
    result.logits_output, result.next_token_ids = output, torch.arange(5)  # type: ignore[attr-defined]
    finite._mark(None, None, None, None, result)
    assert result.next_token_ids.tolist() == [0, IDS, IDS, IDS, IDS]  # type: ignore[attr-defined]
