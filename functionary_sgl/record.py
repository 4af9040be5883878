"""What becomes known of a request while it is answered, for its line in the log and for metrics.

None of it is a client's own text but the request's id, which is there to be found in logs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from functionary_sgl.metrics import PER_OUTPUT_TOKEN, TURNS


@dataclass(slots=True)
class TurnRecord:
    """Of one answer: `first_token` is when its first text came, on the clock of `perf_counter`;
    `outcome` is why it ended (stop, length, tool_calls; failed), and `left` for as long as it has
    not: whoever waited for it is gone."""

    first_token: float | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    outcome: str = "left"


@dataclass(slots=True)
class Record:
    """Of one request. Whoever learns something of it writes it down in the `current()` one.

    started: when it came, on the clock of `perf_counter`.
    key: the name of the key that it came with.
    model, adapter: which of those that are served answers.
    error: the kind of what went wrong; code: OpenAI's word for it.
    """

    id: str
    started: float = field(default_factory=perf_counter)
    key: str = ""
    model: str = ""
    adapter: str = ""
    turns: list[TurnRecord] = field(default_factory=list)
    error: str = ""
    code: str = ""

    @contextmanager
    def turn(self, tool_choice: str) -> Iterator[TurnRecord]:
        """A record of one more answer, which is counted when it is left."""
        turn = TurnRecord()
        self.turns.append(turn)
        try:
            yield turn
        except Exception:
            turn.outcome = "failed"
            raise
        finally:
            TURNS.labels(tool_choice, turn.outcome).inc()
            if turn.first_token is not None and turn.completion_tokens > 1:
                took = perf_counter() - turn.first_token
                PER_OUTPUT_TOKEN.observe(took / (turn.completion_tokens - 1))

    @property
    def prompt_tokens(self) -> int:
        """All answers have the same prompt, which counts once."""
        return max((turn.prompt_tokens for turn in self.turns), default=0)

    @property
    def cached_tokens(self) -> int:
        """Of the prompt: what no answer had to have computed."""
        return min((turn.cached_tokens for turn in self.turns), default=0)

    @property
    def completion_tokens(self) -> int:
        return sum(turn.completion_tokens for turn in self.turns)

    @property
    def calls(self) -> int:
        return sum(turn.calls for turn in self.turns)

    @property
    def finish(self) -> str:
        """Why the answers ended, each reason once."""
        return ",".join(dict.fromkeys(turn.outcome for turn in self.turns))

    @property
    def until_first_token(self) -> float | None:
        """Seconds, of whichever answer was first."""
        told = [turn.first_token for turn in self.turns if turn.first_token is not None]
        return min(told) - self.started if told else None


_current: ContextVar[Record | None] = ContextVar("record", default=None)


def begin(id: str) -> Record:
    """A new record, the current one from here on for all that this task does and starts."""
    record = Record(id)
    _current.set(record)
    return record


def current() -> Record:
    """That of the request which is being answered; outside of any, one that nobody reads."""
    return _current.get() or Record("")
