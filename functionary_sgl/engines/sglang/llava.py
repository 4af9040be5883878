"""Checkpoints of LLaVA's own code, functionary-vision-small-v0.1 among them, for SGLang.

SGLang 0.5.23 has their model class, but transformers does not know their `model_type`. They are
Llamas with a vision tower beside them, which is loaded from where `mm_vision_tower` says; their
image processor has to be among their files (`preprocessor_config.json`).
Source: lmms-lab/llama3-llava-next-8b (config.json) and SGLang (models/llava.py).
"""

from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "LlavaLlamaForCausalLM"


def is_llava(config: Mapping[str, Any]) -> bool:
    """Whether a checkpoint's `config.json` is one of these; MeetKai's class is a subclass."""
    return any(name.endswith(ARCHITECTURE) for name in config.get("architectures") or ())


def overrides(image_token_id: int | None) -> dict[str, Any]:
    """What their configuration lacks; `image_token_id` stands for an image in prompts."""
    known: dict[str, Any] = {"architectures": [ARCHITECTURE]}
    return known if image_token_id is None else known | {"image_token_index": image_token_id}


def register() -> None:
    """Have transformers take their `model_type` in this process."""
    from functionary_sgl.engines.sglang import llava_config  # noqa: F401
