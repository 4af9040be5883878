"""Invariant: only the template speaks in special tokens."""

import json

from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import ControlTokens

TOKENS = ["<|eot_id|>", "<|start_header_id|>", "<|eom_id|>", "<s>", "x"]
control = ControlTokens(TOKENS)

pieces = st.sampled_from(
    [*TOKENS, "<|eot", "_id|>", "<", "|", "\ufdd0", "\ufdd01", "1", "0", "a b"]
)
hostile = st.one_of(st.text(), st.lists(pieces).map("".join))


@given(hostile)
def test_marking_loses_nothing(text: str) -> None:
    assert control.unmark(control.mark(text)) == text


@given(st.lists(hostile))
def test_marked_values_hold_no_control_token_alone_or_together(values: list[str]) -> None:
    several = ControlTokens([token for token in TOKENS if len(token) > 1])
    marked = "".join(map(several.mark, values))
    assert [piece for piece, is_control in several.split(marked) if is_control] == []
    assert several.unmark(marked) == "".join(values)


@given(hostile, hostile)
def test_the_templates_own_tokens_are_found_among_values(first: str, second: str) -> None:
    several = ControlTokens(["<|eot_id|>", "<|eom_id|>"])
    text = several.mark(first) + "<|eot_id|>" + several.mark(second) + "<|eom_id|>"
    found = [piece for piece, is_control in several.split(text) if is_control]
    assert found == ["<|eot_id|>", "<|eom_id|>"]


model = checkpoint.load(str(checkpoint.EMBEDDED))
prompter = Prompter(detect.detect(model).format, model.tokenizer)
specials = st.sampled_from([*model.tokenizer.control_ids, "<|eot", "_id|>", ">>>", "\n", "a"])
client_text = st.one_of(st.text(), st.lists(specials).map("".join))


def control_count(text: str) -> int:
    """How many control tokens are in the prompt of a request full of `text`."""
    request = {
        "model": "m",
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}] * 2},
            {
                "role": "assistant",
                "content": text or "a",
                "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": text}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": text},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": text,
                    "parameters": {"properties": {text or "a": {"description": text}}},
                },
            }
        ],
    }
    conversation = intake.conversation(ChatRequest.from_json(json.dumps(request)))
    ids = set(model.tokenizer.control_ids.values())
    return sum(token_id in ids for token_id in prompter.prompt(conversation).token_ids)


@given(client_text)
def test_no_text_of_a_client_becomes_a_control_token(text: str) -> None:
    assert control_count(text) == control_count("harmless")


@given(client_text)
def test_the_prompt_says_what_the_client_said(text: str) -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": text}]}
    prompt = prompter.prompt(intake.conversation(ChatRequest.from_json(json.dumps(request))))
    assert f"user<|end_header_id|>\n\n{text}<|eot_id|>" in prompt
    assert (
        model.tokenizer.decode(list(prompt.token_ids)).removeprefix("<|begin_of_text|>") == prompt
    )
