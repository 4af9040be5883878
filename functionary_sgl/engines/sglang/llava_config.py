"""The configuration of LLaVA's own checkpoints for transformers; importing it makes it known.

A module of its own, as it needs transformers, and as the engine's processes get it from each other.
"""

from transformers import AutoConfig, AutoProcessor, LlavaConfig, LlavaProcessor


class LlavaLlamaConfig(LlavaConfig):  # type: ignore[misc]
    """As `config.json` names it; its fields are a Llama's and those of `mm_...`."""

    model_type = "llava_llama"


AutoConfig.register(LlavaLlamaConfig.model_type, LlavaLlamaConfig)
AutoProcessor.register(LlavaLlamaConfig, LlavaProcessor)
