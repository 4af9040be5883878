"""What functions give back, and the sentences that report it."""

import json
import string
from dataclasses import dataclass
from random import Random
from typing import Any

from nano.data.functions import Function
from nano.data.parameters import Mention, spoken
from nano.data.words import Words


@dataclass(frozen=True)
class Result:
    """`content` is what the tool sends, `report` the sentence that says it."""

    content: str
    report: str


def result(random: Random, words: Words, function: Function, said: dict[str, Mention]) -> Result:
    """A result of a call with these arguments."""
    style = random.random()
    if style < 0.15:
        plain = _plain(random, words)
        return Result(plain, f"The {function.subject}: {plain}.")
    if style < 0.25:
        message = random.choice(
            ("not found", "no access", "timed out", "invalid value", words.invented(random))
        )
        return Result(json.dumps({"error": message}), f"That did not work: {message}.")
    names = words.sample(random, "details", random.choice((1, 1, 2, 2, 3)))
    # Unknown names too: they have to be copied like values.
    names = [words.invented(random) if random.random() < 0.35 else name for name in names]
    if random.random() < 0.3:
        names[0] = function.noun
    fields = {name: _value(random, words) for name in names}
    parts = [f"the {spoken(name)} is {_said(value)}" for name, value in fields.items()]
    echoed = {}
    if said and random.random() < 0.35:
        name, mention = next(iter(said.items()))
        echoed = {name: mention.value} if isinstance(mention.value, str | int | float) else {}
    report = " and ".join(parts)
    if echoed:
        report = f"for {_said(next(iter(echoed.values())))}, {report}"
    content = json.dumps(echoed | fields, ensure_ascii=False)
    return Result(content, report[0].upper() + report[1:] + ".")


def _plain(random: Random, words: Words) -> str:
    return random.choice(
        (str(_value(random, words)), f"{_number(random)} {words.invented(random)}")
    )


def _value(random: Random, words: Words) -> Any:
    return random.choice(
        (
            words.draw(random, "states"),
            _number(random),
            _number(random),
            words.invented(random).capitalize(),
            "".join(random.choices(string.ascii_uppercase + string.digits, k=random.randint(3, 6))),
            words.draw(random, "first_names"),
            f"{_number(random)} {random.choice(('EUR', 'USD', 'km', 'kg', 'minutes', 'degrees'))}",
        )
    )


def _number(random: Random) -> float:
    whole = random.randint(0, 10 ** random.randint(1, 4))
    return whole if random.random() < 0.75 else round(whole + random.randint(1, 99) / 100, 2)


def _said(value: Any) -> str:
    return str(value)
