"""Why a constrained answer is not what the model wrote without constraints.

The evidence is the grammar of the call's arguments: the first character that it does not let pass.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from llguidance import LLMatcher, LLTokenizer

from benchmarks.fidelity.pieces import Piece, below, pieces, styled
from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.schema import arguments
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.evaluation.client import Answer
from functionary_sgl.evaluation.questions import Question

ORDER = "order of keys"
NOT_LISTED = "key that is not listed"
TWICE = "key twice"
NO_ANSWER = "call instead of text"
DOCUMENTED = (ORDER, NOT_LISTED, TWICE, NO_ANSWER)
"""What constraints change, as docs/constraints.md says."""

_ABOUT_VALUES = ("enum", "const", "format", "pattern", "minLength", "maxLength", "multipleOf")
_ESCAPE = re.compile(r"\\(u.{0,4}|.)", re.DOTALL)
_BYTES = LLTokenizer("byte")


@dataclass(frozen=True)
class Difference:
    """Two answers that are not the same: why, and the parts that differ."""

    cause: str
    free: str
    constrained: str


def difference(question: Question, free: Answer, constrained: Answer) -> Difference | None:
    """How the answers to `question` differ, None if they do not. The calls of `free` are of
    functions on offer, their arguments are valid."""
    if free.text != constrained.text:
        # Text that is for the user begins alike: this is a call of something that is not on offer.
        was_call = constrained.calls and not (free.calls or constrained.text)
        told = constrained.text or ", ".join(call.name for call in constrained.calls)
        return Difference(NO_ANSWER if was_call else "text", free.text, told)
    for mine, other in zip(free.calls, constrained.calls, strict=False):
        if mine.name != other.name:
            return Difference("function", mine.name, other.name)
        if mine.arguments != other.arguments:
            constraint = _constraint(question, mine.name)
            schema = question.schemas.get(mine.name, {})
            cause = cause_in(constraint, schema, mine.arguments) if constraint else "code"
            return Difference(cause, mine.arguments, other.arguments)
    if len(free.calls) != len(constrained.calls):
        names = ([call.name for call in answer.calls] for answer in (free, constrained))
        return Difference("number of calls", *map(str, names))
    return None


def cause_in(constraint: Constraint, schema: Any, text: str) -> str:
    """Why a model is kept from writing the arguments `text`, which are valid by `schema`; `tokens`
    where the grammar would take them, so that they were only tokenized or computed otherwise."""
    offset = barred(constraint, text)
    if offset is None:
        return "tokens"
    found = list(pieces(text))
    reached = sum(piece.end <= offset for piece in found)
    in_style = styled(text)
    later = barred(constraint, in_style)
    if later is None or sum(piece.end <= later for piece in pieces(in_style)) > reached:
        return "white space"
    if any(match.start() < offset <= match.end() for match in _ESCAPE.finditer(text)):
        return "escape"
    piece = found[reached]
    if piece.text == "," and found[reached + 1].role == "key":
        piece = found[reached + 1]
    if piece.role == "key":
        return _cause_at_key(schema, piece, found)
    about = [keyword for keyword in _ABOUT_VALUES if keyword in below(schema, piece.path)]
    return " ".join([piece.role, *about])


def barred(constraint: Constraint, text: str) -> int | None:
    """The first character of `text` that `constraint` does not let pass; None if it takes all."""
    matcher = LLMatcher(_BYTES, grammar(constraint), log_level=0)
    written = text.encode()
    taken = matcher.try_consume_tokens(list(written))
    if taken == len(written) and matcher.is_accepting():
        return None
    return len(written[:taken].decode(errors="ignore"))


def _constraint(question: Question, name: str) -> Constraint | None:
    """What constrains the arguments of the function `name`; None for the code interpreter."""
    request = ChatRequest.from_json(json.dumps({"model": "", **question.request}).encode())
    tools = {tool.name: tool for tool in intake.conversation(request).callable_tools()}
    known = arguments(tools[name]).constraint if name in tools else None
    return None if known is None else Constraint("json_schema", known)


def _cause_at_key(schema: Any, key: Piece, found: list[Piece]) -> str:
    if json.loads(key.text, strict=False) not in below(schema, key.path).get("properties", {}):
        return NOT_LISTED
    same = [piece for piece in found if piece.role == "key" and piece.path == key.path]
    before = [piece.text for piece in same if piece.end < key.end]
    return TWICE if key.text in before else ORDER
