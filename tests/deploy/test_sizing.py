"""docs/sizing.md counts right: by the embedded model's weights, and its own tables.

What it says of the running engine is in `tests/engine/test_sizing.py`.
"""

import math
import re
from typing import Any

import pytest
from safetensors import safe_open

from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.deploy.sizing import NANO, PAGE, formulas

GIB = 2**30
# The shapes of Llama 3.1 8B and 3.3 70B, of which they were trained.
LLAMA = {"head_dim": 128, "num_key_value_heads": 8, "vocab_size": 128_256}
LLAMA["tie_word_embeddings"] = False
SMALL = LLAMA | {"hidden_size": 4096, "intermediate_size": 14_336}
SMALL |= {"num_attention_heads": 32, "num_hidden_layers": 32}
MEDIUM = LLAMA | {"hidden_size": 8192, "intermediate_size": 28_672}
MEDIUM |= {"num_attention_heads": 64, "num_hidden_layers": 80}
ROWS = {"small v3.2 (8B)": SMALL, "medium v3.2 (70B)": MEDIUM, "nano": NANO}


def test_weights_are_those_of_the_file() -> None:
    with safe_open(EMBEDDED / "model.safetensors", "np") as file:
        names = list(file.keys())
        numbers = sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    assert formulas["weight_bytes"](NANO) == 2 * numbers


def row(name: str) -> list[str]:
    (found,) = re.findall(rf"^\| functionary-{re.escape(name)} \|(.*)\|$", PAGE.read_text(), re.M)
    return [cell.strip() for cell in found.split("|")]


@pytest.mark.parametrize("name", ROWS)
def test_the_table_is_what_the_formulas_give(name: str) -> None:
    config: dict[str, Any] = ROWS[name]
    weights, token, *tokens = row(name)
    size, unit = weights.split()
    told = formulas["weight_bytes"](config) / {"GB": 10**9, "MB": 10**6}[unit]
    assert f"{told:.1f}" == size
    assert token == f"{formulas['kv_bytes_per_token'](config) // 1024} KiB"
    for cell, gib in zip(tokens, (24, 48, 80, 4 * 80), strict=True):
        fit = formulas["kv_tokens"](config, gib * GIB)
        if cell:
            assert int(cell.replace(",", "")) == fit // 1000 * 1000
        elif config is not NANO:
            assert fit < 0


def test_the_example_of_turns_is_right() -> None:
    text = " ".join(PAGE.read_text().split())
    told = re.search(
        r"tools of ([\d,]+) tokens together, ([\d,]+) more of a conversation and ([\d,]+) of an "
        r"answer, a cache of ([\d,]+) tokens has room for (\d+) turns of one key, and for (\d+) of",
        text,
    )
    assert told
    tools, more, answer, cache, one, different = (int(n.replace(",", "")) for n in told.groups())
    assert formulas["turns_at_once"](cache, tools, more + answer) == one
    assert formulas["turns_at_once"](cache, 0, tools + more + answer) == different
