"""Models of a shape and of a real vocabulary whose weights SGLang makes up (`--load-format dummy`).

The vocabulary has the size of Llama 3's and its control tokens at their ids; the other tokens are
the first 128,000 of those that `mistral_common` ships, which comes with SGLang.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mistral_common
from tokenizers import Tokenizer

from functionary_sgl.turns import FORMATS

_FORMAT = "v3.llama3"
_PLAIN_IDS = 128_000
_TEKKEN = Path(mistral_common.__file__).parent / "data" / "tekken_240911.json"

_RESERVED = [f"<|reserved_special_token_{number}|>" for number in range(251)]
_CONTROL = [
    *("<|begin_of_text|>", "<|end_of_text|>", *_RESERVED[:4]),
    *("<|start_header_id|>", "<|end_header_id|>", _RESERVED[4], "<|eot_id|>", *_RESERVED[5:]),
]
_BEGIN = _PLAIN_IDS
_ENDS = [_PLAIN_IDS + _CONTROL.index(token) for token in ("<|end_of_text|>", "<|eot_id|>")]

_LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "torch_dtype": "bfloat16",
    "vocab_size": _PLAIN_IDS + len(_CONTROL),
    "hidden_act": "silu",
    "rms_norm_eps": 1e-05,
    "rope_theta": 500_000.0,
    "tie_word_embeddings": False,
    "bos_token_id": _BEGIN,
    "eos_token_id": _ENDS,
}


@dataclass(frozen=True)
class Shape:
    """`config`: what of a `config.json` makes the shape. `at_once`: how many conversations it is
    asked for unless told otherwise. `flags` of each server: what lets several start beside each
    other."""

    config: dict[str, Any]
    at_once: tuple[int, ...]
    flags: tuple[str, ...] = ()

    @property
    def whole_config(self) -> dict[str, Any]:
        return _LLAMA | self.config


SHAPES = {
    # What two cores compute about as fast as a GPU does the other.
    "small": Shape(
        {
            "hidden_size": 256,
            "intermediate_size": 704,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32_768,
        },
        at_once=(1, 8, 32),
    ),
    # Llama 3.1 8B.
    "8b": Shape(
        {
            "hidden_size": 4096,
            "intermediate_size": 14_336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "max_position_embeddings": 131_072,
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192,
            },
        },
        at_once=(64,),
        # Three servers fit a GPU of 80 GB, each with 16 GB of weights and 5 GB of KV cache.
        flags=(
            *("--max-total-tokens", "40000", "--mem-fraction-static", "0.9"),
            *("--cuda-graph-max-bs-decode", "64"),
        ),
    ),
}


def write(shape: Shape, folder: Path) -> None:
    """Make `folder` a checkpoint of that shape, without weights. Takes a few seconds."""
    tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(FORMATS[_FORMAT].template_text or "")
    files = {
        "config": shape.whole_config,
        "generation_config": {"bos_token_id": _BEGIN, "eos_token_id": _ENDS},
        "tokenizer_config": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|begin_of_text|>",
            "eos_token": "<|eot_id|>",
            "clean_up_tokenization_spaces": False,
        },
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def tokenizer() -> Tokenizer:
    """Of 128,256 tokens."""
    from transformers.convert_slow_tokenizer import TikTokenConverter  # takes seconds

    shipped = json.loads(_TEKKEN.read_text("utf-8"))
    tokens = shipped["vocab"][:_PLAIN_IDS]
    ranks = {base64.b64decode(token["token_bytes"]): token["rank"] for token in tokens}

    class Converter(TikTokenConverter):  # type: ignore[misc]
        @staticmethod
        def load_tiktoken_bpe(_: Any) -> dict[bytes, int]:
            return ranks

    pattern = shipped["config"]["pattern"]
    converter = Converter(pattern=pattern, extra_special_tokens=_CONTROL)
    made: Tokenizer = converter.converted()
    return made
