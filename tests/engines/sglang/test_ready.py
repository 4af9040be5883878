"""Whether the engine's first answers are numbers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from functionary_sgl.engines.base import Scores, TurnContext
from functionary_sgl.engines.sglang.engine import SGLangEngine
from functionary_sgl.errors import UsageError


class FirstAnswers(SGLangEngine):
    """An engine that gives these log-probabilities, to the model and to its adapters."""

    def __init__(self, logprobs: dict[str | None, float]) -> None:
        self.adapters = {name: "/" for name in logprobs if name is not None}
        self._logprobs = logprobs
        self._guided = False

    async def score(self, token_ids: Sequence[int], candidates: Any, turn: TurnContext) -> Scores:
        return Scores([self._logprobs[turn.adapter]])


def ready(**logprobs: float) -> None:
    answers: dict[str | None, float] = {None: logprobs.pop("model"), **logprobs}
    asyncio.run(FirstAnswers(answers).ready(lambda: None))


def test_numbers_are_an_engine() -> None:
    ready(model=-0.1, pirate=-100.0)


@pytest.mark.parametrize("logprob", [float("nan"), float("-inf"), float("inf")])
def test_what_is_no_number_is_told(logprob: float) -> None:
    with pytest.raises(UsageError, match=r"the model's weights give no numbers \(NaN\)"):
        ready(model=logprob, pirate=-1.0)
    with pytest.raises(UsageError, match=r"the adapter pirate gives no numbers \(NaN\)"):
        ready(model=-1.0, pirate=logprob)
