"""Invariant: a turn program is valid SGLang.

At temperature 0 it gives the same turn on SGLang's own interpreter, over HTTP, as on ours. SGLang's
keeps text and tokenizes it anew for each call, ours keeps ids; so they can only agree where the
engine wrote each text with the very ids that the tokenizer gives it. Turns for which that does not
hold are left out, and must be few.
"""

import itertools
import json
from typing import Any

import pytest

from functionary_sgl.api import intake, parse
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine

model = checkpoint.load(str(checkpoint.EMBEDDED))
PROMPTER = Prompter(detect.detect(model).format, model.tokenizer)


def function(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [
    WEATHER,
    function("now"),
    function("book_trip", days={"type": "integer"}, kind={"enum": ["economy", "business"]}),
    {"type": "code_interpreter"},
]
SETS = [list(c) for size in (1, 2, 4) for c in itertools.combinations(TOOLS, size)]
ASKS = ["What is the weather for Istanbul?", "Hello!", "Add 1 and 1.", "Book it, now."]
CHOICES = ["auto", "required"]
CASES = list(itertools.product(SETS, ASKS, CHOICES))
MAX_TOKENS = 200


def sglang_turn(backend: Any, request: dict[str, Any]) -> str:
    conversation = intake.conversation(parse.chat_request(json.dumps(request)))
    prompt = PROMPTER.prompt(conversation)
    # As text only: what SGLang's interpreter can know of a prompt.
    state = PROMPTER.format.program.run(
        str(prompt),
        PROMPTER.offer(conversation),
        temperature=0,
        max_new_tokens=MAX_TOKENS,
        backend=backend,
    )
    assert state.error() is None
    text: str = state.text()
    return text.removeprefix(prompt).removesuffix("<|eot_id|>")


def our_turn(engine: RunningEngine, request: dict[str, Any]) -> tuple[str, bool]:
    """The turn as the next prompt would show it, and whether its ids are the tokenizer's."""
    answer = engine.client.chat.completions.create(**request)
    message = answer.choices[0].message
    parts = [f"all\n{message.content}"] if message.content else []
    calls: list[Any] = list(message.tool_calls or ())
    parts += [f"{call.function.name}\n{call.function.arguments}" for call in calls]
    text = ">>>".join(parts)
    assert answer.usage is not None
    ids = model.tokenizer.encode(text)
    return text, answer.usage.completion_tokens == len(ids) + 1


def endpoint(url: str) -> Any:
    """SGLang's RuntimeEndpoint, mended in one place.

    The server of 0.5.23 begins a prompt's log-probabilities with an entry that has none, which
    `select` of its own client does not expect: it fails with a TypeError wherever the prefix cache
    works.
    """
    from sglang.lang.backend.runtime_endpoint import RuntimeEndpoint

    class Endpoint(RuntimeEndpoint):
        def _generate_http_request(self, s: Any, data: Any) -> Any:
            answer = super()._generate_http_request(s, data)
            for one in answer if isinstance(answer, list) else ():
                told = one["meta_info"]["input_token_logprobs"]
                if told[0][0] is None:
                    del told[0]
            return answer

    return Endpoint(url)


@pytest.mark.filterwarnings("ignore")
def test_turns_are_the_same_on_sglangs_interpreter(engine: RunningEngine) -> None:
    backend = endpoint(f"{engine.url}/native")
    compared = []
    for tools, ask, choice in CASES:
        request = {
            "model": "functionary-nano",
            "messages": [{"role": "user", "content": ask}],
            "tools": tools,
            "tool_choice": choice,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }
        ours, canonical = our_turn(engine, request)
        if canonical:
            theirs = sglang_turn(backend, request)
            assert theirs == ours, (request, theirs, ours)
            compared.append(ours)
    assert len(compared) > len(CASES) // 2
    assert len({turn.split("\n")[0] for turn in compared}) >= 3
