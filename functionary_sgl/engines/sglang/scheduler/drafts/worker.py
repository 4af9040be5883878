"""Who computes a batch: a pass over what its requests have as drafts, or a plain one."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from sglang.srt.model_executor.forward_batch_info import ForwardMode
from sglang.srt.speculative.base_spec_worker import BaseSpecWorker

from functionary_sgl.engines.sglang.scheduler import finite
from functionary_sgl.engines.sglang.scheduler.drafts.proposals import Draft, drafts
from functionary_sgl.engines.sglang.scheduler.drafts.rows import Chains, mask, repeated, widened


class Worker(BaseSpecWorker):  # type: ignore[misc]
    """SGLang's worker for an algorithm, without a draft model."""

    def __init__(self, server_args: Any, gpu_id: int, nccl_port: int, target_worker: Any) -> None:
        super().__init__()
        self._target_worker = target_worker
        self._most = server_args.speculative_num_draft_tokens - 1
        self._has_adapters = server_args.enable_lora

    @property
    def draft_worker(self) -> None:
        return None

    def clear_cache_pool(self) -> None:
        """There is none of its own."""

    def forward_batch_generation(
        self,
        batch: Any,
        on_publish: Callable[[torch.Tensor], None] | None = None,
        pp_proxy_tensors: Any = None,
        **_: Any,
    ) -> Any:
        """The next tokens of `batch`, in the form of SGLang's algorithms of the second version."""
        if batch.forward_mode.is_extend():
            result = self._read(batch)
        else:
            drafted = drafts(batch.reqs, self._most)
            is_plain = not any(draft.ids for draft in drafted)
            result = self._decode(batch) if is_plain else self._verify(batch, drafted)
        result.next_draft_input = Chains()
        if on_publish is not None:
            on_publish(result.new_seq_lens)
        return result

    def _read(self, batch: Any) -> Any:
        """Read prompts, and draw the first token behind each."""
        result = self._target_worker.forward_batch_generation(batch)
        return _one_each(result, batch.seq_lens.clone())

    def _decode(self, batch: Any) -> Any:
        """As without drafts. The lengths of a batch lack the last token here."""
        lengths = batch.seq_lens
        batch.input_ids = torch.tensor([request.output_ids[-1] for request in batch.reqs])
        batch.out_cache_loc = _slots(batch, batch.req_pool_indices, lengths)
        batch.seq_lens, batch.seq_lens_cpu = lengths + 1, batch.seq_lens_cpu + 1
        batch.seq_lens_sum = None
        batch.spec_info = None
        result = self._target_worker.forward_batch_generation(batch)
        told = result.logits_output
        if batch.return_logprob:
            told.next_token_logprobs = told.next_token_logprobs.view(-1, 1)
        return _one_each(result, lengths + 1)

    def _verify(self, batch: Any, drafted: Sequence[Draft]) -> Any:
        """Compute a chain for each request, its last token and its draft; draw behind each id of
        it, and keep what was drawn as long as it is the draft."""
        widths = self._widths(batch, drafted)
        chains = [
            [request.output_ids[-1], *ids, *[0] * (width - 1 - len(ids))]
            for request, (ids, _), width in zip(batch.reqs, drafted, widths, strict=True)
        ]
        lengths, wide = batch.seq_lens, torch.tensor(widths)
        places = lengths.repeat_interleave(wide) + torch.cat([*map(torch.arange, widths)])
        rows = batch.req_pool_indices.repeat_interleave(wide)
        batch.forward_mode = ForwardMode.TARGET_VERIFY
        batch.input_ids = torch.tensor([token_id for chain in chains for token_id in chain])
        batch.out_cache_loc = _slots(batch, rows, places)
        batch.spec_info = Chains(places, wide)
        result = self._target_worker.forward_batch_generation(batch, is_verify=True)
        drawn = self._draw(batch, drafted, widths, places, result.logits_output)
        each = [ids.tolist() for ids in drawn.split(widths)]
        kept = [_agreeing(ids, draft.ids) for ids, draft in zip(each, drafted, strict=True)]
        most = max(widths)
        padded = [ids + [0] * (most - len(ids)) for ids in each]
        result.next_token_ids = torch.tensor(padded).flatten()
        result.accept_lens = torch.tensor(kept, dtype=torch.int32) + 1
        result.new_seq_lens = lengths + result.accept_lens
        result.speculative_num_draft_tokens = most
        return result

    def _widths(self, batch: Any, drafted: Sequence[Draft]) -> list[int]:
        """Rows of each request; as many for all where SGLang computes adapters or tells
        log-probabilities, which know chains of one width."""
        widths = [1 + len(draft.ids) for draft in drafted]
        if self._has_adapters or batch.return_logprob:
            return [max(widths)] * len(widths)
        return widths

    def _draw(
        self,
        batch: Any,
        drafted: Sequence[Draft],
        widths: Sequence[int],
        places: torch.Tensor,
        told: Any,
    ) -> torch.Tensor:
        """An id for each row, at `places`, by the logits in `told`."""
        info = widened(batch.sampling_info, widths)
        info.grammar_mask = mask(batch.reqs, drafted, widths, info.vocab_size)
        info.apply_logits_bias(told.next_token_logits)
        ids = self._target_worker.model_runner.sampler(
            told,
            info,
            batch.return_logprob,
            repeated(batch.top_logprobs_nums, widths),
            repeated(batch.token_ids_logprobs, widths),
            places,
        )
        if batch.return_logprob:
            told.next_token_logprobs = told.next_token_logprobs.view(len(widths), -1)
        return finite.marked(told, ids)


def _agreeing(drawn: Sequence[int], proposed: Sequence[int]) -> int:
    """At how many places from the first on they are the same."""
    pairs = enumerate(zip(drawn, proposed, strict=False))
    return next((place for place, (one, other) in pairs if one != other), len(proposed))


def _one_each(result: Any, lengths: torch.Tensor) -> Any:
    """`result` of a pass that drew a token for each request, which then have these `lengths`."""
    result.next_token_ids = finite.marked(result.logits_output, result.next_token_ids)
    result.accept_lens = torch.ones(len(lengths), dtype=torch.int32)
    result.new_seq_lens = lengths
    result.speculative_num_draft_tokens = 1
    return result


def _slots(batch: Any, rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Where in the KV cache the token at each of `places` lies, of the request that has that of
    `rows` in SGLang's table."""
    slots: torch.Tensor = batch.req_to_token_pool.req_to_token[rows, places].long()
    return slots
