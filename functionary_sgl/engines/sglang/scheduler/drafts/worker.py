"""Who computes a batch: a pass over what its requests have as drafts, or a plain one."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from sglang.srt.model_executor.forward_batch_info import ForwardMode
from sglang.srt.speculative.base_spec_worker import BaseSpecWorker

from functionary_sgl.engines.sglang.scheduler import finite
from functionary_sgl.engines.sglang.scheduler.drafts.proposals import Draft, draft
from functionary_sgl.engines.sglang.scheduler.drafts.rows import Chains, mask, repeated, widened


class Worker(BaseSpecWorker):  # type: ignore[misc]
    """SGLang's worker for an algorithm, without a draft model."""

    def __init__(self, server_args: Any, gpu_id: int, nccl_port: int, target_worker: Any) -> None:
        super().__init__()
        self._target_worker = target_worker
        self._most = server_args.speculative_num_draft_tokens - 1

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
            drafts = [draft(request, self._most) for request in batch.reqs]
            width = 1 + max(len(one.ids) for one in drafts)
            result = self._verify(batch, drafts, width) if width > 1 else self._decode(batch)
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
        batch.out_cache_loc = _slots(batch, lengths.view(-1, 1))
        batch.seq_lens, batch.seq_lens_cpu = lengths + 1, batch.seq_lens_cpu + 1
        batch.seq_lens_sum = None
        batch.spec_info = None
        result = self._target_worker.forward_batch_generation(batch)
        told = result.logits_output
        if batch.return_logprob:
            told.next_token_logprobs = told.next_token_logprobs.view(-1, 1)
        return _one_each(result, lengths + 1)

    def _verify(self, batch: Any, drafts: Sequence[Draft], width: int) -> Any:
        """Compute a chain for each request: its last token and its draft, up to `width` ids; draw
        behind each of them, and keep what was drawn as long as it is the draft."""
        lengths = batch.seq_lens
        lasts = [request.output_ids[-1] for request in batch.reqs]
        padded = [
            [last, *ids, *[0] * (width - 1 - len(ids))]
            for last, (ids, _) in zip(lasts, drafts, strict=True)
        ]
        chains = torch.tensor(padded)
        places = lengths.view(-1, 1) + torch.arange(width)
        batch.forward_mode = ForwardMode.TARGET_VERIFY
        batch.input_ids = chains.flatten()
        batch.out_cache_loc = _slots(batch, places)
        batch.spec_info = Chains(places.flatten(), width)
        result = self._target_worker.forward_batch_generation(batch, is_verify=True)
        drawn = self._draw(batch, drafts, places, result.logits_output)
        proposed = torch.tensor([len(ids) for ids, _ in drafts]).view(-1, 1)
        kept = (drawn[:, :-1] == chains[:, 1:]) & (torch.arange(width - 1) < proposed)
        result.next_token_ids = drawn.flatten()
        result.accept_lens = kept.int().cumprod(1).sum(1).int() + 1
        result.new_seq_lens = lengths + result.accept_lens
        result.speculative_num_draft_tokens = width
        return result

    def _draw(
        self, batch: Any, drafts: Sequence[Draft], places: torch.Tensor, told: Any
    ) -> torch.Tensor:
        """An id for each of `places` (requests, width), by the logits in `told`."""
        width, logits = places.shape[1], told.next_token_logits
        info = widened(batch.sampling_info, width)
        info.grammar_mask = mask(batch.reqs, drafts, width, info.vocab_size)
        info.apply_logits_bias(logits)
        ids = self._target_worker.model_runner.sampler(
            told,
            info,
            batch.return_logprob,
            repeated(batch.top_logprobs_nums, width),
            repeated(batch.token_ids_logprobs, width),
            places.flatten(),
        )
        if batch.return_logprob:
            told.next_token_logprobs = told.next_token_logprobs.view(places.shape)
        return finite.marked(told, ids).view(places.shape)


def _one_each(result: Any, lengths: torch.Tensor) -> Any:
    """`result` of a pass that drew a token for each request, which then have these `lengths`."""
    result.next_token_ids = finite.marked(result.logits_output, result.next_token_ids)
    result.accept_lens = torch.ones(len(lengths), dtype=torch.int32)
    result.new_seq_lens = lengths
    result.speculative_num_draft_tokens = 1
    return result


def _slots(batch: Any, places: torch.Tensor) -> torch.Tensor:
    """Where in the KV cache the tokens at `places` (requests, any number) of the requests lie."""
    table = batch.req_to_token_pool.req_to_token
    slots: torch.Tensor = table[batch.req_pool_indices.view(-1, 1), places].flatten().long()
    return slots
