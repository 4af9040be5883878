"""What a prompt costs: rendering and tokenizing a conversation of 20 messages with 50 tools.

    python -m benchmarks.prompt [--template NAME] [--rounds N]

Three figures, medians: the tools were seen before (the messages were not), nothing was seen before,
and transformers' `apply_chat_template` on the same messages and tools, with the same tokenizer and
a template that prints the tools as JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter

MESSAGES, TOOLS = 20, 50

CHAT_TEMPLATE = (
    "{%- for tool in tools %}{{ tool | tojson }}\n{% endfor %}"
    "{%- for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content }}{% for call in m.tool_calls %}>>>{{ call.function.name }}\n"
    "{{ call.function.arguments }}{% endfor %}<|eot_id|>{% endfor %}"
    "<|start_header_id|>assistant<|end_header_id|>\n\n>>>"
)


def tool(number: int, salt: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        f"field_{index}": {
            "type": ["string", "integer", "number", "boolean"][index % 4],
            "description": f"What field {index} of function {number} {salt} means to the caller",
        }
        for index in range(6)
    }
    properties["options"] = {
        "type": "object",
        "properties": {"unit": {"type": "string", "enum": ["metric", "imperial"]}},
    }
    parameters = {"type": "object", "properties": properties, "required": ["field_0"]}
    name = f"function_{number}_{salt}"
    description = f"Does the thing number {number} {salt}"
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def body(message_salt: str, tool_salt: str) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for turn in range(MESSAGES // 4):
        call = {"name": f"function_{turn}_{tool_salt}", "arguments": '{"field_0": "Rome"}'}
        call_id = f"call_{turn}"
        messages += [
            {"role": "user", "content": f"Question {turn} {message_salt}: what is it like? " * 5},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": call_id, "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": call_id, "content": '{"value": 21, "ok": true}' * 5},
            {"role": "assistant", "content": f"Answer {turn} {message_salt}. " * 10},
        ]
    tools = [tool(number, tool_salt) for number in range(TOOLS)]
    return {"model": "m", "messages": messages, "tools": tools}


def conversation(message_salt: str, tool_salt: str) -> Conversation:
    request = ChatRequest.from_json(json.dumps(body(message_salt, tool_salt)))
    return intake.conversation(request)


def median(rounds: int, prepare: Callable[[int], Any], run: Callable[[Any], Any]) -> float:
    """Milliseconds that `run` takes on what `prepare` gives it."""
    times = []
    for index in range(rounds):
        given = prepare(index)
        begin = time.perf_counter()
        run(given)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def apply_chat_template() -> Callable[[dict[str, Any]], Any]:
    from transformers import PreTrainedTokenizerFast

    file = str(checkpoint.EMBEDDED / "tokenizer.json")
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=file, chat_template=CHAT_TEMPLATE)
    return lambda asked: tokenizer.apply_chat_template(asked["messages"], tools=asked["tools"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", default="v3.llama3")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    format = detect.named(options.template).format
    tokenizer = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
    prompter = Prompter(format, tokenizer.with_control(format.control_tokens))
    ids = len(prompter.prompt(conversation("", "")).token_ids)
    rounds = options.rounds

    seen = median(rounds, lambda n: conversation(f"seen {n}", ""), prompter.prompt)
    unseen = median(rounds, lambda n: conversation(f"new {n}", f"{n}"), prompter.prompt)
    theirs = median(rounds, lambda n: body(f"new {n}", f"{n}"), apply_chat_template())
    print(f"{MESSAGES} messages, {TOOLS} tools, {ids} tokens, {format.name}; median of {rounds}")
    print(f"  tools seen before           {seen:7.2f} ms")
    print(f"  nothing seen before         {unseen:7.2f} ms")
    print(f"  transformers                {theirs:7.2f} ms   (apply_chat_template, JSON tools)")


if __name__ == "__main__":
    main()
