"""Write a trained model as a checkpoint that SGLang, transformers and this package's server load.

python -m nano.training.export [--directory DIRECTORY] [--output DIRECTORY]
"""

import argparse
import json
import shutil
from pathlib import Path

import torch

from functionary_sgl.tokenizer import Tokenizer
from nano.network import model
from nano.settings import CONFIG, Settings
from nano.tokens.tokenizer import BOS, END, FORMAT

OUTPUT = Path(__file__).parents[2] / "functionary_sgl" / "models" / "nano"

_CHAT_TEMPLATE = (
    f"{{# version={FORMAT.name} #}}{{{{ raise_exception('rendered by functionary-sgl') }}}}"
)


def export(settings: Settings, directory: Path, output: Path) -> None:
    """Write the weights of the training in `directory` (bfloat16), with the tokenizer, to `output`;
    the model card that is there stays."""
    tokenizer = Tokenizer.from_file(directory / "tokenizer.json")
    trained = model.build(settings.model, tokenizer)
    state = torch.load(directory / "checkpoint.pt", map_location="cpu", weights_only=True)
    trained.load_state_dict(state["model"])
    output.mkdir(parents=True, exist_ok=True)
    ids = tokenizer.control_ids
    trained.to(torch.bfloat16).save_pretrained(output)
    shutil.copy(directory / "tokenizer.json", output)
    files = {
        "generation_config.json": {
            "bos_token_id": ids[BOS],
            "eos_token_id": [ids[END], ids["<|end_of_text|>"]],
            "do_sample": True,
            "temperature": 0.1,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": END,
            "clean_up_tokenization_spaces": False,
            "model_max_length": settings.model["max_position_embeddings"],
            "chat_template": _CHAT_TEMPLATE,
        },
    }
    for name, content in files.items():
        (output / name).write_text(json.dumps(content, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--directory", type=Path, default=Path(".nano"))
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    export(Settings.read(options.config), options.directory, options.output)
    size = (options.output / "model.safetensors").stat().st_size
    print(f"{options.output}: {size / 1e6:.1f} MB of weights")


if __name__ == "__main__":
    main()
