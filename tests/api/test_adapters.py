"""LoRA adapters are models of their own names."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import openai
import pytest

from functionary_sgl.adapters import Adapters
from functionary_sgl.engines.base import Chunk, Request, Scores, TurnContext
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.model import Model
from functionary_sgl.prompt.prompter import Prompter
from tests.conftest import WEATHER
from tests.serving import Served, serving

PLACES = {"pirate": "/adapters/pirate", "org/poet": "org/poet"}
CALL = {"match": "", "turn": 'get_current_weather\n{"location": "Rome"}'}


class Watched(ScriptedEngine):
    """Notes what each request wants, and of which adapter."""

    def __init__(self, prompter: Prompter) -> None:
        super().__init__(Script.model_validate({"replies": [CALL]}), prompter.tokenizer)
        self.asked: set[tuple[str, str | None]] = set()

    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.asked.add(("generate", request.turn.adapter))
        return super().generate(request)

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        self.asked.add(("score", turn.adapter))
        return await super().score(token_ids, candidates, turn)


@pytest.fixture
def engine(prompter: Prompter) -> Watched:
    return Watched(prompter)


@pytest.fixture
def served(prompter: Prompter, engine: Watched) -> Iterator[Served]:
    with serving(Model(("m", "m-too"), prompter, engine, adapters=Adapters(PLACES))) as served:
        yield served


def ask(served: Served, model: str, **fields: Any) -> Any:
    messages: Any = [{"role": "user", "content": "How is the weather in Rome?"}]
    return served.client.chat.completions.create(
        model=model, messages=messages, tools=[WEATHER], **fields
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "adapter"), [("m", None), ("m-too", None), ("pirate", "pirate"), ("org/poet",) * 2]
)
def test_a_turn_is_generated_and_scored_with_the_adapter_that_the_request_names(
    served: Served, engine: Watched, name: str, adapter: str | None, stream: bool
) -> None:
    answer = ask(served, name, stream=stream)
    assert {part.model for part in answer} == {name} if stream else answer.model == name
    assert engine.asked == {("generate", adapter), ("score", adapter)}


def test_they_are_listed_after_the_model_whose_they_are(served: Served) -> None:
    listed = [card.to_dict() for card in served.client.models.list()]
    assert [card["id"] for card in listed] == ["m", "m-too", "pirate", "org/poet"]
    assert [card["parent"] for card in listed] == [None, None, "m", "m"]
    assert [card["root"] for card in listed] == ["m", "m", "/adapters/pirate", "org/poet"]
    for card in listed:
        assert served.client.models.retrieve(str(card["id"])).to_dict() == card


def test_other_names_are_unknown(served: Served) -> None:
    with pytest.raises(openai.NotFoundError):
        ask(served, "poet")
    with pytest.raises(openai.NotFoundError):
        served.client.models.retrieve("poet")


def test_a_scrape_sees_which_are_loaded(served: Served) -> None:
    text = served.http.get("/metrics").text
    told = {line for line in text.splitlines() if line.startswith("functionary_adapters{")}
    assert told == {f'functionary_adapters{{adapter="{name}"}} 1.0' for name in PLACES}
