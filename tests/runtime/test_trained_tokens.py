"""A model that writes its turns in the tokens that it was trained on writes them so under
constraints: it is asked for arguments where one of these begins, and no grammar bars one because it
reaches beyond the end of a value."""

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
from functionary_sgl.runtime.value_ends import common_lead, tails
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY
from tests.formats import own_template, possible, written

# One with digits and spaces apart, and one that cuts as GPT's does.
CHECKPOINTS = {"nano": checkpoint.EMBEDDED, "tiny": TINY}
TOKENIZERS = {name: checkpoint.load(str(path)).tokenizer for name, path in CHECKPOINTS.items()}
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
    """A model that prefers to write `turn`, in the tokens that its tokenizer makes of it.

    barred: tokens that a grammar kept it from.
    cut: the first of them, where it was asked for arguments in the midst of a token.
    """

    def __init__(self, turn: str, tokenizer: Tokenizer, guide: LLTokenizer) -> None:
        super().__init__(Script(replies=[]), tokenizer)
        self._turn = turn
        self._words = tokenizer
        self._guide = guide
        self.barred: list[str] = []
        self.cut: list[str] = []

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        ids = self._next(request.token_ids, request.turn)
        matcher = None
        if request.constraint is not None:
            matcher = LLMatcher(self._guide, grammar(request.constraint), log_level=0)
            trained = self._words.encode_marked(self._turn)
            if ids != trained[len(trained) - len(ids) :]:
                self.cut.append(self._words.decode(ids[:1]))
        while ids and not (matcher and matcher.is_stopped()):
            if matcher and not matcher.try_consume_tokens(ids[:1]):
                if matcher.is_accepting():
                    break
                self.barred.append(self._words.decode(ids[:1]))
                text = self._words.decode(ids)
                mask = matcher.compute_bitmask()
                ids = next(
                    [token_id, *self._words.encode_marked(text.removeprefix(said))]
                    for token_id in range(self._guide.vocab_size)
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
        for count in range(len(trained) + 1):
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


@pytest.mark.parametrize("words", CHECKPOINTS)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "v3.llava_llama"])
def test_a_right_turn_is_written_in_the_tokens_of_training(name: str, words: str) -> None:
    format = FORMATS[name]
    tokenizer = (
        TOKENIZERS[words]
        .with_control(format.control_tokens)
        .with_control(format.marks, special=False)
    )
    prompter = Prompter(format, tokenizer, own_template(format))
    guide = LLTokenizer(tokenizer.definition, n_vocab=tokenizer.most_id + 1)
    for call in CALLS:
        if not possible(name, None, [call])[1]:
            continue
        engine = TrainedEngine(written(name, None, [call]), prompter.tokenizer, guide)
        told = asyncio.run(said(Model(("m",), prompter, engine), code=format.code))
        assert (told, engine.barred) == (call[1], [])
        assert not engine.cut or call[0] == "python"  # behind a quote, which the program writes


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
    assert tails(TOKENIZERS["nano"], tuple(before), string=string) == reached


@pytest.mark.parametrize(
    ("texts", "held"),
    [
        (['{"name": "go", "arguments": ', '{"name": "see", "arguments": '], " "),
        (["go ", "gone "], ""),  # only the space tells them apart
        (["go: ", "see:\n"], ""),
        (["<tool_call>"], ""),
    ],
)
def test_a_space_waits_for_the_bracket_that_it_is_in_one_token_with(
    texts: list[str], held: str
) -> None:
    assert common_lead(TOKENIZERS["tiny"], texts) == held
    assert common_lead(TOKENIZERS["nano"], texts) == ""
