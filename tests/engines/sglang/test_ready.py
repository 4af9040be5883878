"""Whether the engine's first answers are numbers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from functionary_sgl.engines.base import Scores, TurnContext
from functionary_sgl.engines.generate.meta_info import finish_reason
from functionary_sgl.engines.sglang.engine import SGLangEngine
from functionary_sgl.errors import UsageError


class FirstAnswers(SGLangEngine):
    """An engine with an adapter; what it computes with `broken` (None: without) are no numbers."""

    def __init__(self, *broken: str | None) -> None:
        self.adapters = {"pirate": "/"}
        self._broken = broken
        self._guided = False
        self._manager = self

    async def freeze_gc(self) -> None:
        """Nothing is to be frozen."""

    async def _begin_watching(self) -> None:
        """No process is there to be watched."""

    async def score(self, token_ids: Sequence[int], candidates: Any, turn: TurnContext) -> Scores:
        if turn.adapter in self._broken:
            finish_reason({"type": "stop", "matched": "NaN happened"})
        return Scores([-0.1])


def test_numbers_are_an_engine() -> None:
    asyncio.run(FirstAnswers().ready(lambda: None))


@pytest.mark.parametrize(
    ("broken", "told"), [(None, "the model's weights give"), ("pirate", "the adapter pirate gives")]
)
def test_what_is_no_number_is_told(broken: str | None, told: str) -> None:
    with pytest.raises(UsageError, match=rf"{told} no numbers \(NaN\)"):
        asyncio.run(FirstAnswers(broken).ready(lambda: None))
