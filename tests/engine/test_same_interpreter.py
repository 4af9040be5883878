"""Invariant: a turn program is valid SGLang.

At temperature 0 it gives the same turn on SGLang's own interpreter, over HTTP, as on ours. SGLang's
keeps text and tokenizes it anew for each call, ours keeps ids; so they can only agree where the
engine wrote each text with the very ids that the tokenizer gives it. Turns for which that does not
hold are left out, and must be few.
"""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.schema import arguments
from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine
from tests.formats import written

TOKENIZER = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
# Formats in which no constrained JSON follows a space: ours leaves such a space to the engine.
FORMATS_TO_COMPARE = ("v3.llama3", "v3-llama3.1", "v2.llama3")


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
# Of every fifth case all are compared; in other formats than functionary-nano's own, of the rest as
# many as are needed for enough turns.
FIFTH = CASES[::5]
REST = [case for case in CASES if case not in FIFTH]
ENOUGH = 8
# The two likeliest tokens are 5e-4 apart or more at all places of these turns; what a batch's size
# changes in float32 is a tenth of that.
AT_ONCE = 8
MAX_TOKENS = 200


def sglang_turn(
    backend: Any, prompter: Prompter, request: dict[str, Any], *, free: bool = False
) -> str:
    """`free`: with constraints off."""
    conversation = intake.conversation(ChatRequest.from_json(json.dumps(request)))
    schemas = {t.name: None if free else arguments(t).constraint for t in conversation.tools}
    prompt = prompter.prompt(conversation)
    # As text only: what SGLang's interpreter can know of a prompt.
    state = prompter.format.program.run(  # type: ignore[attr-defined]
        str(prompt),
        prompter.offers.of(conversation, schemas, free_names=free),
        temperature=0,
        max_new_tokens=MAX_TOKENS,
        backend=backend,
    )
    assert state.error() is None
    text: str = state.text()
    turn = text.removeprefix(prompt)
    for end in prompter.format.stop_tokens:
        turn = turn.removesuffix(end)
    return turn


def our_turn(client: openai.OpenAI, format: str, request: dict[str, Any]) -> tuple[str, bool]:
    """The turn as the next prompt would show it, and whether it has an end, and ids that are the
    tokenizer's: as many, and those that were drawn in their order among them."""
    answer = client.chat.completions.create(**request, logprobs=True)
    choice = answer.choices[0]
    calls: list[Any] = list(choice.message.tool_calls or ())
    called = [(call.function.name, call.function.arguments) for call in calls]
    text = written(format, choice.message.content, called)
    ids = TOKENIZER.encode_marked(text)
    assert answer.usage is not None
    if choice.finish_reason == "length" or answer.usage.completion_tokens != len(ids) + 1:
        return text, False
    drawn = [
        bytes(token.bytes or ()) for token in (choice.logprobs and choice.logprobs.content) or ()
    ]
    ends = [end.encode() for end in FORMATS[format].stop_tokens]
    pieces = map(TOKENIZER.token_bytes, ids)
    return text, all(piece in pieces for piece in drawn if piece not in ends)


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
@pytest.mark.parametrize("format", [*FORMATS_TO_COMPARE, "off"])
def test_turns_are_the_same_on_sglangs_interpreter(engine: RunningEngine, format: str) -> None:
    """With constraints off too, where the model writes what it has learned: SGLang's knows no end
    of a JSON value, but the turn's."""
    backend = endpoint(f"{engine.url}/native")
    written_as = "v3.llama3" if format == "off" else format
    prompter = Prompter(FORMATS[written_as], TOKENIZER)

    def is_compared(case: tuple[list[dict[str, Any]], str, str]) -> bool:
        tools, ask, choice = case
        request = {
            "model": "functionary-nano",
            "messages": [{"role": "user", "content": ask}],
            "tools": tools,
            "tool_choice": choice,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }
        ours, canonical = our_turn(engine.client_as(format), written_as, request)
        if canonical:
            theirs = sglang_turn(backend, prompter, request, free=format == "off")
            # White space at the ends of a text is not told.
            assert theirs.strip() == ours.strip(), (request, theirs, ours)
        return canonical

    with ThreadPoolExecutor(AT_ONCE) as pool:
        compared = sum(pool.map(is_compared, FIFTH))
        for number in range(0, len(REST), AT_ONCE):
            if format == "v3.llama3" or compared < ENOUGH:
                compared += sum(pool.map(is_compared, REST[number : number + AT_ONCE]))
    print(format, compared, "turns compared")
    assert compared >= ENOUGH
