"""Build functionary-tiny, the model with random weights that tests use.

    python scripts/make_tiny_model.py [OUTPUT_DIRECTORY]

What comes out is a two-layer Llama with random weights and a real tokenizer: byte-level BPE with
Llama 3's pre-tokenizer and control tokens, trained on the Python manual's topics and on
conversations in our own template. The weights are random but for some habits (`Habits`), so that
strings, calls and turns come to an end instead of running on for ever. The model understands
nothing; it is there because a server with constraints gives a valid call even from such weights.

The same seed gives the same files.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SEED = 20240901
VOCABULARY = 2048
HIDDEN, LAYERS, HEADS, KV_HEADS, FEED_FORWARD = 64, 2, 4, 2, 160
CONTEXT = 8192

CONTROL_TOKENS = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|python_tag|>",
    "<|finetune_right_pad_id|>",
    "<|reserved_special_token_0|>",
    "<|reserved_special_token_249|>",
    "<|reserved_special_token_250|>",
]

# The pre-tokenizer of Llama 3 (tokenizer.json of Meta-Llama-3-8B-Instruct).
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = "{# version=v3.llama3 #}{{ raise_exception('rendered by functionary-sgl') }}"


def corpus() -> list[str]:
    """Text to learn the vocabulary from: English prose, and the look of prompts and calls."""
    tests = Path(__file__).parent.parent / "tests" / "data" / "prompts.json"
    cases = json.loads(tests.read_text())["cases"]
    prompts = [case["prompt"] for case in cases if case["version"] == "v3.llama3"]
    words = ["location", "city", "weather", "unit", "celsius", "date", "name", "query", "number"]
    call = '>>>get_current_{0}\n{{"{0}": "{0}", "{1}": 12, "x": true}}'
    calls = [call.format(name, value) for name in words for value in words]
    prose = [re.sub(r"[-=+*~.#]{3,}", "", topics[key]) for key in sorted(topics)]
    return prose + prompts * 20 + calls * 10


def build_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(CONTROL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens(CONTROL_TOKENS)
    bos = CONTROL_TOKENS[0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
    )
    return tokenizer


@dataclass
class Habits:
    """What the model would write if its weights had no noise.

    base: the logit of each token everywhere: long pieces are liked, control tokens are not.
    mood: what each token, being the last, does to endings: 1 after words, 0 after what closes
        something, -1 after what opens something.
    ending: how much each token heeds that.
    """

    base: torch.Tensor
    mood: torch.Tensor
    ending: torch.Tensor


def habits(tokenizer: Tokenizer) -> Habits:
    """Habits by which strings, numbers, calls and turns begin with something and then end."""
    texts = [tokenizer.decode([i], skip_special_tokens=False) for i in range(VOCABULARY)]
    base, mood, ending = [], [], []
    for text in texts:
        control = text in CONTROL_TOKENS or "\ufffd" in text
        base.append(-20.0 if control else 0.6 * min(len(text), 8) - 12.0 * (text == "all"))
        mood.append(1.0 if text[-1:].isalnum() else 0.0 if text[-1:] in '}]"' else -1.0)
        ending.append(10.0 if re.fullmatch(r'"?[]},:]*', text) else 0.0)
    end = CONTROL_TOKENS.index("<|eot_id|>") + VOCABULARY - len(CONTROL_TOKENS)
    base[end], ending[end] = 6.0, 8.0
    for opener in (' "', '{"', ' {"', ': "', '["'):
        if (token_id := tokenizer.token_to_id(opener.replace(" ", "\u0120"))) is not None:
            mood[token_id] = -1.0
    return Habits(torch.tensor(base), torch.tensor(mood), torch.tensor(ending))


def build_weights(habits: Habits) -> dict[str, torch.Tensor]:
    """Random weights, but for two hidden features that no layer touches: the first is a constant
    and carries the base logits, the second is the mood of the last token."""
    generator = torch.Generator().manual_seed(SEED)

    def random(*shape: int, scale: float) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * scale

    head = HIDDEN // HEADS
    size = 8.0
    embedding = random(VOCABULARY, HIDDEN, scale=1.0)
    embedding[:, 0] = size
    embedding[:, 1] = size * habits.mood
    weights = {"model.embed_tokens.weight": embedding, "model.norm.weight": torch.ones(HIDDEN)}
    for layer in range(LAYERS):
        name = f"model.layers.{layer}"
        parts = {
            "self_attn.q_proj": random(HIDDEN, HIDDEN, scale=0.2),
            "self_attn.k_proj": random(KV_HEADS * head, HIDDEN, scale=0.2),
            "self_attn.v_proj": random(KV_HEADS * head, HIDDEN, scale=0.2),
            "self_attn.o_proj": random(HIDDEN, HIDDEN, scale=0.2),
            "mlp.gate_proj": random(FEED_FORWARD, HIDDEN, scale=0.2),
            "mlp.up_proj": random(FEED_FORWARD, HIDDEN, scale=0.2),
            "mlp.down_proj": random(HIDDEN, FEED_FORWARD, scale=0.02),
        }
        for part in ("self_attn.o_proj", "mlp.down_proj"):
            parts[part][:2] = 0.0
        weights |= {f"{name}.{part}.weight": tensor for part, tensor in parts.items()}
        weights[f"{name}.input_layernorm.weight"] = torch.ones(HIDDEN)
        weights[f"{name}.post_attention_layernorm.weight"] = torch.ones(HIDDEN)
    # How large the two features typically are after the last norm.
    typical = size / ((2 * size**2 + 1.5 * (HIDDEN - 2)) / HIDDEN) ** 0.5
    lm_head = random(VOCABULARY, HIDDEN, scale=0.05)
    lm_head[:, 0] = habits.base / typical
    lm_head[:, 1] = habits.ending / typical
    weights["lm_head.weight"] = lm_head
    return {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in weights.items()}


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    assert tokenizer.get_vocab_size() == VOCABULARY
    tokenizer.save(str(directory / "tokenizer.json"))
    ids = {token: tokenizer.token_to_id(token) for token in CONTROL_TOKENS}
    ends = [ids["<|eot_id|>"], ids["<|end_of_text|>"]]
    files = {
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": HIDDEN,
            "intermediate_size": FEED_FORWARD,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS,
            "head_dim": HIDDEN // HEADS,
            "hidden_act": "silu",
            "vocab_size": VOCABULARY,
            "max_position_embeddings": CONTEXT,
            "rms_norm_eps": 1e-05,
            "rope_theta": 500000.0,
            "tie_word_embeddings": False,
            "bos_token_id": ids["<|begin_of_text|>"],
            "eos_token_id": ends,
            "torch_dtype": "bfloat16",
        },
        "generation_config.json": {
            "bos_token_id": ids["<|begin_of_text|>"],
            "eos_token_id": ends,
            "do_sample": True,
            "temperature": 0.6,
            "top_p": 0.9,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|begin_of_text|>",
            "eos_token": "<|eot_id|>",
            "clean_up_tokenization_spaces": False,
            "model_max_length": CONTEXT,
            "chat_template": CHAT_TEMPLATE,
        },
    }
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n")
    weights = build_weights(habits(tokenizer))
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    tests = Path(__file__).parent.parent / "tests"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else tests / "models" / "tiny")
