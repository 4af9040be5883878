"""The script of a ScriptedEngine: what the model says, and how it arrives.

{"replies": [
  {"match": "weather", "turn": "get_weather\\n{\\"city\\": \\"Rome\\"}<|eot_id|>", "chunk": 1},
  {"match": "", "turn": "all\\nHello!", "chunk": "char"}
]}
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functionary_sgl.errors import EngineError, UsageError

Count = Annotated[int, Field(ge=1)]


class Reply(BaseModel):
    """One turn.

    match: text to be found in the last user or tool message; empty: any.
    turn: the raw turn as the model writes it, from the end of the prompt on. What a program
        writes by itself may be left out of it. A turn need not end with a control token.
    chunk: how it is cut: so many tokens at a time, every character ("char"), each generation
        whole ("all"), or at the given lengths in characters (what is left over comes whole).
    fault: after `after` chunks the engine fails (this request only), stalls, or dies.
    delay: seconds before each chunk, at most an hour.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str
    turn: str
    chunk: Count | Literal["char", "all"] | list[Count] = 1
    fault: Literal["fail", "stall", "die"] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    delay: Annotated[float, Field(ge=0, le=3600)] = 0.0

    def cuts(self, start: int, text: str) -> Iterator[str]:
        """`text`, which begins at `start` of the turn, cut by `chunk` if that counts characters;
        else in one piece."""
        if self.chunk == "char":
            yield from text
        elif isinstance(self.chunk, list):
            places = [place - start for place in itertools.accumulate(self.chunk)]
            edges = [0, *(place for place in places if 0 < place < len(text)), len(text)]
            yield from (text[begin:end] for begin, end in itertools.pairwise(edges))
        else:
            yield text


class Script(BaseModel):
    """Replies; the first that matches is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replies: list[Reply]

    @classmethod
    def from_file(cls, path: Path) -> "Script":
        """Raises UsageError, in one line, if there is no script in `path`."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise UsageError(f"the script {path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the top"
            raise UsageError(
                f"the script {path} is not valid at {place}: {first['msg']}"
            ) from error

    def reply_to(self, last_input: str) -> Reply:
        """Raises EngineError if no reply matches."""
        for reply in self.replies:
            if reply.match in last_input:
                return reply
        raise EngineError("No reply of the script matches; add one with an empty 'match'.")
