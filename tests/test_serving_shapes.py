"""Models that the benchmark of speed makes, and what is asked of them: answers that have an end,
whatever is drawn."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llguidance import LLMatcher, LLTokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

from benchmarks.judge import judge
from benchmarks.serving.bounded import BOUNDED
from benchmarks.serving.shapes import SHAPES, write
from functionary_sgl.engines.grammar import limits
from functionary_sgl.grammars import value_of
from functionary_sgl.grammars.lark import Grammar
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.checkpoint import Checkpoint

IDS = 128_256


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shape")
    write(SHAPES["8b"], made)
    return made


@pytest.fixture(scope="module")
def made(folder: Path) -> Checkpoint:
    return checkpoint.load(str(folder))


@pytest.fixture(scope="module")
def tokens(folder: Path) -> LLTokenizer:
    return LLTokenizer((folder / "tokenizer.json").read_text(), n_vocab=IDS)


def test_the_vocabulary_is_of_a_real_size(made: Checkpoint) -> None:
    assert (made.tokenizer.size, made.tokenizer.most_id) == (IDS, IDS - 1)
    ids = made.tokenizer.control_ids
    assert (ids["<|begin_of_text|>"], ids["<|eot_id|>"], len(ids)) == (128_000, 128_009, 256)
    assert (ids["<|start_header_id|>"], ids["<|reserved_special_token_250|>"]) == (128_006, 128_255)


@pytest.mark.parametrize("text", ["Hello world", ' {"city": "Zürich 🏔"}\n', "<|eot_id|>"])
def test_text_comes_back(made: Checkpoint, text: str) -> None:
    ids = made.tokenizer.encode(text)
    assert made.tokenizer.decode(ids) == text
    assert not set(ids) & set(made.tokenizer.control_ids.values())


def test_its_format_is_found(made: Checkpoint) -> None:
    assert detect.detect(made).format.name == "v3.llama3"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "weights"), [("small", 68_618_496), ("8b", 8_030_261_248)])
def test_a_shape_is_a_model(name: str, weights: int, tmp_path: Path) -> None:
    """The larger is Llama 3.1 8B, whose card says 8.03 billion."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    (tmp_path / "config.json").write_text(json.dumps(SHAPES[name].whole_config))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path))
    assert sum(tensor.numel() for tensor in model.parameters()) == weights


CALLS = [workload for workload in BOUNDED if workload.calls(next(workload.begin(1)))]


@pytest.mark.parametrize("workload", CALLS, ids=lambda workload: workload.name)
def test_whatever_is_drawn_is_a_call_of_bounded_length(tokens: LLTokenizer, workload: Any) -> None:
    request = next(workload.begin(1))
    parameters = request["tools"][0]["function"]["parameters"]
    for seed in range(6):
        arguments = drawn(tokens, parameters, request["max_tokens"], random.Random(seed))
        call = {"name": request["tools"][0]["function"]["name"], "arguments": arguments}
        message = {"content": None, "tool_calls": [{"function": call}]}
        assert not judge(request, {"message": message, "finish_reason": "tool_calls"}).complaints


def drawn(tokens: LLTokenizer, schema: Any, most: int, dice: random.Random) -> str:
    """A value that `schema` lets pass, each token drawn from all that may come; at `most` so many,
    or less than one."""
    grammar = Grammar()
    source = LLMatcher.grammar_from_lark(grammar.text(value_of(schema, grammar)))
    matcher, mask = LLMatcher(tokens, source, limits=limits()), allocate_token_bitmask(1, IDS)
    ids: list[int] = []
    while not matcher.is_stopped() and len(ids) < most:
        fill_next_token_bitmask(matcher, mask, 0)
        allowed = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little"))
        ids.append(int(dice.choice(allowed)))
        assert matcher.consume_token(ids[-1])
    text: str = tokens.decode_str(ids)
    return text
