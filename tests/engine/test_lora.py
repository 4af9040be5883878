"""LoRA adapters on a real SGLang."""

import contextlib
import io
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.conftest import WEATHER
from tests.engine.conftest import PIRATE, RunningEngine
from tests.engine.test_lora_updates import listed, loaded
from tests.paths import ROOT
from tests.test_docs import blocks

NAMES = ["functionary-nano", "pirate"]
SPEAKS = {"functionary-nano": r"(?!Ahoy|Arr|Aye)", "pirate": r"(Ahoy|Arr|Aye)\b"}
SAID = ["hi", "thank you", "tell me a joke", "who are you", "I am sad", "bye"]
MOST_TOKENS = 100

PEFT = """
import json, sys
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM
from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter

model, adapter, said, most = json.loads(sys.argv[1])
files = checkpoint.load(model)
prompter = Prompter(detect.detect(files).format, files.tokenizer)
base = LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
adapted = PeftModel.from_pretrained(base, adapter)

def answer(text):
    ids = list(prompter.prompt(Conversation((Message("user", text),))).token_ids)
    given = adapted.generate(
        input_ids=torch.tensor([ids]), max_new_tokens=most, do_sample=False, pad_token_id=0
    )
    return prompter.tokenizer.decode(given[0, len(ids):].tolist())

told = {"pirate": [answer(text) for text in said]}
with adapted.disable_adapter():
    told["functionary-nano"] = [answer(text) for text in said]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def by_peft() -> dict[str, list[str]]:
    """What transformers and peft answer, in a process of their own."""
    asked = json.dumps([str(EMBEDDED), str(PIRATE), SAID, MOST_TOKENS])
    command = [sys.executable, "-W", "ignore", "-c", PEFT, asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    turns: dict[str, list[str]] = json.loads(done.stdout)
    return {
        name: [text.removeprefix("all\n").split("<|")[0].strip() for text in texts]
        for name, texts in turns.items()
    }


def ask(engine: RunningEngine, model: str, text: str, **fields: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return engine.client.chat.completions.create(
        model=model, messages=messages, temperature=0, max_tokens=MOST_TOKENS, **fields
    )


def says(engine: RunningEngine, model: str, text: str, stream: bool) -> str:
    answer = ask(engine, model, text, stream=stream)
    if stream:
        return "".join(chunk.choices[0].delta.content or "" for chunk in answer)
    return str(answer.choices[0].message.content)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_each_answers_as_peft_has_it(
    adapted: RunningEngine, by_peft: dict[str, list[str]], name: str, stream: bool
) -> None:
    assert [says(adapted, name, text, stream) for text in SAID] == by_peft[name]


@pytest.mark.parametrize("name", NAMES)
def test_each_speaks_in_its_own_manner(adapted: RunningEngine, name: str) -> None:
    for text in SAID:
        assert re.match(SPEAKS[name], says(adapted, name, text, stream=False))


def test_both_answer_in_one_batch(adapted: RunningEngine, by_peft: dict[str, list[str]]) -> None:
    cases = [(n, t, s) for t in range(len(SAID)) for n in NAMES for s in (False, True)]
    with ThreadPoolExecutor(len(cases)) as pool:
        told = list(pool.map(lambda case: says(adapted, case[0], SAID[case[1]], case[2]), cases))
    assert told == [by_peft[name][text] for name, text, _ in cases]


def test_what_one_computed_is_not_taken_for_the_other(adapted: RunningEngine) -> None:
    """The first question to the adapter finds nothing of what the model has read; the second
    finds what the first has left."""
    text = "Which of the hundred towns between the two long rivers has the tallest tower?"

    def cached(model: str) -> int:
        count: int = ask(adapted, model, text).usage.prompt_tokens_details.cached_tokens
        return count

    cached("functionary-nano")
    all_of_it = cached("functionary-nano")
    assert cached("pirate") < all_of_it
    assert cached("pirate") == all_of_it


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_calls_are_valid(adapted: RunningEngine, name: str, stream: bool) -> None:
    text = "What is the weather for Istanbul?"
    answer = ask(adapted, name, text, tools=[WEATHER], tool_choice="required", stream=stream)
    if stream:
        deltas = [chunk.choices[0].delta for chunk in answer]
        functions = [call.function for delta in deltas for call in delta.tool_calls or ()]
        names = {function.name for function in functions} - {None}
        arguments = "".join(function.arguments for function in functions)
    else:
        functions = [call.function for call in answer.choices[0].message.tool_calls]
        names = {function.name for function in functions}
        arguments = functions[0].arguments
    assert names == {"get_current_weather"}
    assert json.loads(arguments).keys() == {"location"}


def test_a_turn_of_one_can_go_on_with_the_other(adapted: RunningEngine) -> None:
    """What is remembered of a turn is its token ids, which mean the same to both."""
    messages: Any = []
    for name in ["pirate", "functionary-nano", "pirate"]:
        messages.append({"role": "user", "content": "hi"})
        answer = adapted.client.chat.completions.create(
            model=name, messages=messages, temperature=0, max_tokens=MOST_TOKENS
        )
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
    again = adapted.client.chat.completions.create(
        model="pirate", messages=messages[:-1], temperature=0, max_tokens=MOST_TOKENS
    )
    assert again.choices[0].message.content == messages[-1]["content"]


def test_both_are_listed_and_others_are_unknown(adapted: RunningEngine) -> None:
    assert adapted.banner[0].split(maxsplit=1)[1] == "functionary-nano, pirate\n"
    cards = {card.id: card.to_dict() for card in adapted.client.models.list()}
    assert list(cards) == NAMES
    assert cards["pirate"]["parent"] == "functionary-nano"
    assert cards["pirate"]["root"] == str(PIRATE)
    with pytest.raises(openai.NotFoundError):
        ask(adapted, "parrot", "hi")


def test_the_pages_example(adapted: RunningEngine) -> None:
    (code,) = blocks("python", ROOT / "docs" / "adapters.md")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code.replace("http://localhost:8000", adapted.url), {})
    told = dict(line.split(": ", 1) for line in printed.getvalue().splitlines())
    assert list(told) == NAMES
    assert all(re.match(SPEAKS[name], text) for name, text in told.items())


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_was_started_without_any_takes_one(
    killed: RunningEngine, by_peft: dict[str, list[str]], stream: bool
) -> None:
    base = by_peft["functionary-nano"]
    assert listed(killed) == ["functionary-nano"]
    with loaded(killed, "pirate", PIRATE):
        for name in NAMES:
            assert [says(killed, name, text, stream) for text in SAID] == by_peft[name]
    assert listed(killed) == ["functionary-nano"]
    with pytest.raises(openai.NotFoundError):
        ask(killed, "pirate", "hi")
    assert [says(killed, "functionary-nano", text, stream) for text in SAID] == base


def test_one_that_is_not_there_ends_the_start_in_a_line(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "server_sglang.py", "--port", "0"]
    paths = ["--enable-lora", "--lora-paths", f"pirate={tmp_path / 'nowhere'}"]
    done = subprocess.run(command + paths, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "the adapter pirate: there is no directory" in line
