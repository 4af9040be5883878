"""What a regular expression says, as data."""

from dataclasses import dataclass, field

from functionary_sgl.patterns.characters import Ranges


@dataclass(frozen=True, slots=True)
class Characters:
    """One of `ranges`: where there are none, nothing matches.

    text: how a regular expression says it, where that is shorter than to list them.
    """

    ranges: Ranges
    text: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The start of a text, or its end."""

    at_start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`part`, `least` to `most` times; None: any number."""

    part: "Node"
    least: int
    most: int | None


Node = Characters | Anchor | Sequence | Choice | Repeat

NOTHING = Sequence(())


def choice(options: list[Node]) -> Node:
    """One of `options`, at least one, each once."""
    apart = tuple(dict.fromkeys(options))
    return apart[0] if len(apart) == 1 else Choice(apart)


def sequence(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))
