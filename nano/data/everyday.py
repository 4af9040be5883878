"""Functions that people try first, with requests in the words that they use for them."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from nano.data import parameters, values
from nano.data.functions import Function
from nano.data.kinds import KINDS, Kind
from nano.data.parameters import Parameter
from nano.data.words import Words

_FILE = Path(__file__).parent / "everyday.toml"
_DESCRIBED = ("The <>", "The <>, e.g. {}", "<>")


_MORE = (values.cuisine, values.money, values.room, values.task)
_KINDS = {kind.draw.__name__: (kind.type, kind.draw) for kind in KINDS} | {
    draw.__name__: ("string", draw) for draw in _MORE
}


def everyday(random: Random, words: Words) -> Function:
    """One of these functions. Its name, the names of its parameters and which optional ones it has
    are drawn; its requests name their values as in "weather in {location}"."""
    chosen = random.choice(_content())
    made = [_parameter(random, words, described) for described in chosen["parameters"]]
    kept = [parameter for parameter in made if parameter.required or random.random() < 0.5]
    names = [parameter.name for parameter in made]
    if len(set(names)) < len(names):
        return everyday(random, words)
    return Function(
        random.choice(chosen["names"].split()),
        chosen["action"],
        chosen["verb"],
        "",
        chosen["noun"],
        values.lengthened(random, words, random.choice(chosen["described"])),
        tuple(kept),
        tuple(_named(request, names) for request in chosen["requests"]),
        frozenset(chosen["about"].split()),
    )


@cache
def _content() -> Sequence[dict[str, Any]]:
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    functions: Sequence[dict[str, Any]] = content["functions"]
    return functions


def _parameter(random: Random, words: Words, described: dict[str, Any]) -> Parameter:
    required = not described.get("optional", False)
    said = (described["said"],)
    if options := described.get("options"):
        name = random.choice(described["names"].split())
        return parameters.choice(random, words, name, options.split(), required, said)
    type, draw = _KINDS[described["kind"]]
    kind = Kind(type, described["names"], _DESCRIBED, said, draw)
    return parameters.parameter(random, words, kind, required)


def _named(request: str, names: Sequence[str]) -> str:
    """A request with the names of parameters for their places."""
    return re.sub(r"\{(\d)\}", lambda place: f"{{{names[int(place[1])]}}}", request)
