"""The algorithm, as SGLang knows it.

Imported where SGLang reads its flags, never at the head of the rest of this package.
"""

from typing import Any

from sglang.srt.arg_groups import lora_hook
from sglang.srt.managers.overlap_utils import FutureMap
from sglang.srt.speculative import spec_registry
from sglang.srt.speculative.spec_info import SpeculativeAlgorithm
from sglang.srt.speculative.spec_registry import CustomSpecAlgo

NAME = "FUNCTIONARY_DRAFTS"

WIDTH = 16
"""Tokens of a request in a pass, of which one is not a draft."""


class Drafts(CustomSpecAlgo):  # type: ignore[misc]
    """With what SGLang 0.5.23 asks of every algorithm and its base for plugins lacks."""

    def has_draft_kv(self) -> bool:
        return False

    def need_topk(self) -> bool:
        return False

    def carries_draft_hidden_states(self) -> bool:
        return False

    def create_future_map(self, device: Any, req_to_token_pool: Any, **needs: bool) -> FutureMap:
        return FutureMap(device, self, req_to_token_pool, **needs)


def register() -> None:
    """Let SGLang know it, in this process."""
    if NAME in spec_registry._REGISTRY:
        return
    SpeculativeAlgorithm.register(NAME, spec_class=Drafts)(_worker)
    check = lora_hook.check_lora_speculative_compatibility

    def check_others(server_args: Any) -> None:
        """SGLang's check, by the names of algorithms, that adapters go with one. Ours has as many
        tokens of each request in a pass, which is what they ask."""
        if server_args.speculative_algorithm != NAME:
            check(server_args)

    lora_hook.check_lora_speculative_compatibility = check_others


def choose(arguments: Any) -> None:
    """Set SGLang's flags, as parsed, for it. Drafts depend on what was drawn before, so nothing is
    scheduled ahead."""
    arguments.speculative_algorithm = NAME
    arguments.speculative_num_draft_tokens = WIDTH
    arguments.speculative_num_steps = arguments.speculative_eagle_topk = 1
    arguments.disable_overlap_schedule = True


def _worker(_: Any) -> type:
    from functionary_sgl.engines.sglang.scheduler.drafts.worker import Worker

    return Worker
