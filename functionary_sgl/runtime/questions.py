"""What a program asks, as whoever foresees its turn has to know it."""

from typing import Any

from functionary_sgl.runtime.events import Variable
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.runtime.replay import Answer, Step, replayed
from functionary_sgl.runtime.value_ends import common_lead
from functionary_sgl.tokenizer import Tokenizer

Answers = tuple[Answer, ...]


class Questions:
    """Those of `program` with `offer`, in the tokens of `tokenizer`."""

    def __init__(self, program: Any, offer: object, tokenizer: Tokenizer) -> None:
        self._program = program
        self._offer = offer
        self._tokenizer = tokenizer

    def step(self, answers: Answers, mark: str = "") -> Step:
        """What the program does when it has got these answers; of what it writes, what follows the
        `mark` of the last."""
        step = replayed(self._program, Prompt("", []), self._offer, answers)
        if not step.pending.startswith(mark):
            return Step("", None)
        return step._replace(pending=step.pending.removeprefix(mark))

    def ahead(self, step: Step, held: str) -> Any:
        """What the program asks, to be compared."""
        if step.expression is None:
            return None
        if kind(step) == "choice":
            return tuple(self.texts(step, held)[0])
        wanted = step.expression.sampling_params
        return held + step.pending, wanted.json_schema, wanted.regex, tuple(wanted.stop or ())

    def texts(self, step: Step, held: str) -> tuple[list[str], str]:
        """The choices of `step` as the interpreter tokenizes them, and the spaces at their end that
        it leaves to what follows."""
        texts = [held + step.pending + choice for choice in step.expression.choices]
        left = common_lead(self._tokenizer, texts)
        return [text.removesuffix(left) for text in texts], left

    def marks(self, step: Step) -> list[str]:
        """The stop strings of a text; of those that end with the same control token, the shortest,
        since that token alone ends a text."""
        found: dict[str, str] = {}
        for stop in sorted(step.expression.sampling_params.stop or (), key=len):
            last, is_control = list(self._tokenizer.control.split(stop))[-1]
            found.setdefault(last if is_control else stop, stop)
        return list(found.values())


def kind(step: Step) -> str | None:
    """What is asked for, of what a grammar can hold: a choice, a value (the arguments of a call), a
    pattern or text."""
    if step.expression is None:
        return None
    if hasattr(step.expression, "choices"):
        return "choice"
    wanted = step.expression.sampling_params
    if wanted.json_schema:
        is_call = Variable.parse(step.expression.name).role == "arguments"
        return "value" if is_call else None
    if wanted.regex:
        return "pattern" if Variable.parse(step.expression.name).role == "id" else None
    return None if getattr(wanted, "ebnf", None) else "text"
