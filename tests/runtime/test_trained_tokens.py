"""A model that writes its turns in the tokens that it was trained on writes them so under
constraints: no grammar bars a token because it reaches beyond the end of a value."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence

import pytest
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Chunk, Request, Sampling, Scores, TurnContext
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.model import Model
from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.events import Delta
from functionary_sgl.runtime.tails import tails
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import FORMATS
from tests.formats import own_template, possible, written

NANO = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
GUIDE = LLTokenizer((checkpoint.EMBEDDED / "tokenizer.json").read_text(encoding="utf-8"))
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "near": {"type": "object"}, "more": {}},
}
TOOLS = (
    Tool("go", "", json.dumps({"type": "object", "properties": {"to": PLACE}}), False, "tools[0]"),
    Tool("see", "", json.dumps(PLACE), False, "tools[1]"),
)
CALLS = [("go", '{"to": {"city": "Rome"}}'), ("see", '{"city": "Oslo"}'), ("python", "print(1)")]


class TrainedEngine(ScriptedEngine):
    """A model that prefers to write `turn`, in the tokens that its tokenizer makes of it. `barred`
    are those that a grammar kept it from."""

    def __init__(self, turn: str, tokenizer: Tokenizer) -> None:
        super().__init__(Script(replies=[]), tokenizer)
        self._turn = turn
        self._words = tokenizer
        self.barred: list[str] = []

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        ids = self._next(request.token_ids, request.turn)
        matcher = None
        if request.constraint is not None:
            matcher = LLMatcher(GUIDE, grammar(request.constraint), log_level=0)
        while ids and not (matcher and matcher.is_stopped()):
            if matcher and not matcher.try_consume_tokens(ids[:1]):
                if matcher.is_accepting():
                    break
                self.barred.append(self._words.decode(ids[:1]))
                text = self._words.decode(ids)
                mask = matcher.compute_bitmask()
                ids = next(
                    [token_id, *self._words.encode_marked(text.removeprefix(said))]
                    for token_id in range(GUIDE.vocab_size)
                    if mask[token_id // 8] >> token_id % 8 & 1
                    and (said := self._words.decode([token_id]))
                    and text.startswith(said)
                )
                matcher.try_consume_tokens(ids[:1])
            yield Chunk([ids.pop(0)])
        yield Chunk([*request.stop_token_ids[:1]], "stop")

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        wished = self._words.decode(self._next(token_ids, turn))
        texts = [self._words.decode([candidate]) for candidate in candidates]
        return Scores([float(len(text) * wished.startswith(text)) for text in texts])

    def _next(self, token_ids: Sequence[int], turn: TurnContext) -> list[int]:
        """What comes behind `token_ids`, in the tokens of training as far as these allow that."""
        done = self._words.decode(list(token_ids[turn.prompt_length :]))
        assert self._turn.startswith(done), (done, self._turn)
        trained = self._words.encode_marked(self._turn)
        for count in range(len(trained)):
            if self._words.decode(trained[:count]) == done:
                return trained[count:]
        return self._words.encode_marked(self._turn.removeprefix(done))


async def said(model: Model, code: bool) -> str:
    """What the model's turn sends to whom it calls."""
    conversation = Conversation((Message("user", "Go."),), TOOLS, code_interpreter=code)
    turn = await model.prepare(conversation, Sampling(temperature=0), 200)
    events = [event async for event in model.run(conversation, turn)]
    payload = ("arguments", "code")
    return "".join(e.text for e in events if isinstance(e, Delta) and e.role in payload)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "v3.llava_llama"])
def test_a_right_turn_is_written_in_the_tokens_of_training(name: str) -> None:
    format = FORMATS[name]
    tokenizer = NANO.with_control(format.control_tokens).with_control(format.marks, special=False)
    prompter = Prompter(format, tokenizer, own_template(format))
    for call in CALLS:
        if not possible(name, None, [call])[1]:
            continue
        engine = TrainedEngine(written(name, None, [call]), prompter.tokenizer)
        told = asyncio.run(said(Model(("m",), prompter, engine), code=format.code))
        assert (told, engine.barred) == (call[1], [])


@pytest.mark.parametrize(
    ("before", "string", "reached"),
    [
        (["}\n</tool_call>", "</tool_call>"], False, ("}",)),
        (["}}\n</tool_call>"], True, ("}}",)),
        ([">>>go\n"], False, ()),
        (["<|eot_id|>"], False, ()),
        ([], False, ()),
    ],
)
def test_a_tail_is_what_one_token_reaches_into(
    before: list[str], string: bool, reached: tuple[str, ...]
) -> None:
    assert tails(NANO, tuple(before), string=string) == reached
