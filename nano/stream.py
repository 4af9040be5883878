"""The training data as one stream of batches, from any position on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from random import Random

from nano import batches, conversations, drills
from nano.batches import Batch
from nano.conversations import Draw
from nano.copying import Copying
from nano.samples import Sample, Sampler
from nano.settings import Settings, Stage


@dataclass
class Position:
    """Where the stream goes on: so many tokens and steps are done, in all and in this stage; in the
    stage, `chunks` are done, and `batch` batches of the next one."""

    tokens: int = 0
    step: int = 0
    stage: int = 0
    stage_tokens: int = 0
    chunks: int = 0
    batch: int = 0

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


class Stream:
    """Batches by `settings`, of the conversations that `talk` draws; the same position always gives
    the same batch."""

    def __init__(
        self, settings: Settings, sampler: Sampler, talk: Draw = conversations.conversation
    ) -> None:
        self._settings = settings
        self._sampler = sampler
        self._talk = talk
        self._copying = Copying(sampler.tokenizer)

    def batches(self, position: Position) -> Iterator[Batch]:
        """The batches from `position` on, which is kept up to date: when a batch is given out, it
        counts as done."""
        stages = self._settings.stages
        while position.tokens < self._settings.tokens:
            stage = stages[position.stage]
            if stage.tokens and position.stage_tokens >= stage.tokens:
                position.stage += 1
                position.stage_tokens = position.chunks = position.batch = 0
                continue
            for made in self._chunk(stage, position.chunks)[position.batch :]:
                position.batch += 1
                position.step += 1
                position.tokens += made.ids.numel()
                position.stage_tokens += made.ids.numel()
                yield made
                over = stage.tokens and position.stage_tokens >= stage.tokens
                if over or position.tokens >= self._settings.tokens:
                    break
            else:
                position.chunks += 1
                position.batch = 0

    def _chunk(self, stage: Stage, index: int) -> list[Batch]:
        seed = f"train:{self._settings.seed}:{stage.name}"

        def draw(random: Random) -> Sample:
            kind = random.random()
            if kind < stage.copying:
                return self._copying.sample(random)
            talk = drills.drill if kind < stage.copying + stage.drills else self._talk
            return self._sampler.sample(talk(random, "train"))

        return batches.chunk(draw, seed, index, stage.batch_tokens, stage.longest)
