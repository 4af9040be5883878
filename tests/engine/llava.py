"""A LLaVA as LLaVA's own code saves it: functionary-nano with a vision tower of random weights."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from functionary_sgl.prompt import checkpoint

SIDE = 28
VISION = 32


def build(directory: Path) -> None:
    """Write the checkpoint to `directory`, under the names that MeetKai's class gives itself."""
    shutil.copytree(checkpoint.EMBEDDED, directory)
    torch.manual_seed(0)
    tower = CLIPVisionConfig(
        hidden_size=VISION,
        intermediate_size=2 * VISION,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=SIDE // 2,
    )
    CLIPVisionModel(tower).half().save_pretrained(directory / "clip")
    size = {"height": SIDE, "width": SIDE}
    CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=size).save_pretrained(directory)
    config = json.loads((directory / "config.json").read_text())
    named = {
        "architectures": ["FixedLlavaLlamaForCausalLM"],
        "model_type": "llava_llama",
        "mm_vision_tower": str(directory / "clip"),
        "mm_hidden_size": VISION,
        "mm_projector_type": "mlp2x_gelu",
        "mm_patch_merge_type": "spatial_unpad",
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "image_aspect_ratio": "anyres",
        "image_grid_pinpoints": [[SIDE, 2 * SIDE], [2 * SIDE, SIDE], [2 * SIDE, 2 * SIDE]],
    }
    (directory / "config.json").write_text(json.dumps(config | named))
    (directory / "chat_template.jinja").write_text("{# version=v3.llava_llama #}")
    weights = load_file(directory / "model.safetensors")
    save_file(
        weights | _projector(config["hidden_size"]),
        directory / "model.safetensors",
        metadata={"format": "pt"},
    )


def _projector(hidden: int) -> dict[str, torch.Tensor]:
    return {
        "model.mm_projector.0.weight": torch.randn(hidden, VISION) / 2,
        "model.mm_projector.0.bias": torch.zeros(hidden),
        "model.mm_projector.2.weight": torch.randn(hidden, hidden) / 8,
        "model.mm_projector.2.bias": torch.zeros(hidden),
        "model.image_newline": torch.randn(hidden) / 8,
    }
