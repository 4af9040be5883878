"""What of a payload's text is told, and what finds its end."""

from collections.abc import Mapping
from typing import Any

from functionary_sgl.engines.base import Constraint
from functionary_sgl.grammars.keywords import Keywords
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.grammars.readings import Readings, readings
from functionary_sgl.runtime.events import Variable
from functionary_sgl.runtime.parameters import OnlyMember, ParametersEnd, reader
from functionary_sgl.runtime.stops import Stops
from functionary_sgl.runtime.text import JSONString, Matcher, TextFilter, Trimmer, Verbatim
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.value import ValueMatcher


def end_of(constraint: Constraint) -> Matcher:
    """What finds the end of a value that a JSON Schema holds, in JSON or as parameters."""
    if constraint.marks is None:
        return ValueMatcher(())
    # What a string is, without its schema, is known of literals only.
    return ParametersEnd(constraint.marks, strict=isinstance(constraint.marks, Keywords))


class Payloads:
    """Those of `turn`, one after the other."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        begins = turn.trims_text and not turn.continues
        self._content = Trimmer(at_the_end=turn.trims_text, at_the_beginning=begins)
        self._content_name = ""

    def of(
        self,
        expression: Any,
        constraint: Constraint | None,
        stops: Stops,
        variables: Mapping[str, str],
        marks: Places | None = None,
    ) -> tuple[TextFilter, Matcher | None]:
        """For what `expression` asks for, where the program has these `variables`: what is told of
        it, and what finds its end where not only `stops` do. `marks`: those of its parameters."""
        role, _ = Variable.parse(expression.name)
        constrained = constraint is not None
        if marks is not None:
            read = self._readings(expression, variables)
            told = reader(marks, read, strict=constrained)
            filter = told if role == "arguments" else OnlyMember(told)
            if constraint is not None:
                return filter, end_of(constraint) if constraint.tails else None
            return filter, ParametersEnd(marks)
        is_free = role == "arguments" and not constrained
        is_value = is_free or bool(constraint and constraint.tails)
        matcher = ValueMatcher(stops.searched) if is_value else None
        return self.filter(expression.name, constrained=constrained), matcher

    def filter(self, name: str, *, constrained: bool) -> TextFilter:
        """A fresh one for the payload `name`, but all text for the user is one text."""
        role = Variable.parse(name).role
        if role in ("code", "input") and constrained:
            return JSONString()  # a text in a call whose arguments are JSON
        if role == "content" and constrained:
            return Verbatim()  # white space may be part of its form
        if role == "reasoning":  # what follows it is where the text begins
            self._content = Trimmer(at_the_end=self._turn.trims_text)
        if role != "content":
            return Trimmer()
        if self._turn.trims_text and self._content_name not in ("", name):
            self._content.feed("\n")  # its parts stand on lines of their own
        self._content_name = name
        return self._content

    def _readings(self, expression: Any, variables: Mapping[str, str]) -> Readings:
        """How the parameters that `expression` asks for are read."""
        role, place = Variable.parse(expression.name)
        schema = expression.sampling_params.json_schema or "{}"
        if role == "arguments":
            whole = getattr(self._turn.offer, "whole", {})
            schema = whole.get(variables[f"recipient_{place}"], schema)
        return readings(schema)
