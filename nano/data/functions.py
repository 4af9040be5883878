"""Functions put together from verbs, qualifiers, nouns and parameters."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from functionary_sgl.chat.tools import Tool
from nano.data import parameters, values
from nano.data.kinds import KINDS
from nano.data.parameters import Parameter, spoken
from nano.data.words import Words

Action = Literal["read", "make", "drop", "edit", "sum", "do"]
ACTIONS: Sequence[Action] = ("read", "make", "drop", "edit", "sum")
"""Those about a noun; "do" is what a verb says alone, as in "translate 'good morning'"."""

_DOES = 0.08

_DESCRIBED: dict[Action, tuple[str, ...]] = {
    "read": (
        "{Verb} the {n}",
        "Returns the {n}",
        "Get the {n}",
        "Gives the {n}",
        "{Verb} {n} data",
        "Look up the {n}",
        "Tells the {n}",
        "Use this to {verb} the {n}",
        "Information about the {n}",
    ),
    "make": (
        "{Verb} a {n}",
        "Create a new {n}",
        "Makes a new {n}",
        "{Verb} a {n} for the user",
        "Use this to {verb} a {n}",
    ),
    "drop": (
        "{Verb} a {n}",
        "Deletes the {n}",
        "Remove an existing {n}",
        "{Verb} the {n}",
        "Use this to {verb} a {n}",
    ),
    "edit": (
        "{Verb} a {n}",
        "Changes the {n}",
        "Update an existing {n}",
        "{Verb} the {n}",
        "Use this to {verb} a {n}",
    ),
    "sum": ("{Verb} the {n}", "Calculates the {n}", "Compute the {n}", "Works out the {n}"),
    "do": (
        "{Verb} a {n}",
        "{Verb} the {n}",
        "{Verb} {n}",
        "{Verb} the given {n}",
        "Use this to {verb} a {n}",
        "{Verb} a {n} for the user",
    ),
}


@dataclass(frozen=True)
class Function:
    """A function as conversations know it: what it does to what, and what it takes.

    `noun` is what it is about, as it stands in the name; `qualifier` may be empty. `requests` are
    wordings of its own, with the names of parameters for their values, and `about` the words that
    tell them from requests for other functions.
    """

    name: str
    action: Action
    verb: str
    qualifier: str
    noun: str
    description: str
    parameters: tuple[Parameter, ...]
    requests: tuple[str, ...] = ()
    about: frozenset[str] = frozenset()

    @property
    def subject(self) -> str:
        """Noun with qualifier, as people say it."""
        return spoken(f"{self.qualifier}_{self.noun}" if self.qualifier else self.noun)

    @property
    def required(self) -> list[Parameter]:
        return [parameter for parameter in self.parameters if parameter.required]

    def tool(self) -> Tool:
        return Tool(self.name, self.description, json.dumps(self._schema(), ensure_ascii=False))

    def _schema(self) -> dict[str, Any] | None:
        if not self.parameters:
            return {"type": "object", "properties": {}}
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema for parameter in self.parameters},
            "required": [parameter.name for parameter in self.required],
        }


def function(
    random: Random,
    words: Words,
    action: Action | None = None,
    noun: str | None = None,
    most: int = 4,
) -> Function:
    """A function of `most` parameters; of the given action and noun, where they are given."""
    if action == "do" or (not (action or noun or words.held_out) and random.random() < _DOES):
        return _doing(random, words, most)
    action = action or random.choices(ACTIONS, (9, 6, 2, 2, 2))[0]
    noun = noun or _noun(random, words, action)
    verb = words.draw(random, f"{action}_verbs")
    if action == "read" and random.random() < 0.5:
        verb = "get"
    qualifier = words.draw(random, "qualifiers") if random.random() < 0.3 else ""
    name = _name(random, verb, qualifier, noun)
    subject = spoken(f"{qualifier}_{noun}" if qualifier else noun)
    description = _description(random, words, action, spoken(verb), subject)
    takes = _parameters(random, words, action, most)
    return Function(name, action, verb, qualifier, noun, description, takes)


def _doing(random: Random, words: Words, most: int) -> Function:
    """A function whose verb says all, and whose first parameter is what it is done to."""
    verb = words.draw(random, "do_verbs")
    first = parameters.done_to(random, words)
    name = _name(random, verb, "", first.name) if random.random() < 0.6 else verb
    description = _description(random, words, "do", spoken(verb), first.words)
    takes = _parameters(random, words, "do", most, first)
    return Function(name, "do", verb, "", first.name, description, takes)


def _noun(random: Random, words: Words, action: Action) -> str:
    made_up = random.random()
    if made_up < 0.3:
        return words.invented(random)
    noun = words.draw(random, "things" if action in ("make", "drop", "edit") else "facts")
    if action == "read" and made_up < 0.5:
        noun = words.draw(random, "things")
        if made_up < 0.37:
            noun += "_" + words.draw(random, "details")
    return noun


def _name(random: Random, verb: str, qualifier: str, noun: str) -> str:
    parts = [*([qualifier] if qualifier else []), *noun.split("_")]
    parts = [*verb.split("_"), *parts] if random.random() < 0.85 else [*parts, *verb.split("_")]
    style = random.random()
    if style < 0.86:
        return "_".join(parts)
    if style < 0.97:
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    return "-".join(parts)


def _description(random: Random, words: Words, action: Action, verb: str, subject: str) -> str:
    if random.random() < 0.06:
        return ""
    template = random.choice(_DESCRIBED[action])
    text = template.format(verb=verb, Verb=verb.capitalize(), n=subject)
    return values.lengthened(random, words, text + random.choice(("", "", ".")))


def _parameters(
    random: Random, words: Words, action: Action, most: int, first: Parameter | None = None
) -> tuple[Parameter, ...]:
    count = random.choices(
        (0, 1, 2, 3, 4), (1, 10, 8, 4, 2) if action != "drop" else (0, 8, 2, 0, 0)
    )[0]
    count = min(count, most)
    made = {first.name: first} if first else {}
    phrases = set(first.phrases) if first else set()
    while len(made) < count:
        new = _parameter(random, words, first=not made)
        # Two parameters that a request would bring in alike could not be told apart.
        if new.name not in made and not phrases & set(new.phrases):
            made[new.name] = new
            phrases |= set(new.phrases)
    ordered = sorted(made.values(), key=lambda parameter: not parameter.required)
    return tuple(ordered if random.random() < 0.8 else made.values())


def _parameter(random: Random, words: Words, first: bool) -> Parameter:
    kind = random.choices(("plain", "enum", "boolean", "object"), (15, 3, 0 if first else 2, 1))[0]
    if kind == "enum":
        return parameters.enumeration(random, words)
    if kind == "boolean":
        return parameters.boolean(random, words)
    if kind == "object":
        return parameters.nested(random, words)
    (chosen,) = random.choices(KINDS, [kind.weight for kind in KINDS])
    return parameters.parameter(random, words, chosen, first or random.random() < 0.6)
