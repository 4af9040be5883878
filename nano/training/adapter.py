"""Train a LoRA adapter for a model that is trained already: another persona, the same calls.

    python -m nano.training.adapter [--config FILE] [--model DIRECTORY] [--directory DIRECTORY]
                           [--output DIRECTORY] [--minutes N]

The training is that of train.py, but the model's own weights stay as they are; those of the
adapter, small matrices beside them, learn. It always begins anew. The directory gets a checkpoint,
metrics.jsonl and curves.png, the output the adapter in peft's form, which SGLang, transformers and
this package's server load.
"""

import argparse
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import save_file

from functionary_sgl.chat.conversation import Conversation
from nano.data import conversations
from nano.data.persona import Persona
from nano.data.scenes import Scene, asked
from nano.data.words import Split, words
from nano.network.llama import Llama
from nano.settings import Settings
from nano.training import export
from nano.training.train import Training, told_to_stop

CONFIG = Path(__file__).parent / "pirate.toml"
OUTPUT = export.OUTPUT.parent / "nano-pirate"


class AdapterTraining(Training):
    """A training of an adapter for the checkpoint in `base`; `content` is that of a file like
    pirate.toml."""

    def __init__(self, content: dict[str, Any], base: Path, directory: Path) -> None:
        self._lora: dict[str, Any] = content["lora"]
        self._persona = Persona(**content["persona"])
        self._small_talk: float = content["small_talk"]
        self.adapted: Any  # a PeftModel
        # Compiling would take as long as half of so short a training.
        settings = Settings.of(content["training"])
        super().__init__(settings, directory, compiled=False, trained=base)

    def make(self) -> Llama:
        """The model of `base`, with the adapter's matrices in it."""
        from peft import LoraConfig, get_peft_model

        base = super().make()
        # In place; what is returned is for saving.
        self.adapted = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **self._lora))
        return base

    def make_optimizers(self) -> list[tuple[torch.optim.Optimizer, float]]:
        learning = [p for p in self.model.parameters() if p.requires_grad]
        rate = self.settings.other_lr
        return [(torch.optim.AdamW(learning, lr=rate, weight_decay=0.0, fused=True), rate)]

    def talk(self, random: Random, split: Split) -> Conversation:
        chats = random.random() < self._small_talk
        drawn = chat(random, split) if chats else super().talk(random, split)
        return self._persona.speaks(drawn)

    def export(self, output: Path) -> None:
        """Write the adapter (bfloat16) to `output`; the model card that is there stays."""
        from peft import get_peft_model_state_dict

        output.mkdir(parents=True, exist_ok=True)
        weights = get_peft_model_state_dict(self.adapted, save_embedding_layers=False)
        halves = {name: weight.to(torch.bfloat16).cpu() for name, weight in weights.items()}
        save_file(halves, output / "adapter_model.safetensors", metadata={"format": "pt"})
        config = self.adapted.peft_config["default"]
        config.base_model_name_or_path = "functionary-nano"
        config.target_modules = sorted(config.target_modules)
        config.inference_mode = True
        config.save_pretrained(str(output))


def chat(random: Random, split: Split) -> Conversation:
    """Small talk alone, with few functions on offer or none."""
    scene = Scene(random, words(split), [], code=False)
    scene.functions = conversations.offered(random, scene.words, random.choice((0, 0, 1, 2)))
    for _ in range(random.choice((1, 1, 2, 3))):
        conversations.small_talk(scene)
    return asked(scene)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--model", type=Path, default=export.OUTPUT, help="what it is for")
    parser.add_argument("--directory", type=Path, default=Path(".nano") / "pirate")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    options = parser.parse_args()
    for name in ("checkpoint.pt", "stable.pt"):
        (options.directory / name).unlink(missing_ok=True)
    content = tomllib.loads(options.config.read_text(encoding="utf-8"))
    training = AdapterTraining(content, options.model, options.directory)
    training.run(told_to_stop(options.minutes))
    training.export(options.output)
    size = (options.output / "adapter_model.safetensors").stat().st_size
    print(f"{options.output}: {size / 1e3:.0f} kB of weights")


if __name__ == "__main__":
    main()
