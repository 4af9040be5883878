"""Parameters of all JSON types, values for them, and how requests mention these values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from nano.data import values
from nano.data.kinds import GENERIC, KINDS, NAMED, Kind
from nano.data.words import Words

_QUOTED = (values.text, values.title, values.song)
_DONE_TO = (
    *_QUOTED,
    values.topic,
    values.item,
    values.person,
    values.city,
    values.name,
    values.code,
    values.number,
)


@dataclass(frozen=True)
class Mention:
    """A value as the request says it: `text` put into a phrase such as "in {}"."""

    value: Any
    text: str
    phrase: str

    def said(self) -> str:
        return self.phrase.replace("{}", self.text)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function: its schema, and a source of values and phrases for it."""

    name: str
    schema: dict[str, Any]
    required: bool
    phrases: tuple[str, ...]
    draw: Callable[[Random], tuple[Any, str]]

    @property
    def words(self) -> str:
        """The name as people say it."""
        return spoken(self.name)

    def mention(self, random: Random) -> Mention:
        value, text = self.draw(random)
        return Mention(value, text, random.choice(self.phrases))


def parameter(random: Random, words: Words, kind: Kind, required: bool) -> Parameter:
    """A parameter of `kind`."""
    name = random.choice(kind.names.split())
    if random.random() < (0.35 if kind.phrases in (GENERIC, NAMED) else 0.05):
        name = words.invented(random)

    def draw(random: Random) -> tuple[Any, str]:
        return kind.draw(random, words)

    schema: dict[str, Any] = {"type": kind.type}
    if kind.type.startswith("array"):
        inner = "integer" if kind.type.endswith("]") else "string"
        schema = {"type": "array", "items": {"type": inner}}
    schema |= _described(random, words, random.choice(kind.described), name, draw(random)[1])
    return Parameter(name, schema, required, _phrases(kind.phrases, name), draw)


def done_to(random: Random, words: Words) -> Parameter:
    """What a function of a verb alone is for: required, and said right behind the verb."""
    kind = random.choice([kind for kind in KINDS if kind.draw in _DONE_TO])
    made = parameter(random, words, kind, True)
    return replace(made, phrases=("{}", "'{}'", '"{}"') if kind.draw in _QUOTED else ("{}",))


def boolean(random: Random, words: Words) -> Parameter:
    """An optional switch: "with breakfast" or "without breakfast"."""
    extra = words.invented(random) if random.random() < 0.3 else words.draw(random, "extras")
    said = spoken(extra)
    name = random.choice(("{}", "include_{}", "with_{}", "add_{}")).format(extra)
    schema = {"type": "boolean"} | _described(
        random,
        words,
        random.choice(("Whether to include <>", "With <> or without", "<>")),
        said,
        "",
    )
    texts = (
        (True, f"with {said}"),
        (True, f"including {said}"),
        (False, f"without {said}"),
        (False, f"with no {said}"),
    )
    return Parameter(name, schema, random.random() < 0.2, ("{}",), lambda r: r.choice(texts))


def enumeration(random: Random, words: Words) -> Parameter:
    """One of a few values, all of which the schema lists."""
    name, options = random.choice(words.enums)
    if random.random() < 0.2:
        name = words.invented(random)
    if random.random() < 0.4:
        options = tuple(dict.fromkeys(words.invented(random) for _ in range(random.randint(2, 4))))
    phrases = _phrases(("in {}", "with <> {}", "{} <>", "<> {}", "as {}", "with {} <>"), name)
    return choice(random, words, name, options, None, phrases)


def choice(
    random: Random,
    words: Words,
    name: str,
    options: Sequence[str],
    required: bool | None,
    phrases: tuple[str, ...],
) -> Parameter:
    """One of these options; whether it is required is drawn where it is None."""
    shown = list(random.sample(options, len(options)))
    schema = {"type": "string", "enum": shown} | _described(
        random, words, "The <>", spoken(name), ""
    )
    needed = random.random() < 0.5 if required is None else required

    def draw(random: Random) -> tuple[Any, str]:
        value = random.choice(options)
        return value, value

    return Parameter(name, schema, needed, phrases, draw)


def nested(random: Random, words: Words) -> Parameter:
    """An object with two or three properties of its own."""
    name = random.choice("contact address options guest filter details settings profile".split())
    kinds = random.sample([kind for kind in KINDS if not kind.type.startswith("array")], 3)
    inner: dict[str, Parameter] = {}
    for kind in kinds[: random.choice((2, 2, 3))]:
        made = parameter(random, words, kind, True)
        inner.setdefault(made.name, made)
    schema = {
        "type": "object",
        "properties": {made.name: made.schema for made in inner.values()},
        "required": list(inner),
    }

    def draw(random: Random) -> tuple[Any, str]:
        drawn = {made.name: made.draw(random) for made in inner.values()}
        said = [f"{inner[key].words} {text}" for key, (_, text) in drawn.items()]
        return {key: value for key, (value, _) in drawn.items()}, ", ".join(said)

    return Parameter(
        name, schema, True, _phrases(("with <> {}", "<>: {}", "with the <> {}"), name), draw
    )


def spoken(name: str) -> str:
    """An identifier as words: "order_id" and "orderId" are "order id"."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ").strip()


def _phrases(phrases: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(phrase.replace("<>", spoken(name)) for phrase in phrases)


def _described(random: Random, words: Words, text: str, name: str, example: str) -> dict[str, str]:
    if random.random() < 0.25:
        return {}
    described = text.replace("<>", spoken(name)).replace("{}", example)
    return {"description": values.lengthened(random, words, described)}
