"""What is tried of schemas and arguments, and whether there was time for it."""

import json
from collections.abc import Sequence
from typing import Literal

from functionary_sgl.engines.base import TOO_COSTLY, Constraint, Engine
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.sandbox import Trial, bytewise

MOST_SOON = 4
"""How many trials in a row others wait for, each of bounded time."""


class Unfinished(Exception):
    """It takes patience."""


class Trials:
    """Those of one schema. Unless they are `patient`, all methods raise Unfinished where they would
    take long, for others wait.

    `cut_short`: time or memory was up in one, so what came of it need not come of it again.
    """

    def __init__(self, engine: Engine, patient: bool, marks: Places | None = None) -> None:
        """`marks`: objects are written as parameters between these."""
        self._engine = engine
        self._marks = marks
        self._patient = patient
        self._made = 0
        self.cut_short = False

    def faults(self, sources: Sequence[str]) -> Sequence[str | None]:
        """For each of these JSON Schemas, None or why the engine cannot enforce it: TOO_COSTLY
        where it cannot be told, for all behind that too."""
        constraints = [self._constraint(source) for source in sources]
        told = self._engine.check(constraints, self._patient)
        self._count(TOO_COSTLY not in told)
        return told

    def _constraint(self, source: str) -> Constraint:
        # All arguments say that they are objects; a pattern that is tried alone does not.
        is_object = self._marks is not None and json.loads(source).get("type") == "object"
        return Constraint("json_schema", source, marks=self._marks if is_object else None)

    def objection(self, schema: str) -> str | None:
        """Why `schema` is none. One that takes too long, or has patterns of another dialect than
        ECMA-262, is not objected to, since what is enforced stays so; its validations will be
        unfinished, too."""
        told = bytewise().run([Trial("schema", schema)], self._patient)
        self._count(bool(told))
        return told[0] if told else None

    def _count(self, finished: bool) -> None:
        self._made += 1
        self.cut_short = self.cut_short or not finished
        if not self._patient and (self.cut_short or self._made > MOST_SOON):
            raise Unfinished


def validity(schema: str, text: str) -> Literal["valid", "invalid", "unfinished"]:
    """What there is to say of the JSON `text`, which should satisfy `schema`. Takes patience.

    Raises EngineError if that cannot be tried.
    """
    told = bytewise().run([Trial("validator", schema), Trial("valid", schema, text)], patient=True)
    if len(told) < 2 or told[0] is not None:
        return "unfinished"
    return "valid" if told[1] is None else "invalid"
