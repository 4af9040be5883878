"""The training data as one stream of steps, from any position on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from random import Random

from nano.data import conversations, drills
from nano.data.scenes import Draw
from nano.settings import Settings, Stage
from nano.tokens import batches
from nano.tokens.batches import Batch
from nano.tokens.copying import LENGTH, Copying
from nano.tokens.samples import Sample, Sampler

Step = tuple[Batch, ...]
"""What the weights make one step for: conversations, and exercises beside them. Exercises in steps
of their own would each time undo what the steps before had learned."""


@dataclass
class Position:
    """Where the stream goes on: so many tokens and steps are done, in all and in this stage; in the
    stage, `chunks` are done, and `batch` steps of the next one."""

    tokens: int = 0
    step: int = 0
    stage: int = 0
    stage_tokens: int = 0
    chunks: int = 0
    batch: int = 0

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


class Stream:
    """Steps by `settings`, of the conversations that `talk` draws; the same position always gives
    the same step."""

    def __init__(
        self, settings: Settings, sampler: Sampler, talk: Draw = conversations.conversation
    ) -> None:
        self._settings = settings
        self._sampler = sampler
        self._talk = talk
        self._copying = Copying(sampler.tokenizer)

    def steps(self, position: Position) -> Iterator[Step]:
        """The steps from `position` on, which is kept up to date: when a step is given out, it
        counts as done."""
        stages = self._settings.stages
        while position.tokens < self._settings.tokens:
            stage = stages[position.stage]
            if stage.tokens and position.stage_tokens >= stage.tokens:
                position.stage += 1
                position.stage_tokens = position.chunks = position.batch = 0
                continue
            for step in self._chunk(stage, position.chunks)[position.batch :]:
                tokens = sum(batch.ids.numel() for batch in step)
                position.batch += 1
                position.step += 1
                position.tokens += tokens
                position.stage_tokens += tokens
                yield step
                over = stage.tokens and position.stage_tokens >= stage.tokens
                if over or position.tokens >= self._settings.tokens:
                    break
            else:
                position.chunks += 1
                position.batch = 0

    def _chunk(self, stage: Stage, index: int) -> list[Step]:
        seed = f"train:{self._settings.seed}:{stage.name}"
        exercises = round(stage.copying * stage.batch_tokens / LENGTH)
        if stage.copying == 1:
            return [(self._exercises(f"{seed}:{index}", exercises),)]
        tokens = stage.batch_tokens - exercises * LENGTH

        def draw(random: Random) -> Sample:
            if random.random() < stage.drills:
                return self._drill(stage, random)
            return self._sampler.sample(self._talk(random, "train"))

        talks = batches.chunk(draw, seed, index, tokens, stage.longest)
        if not exercises:
            return [(talk,) for talk in talks]
        return [
            (talk, self._exercises(f"{seed}:{index}:{number}", exercises))
            for number, talk in enumerate(talks)
        ]

    def _drill(self, stage: Stage, random: Random) -> Sample:
        kind = random.random()
        if kind < stage.decisions:
            return self._sampler.branched(drills.decisions(random, "train"), decisions=True)
        asks = drills.needs if kind < stage.decisions + stage.needs else drills.drill
        return self._sampler.branched(asks(random, "train"))

    def _exercises(self, seed: str, count: int) -> Batch:
        random = Random(f"copying:{seed}")
        return batches.batch([self._copying.sample(random) for _ in range(count)], LENGTH)
