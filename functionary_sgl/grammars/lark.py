"""Grammars as data, and as text in llguidance's dialect of Lark."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """This text. llguidance's lexer takes the longest that can be: where one of several literals
    and terminals can stand, none may begin with what another one matches."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """What the rule or the terminal of this name is."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`part`, `least` to `most` times; None: any number."""

    part: "Expression"
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """This id of the model's, and no other tokens of the same text."""

    token_id: int


Expression = Literal | Token | Name | Sequence | Choice | Repeat

NOTHING = Sequence(())
NEVER = Choice(())


def sequence(*parts: Expression) -> Expression:
    return parts[0] if len(parts) == 1 else Sequence(parts)


def optional(part: Expression) -> Expression:
    return Repeat(part, 0, 1)


@dataclass
class Grammar:
    """Rules, and what is written as it stands: terminals, and schemas of llguidance's own."""

    rules: dict[str, Expression] = field(default_factory=dict)
    verbatim: dict[str, str] = field(default_factory=dict)
    _names: dict[str, Name] = field(default_factory=dict)
    _lazy: dict[str, Name] = field(default_factory=dict)

    def rule(self, expression: Expression) -> Name:
        """A new rule."""
        name = Name(f"r{len(self.rules)}")
        self.rules[name.name] = expression
        return name

    def terminal(self, text: str) -> Name:
        """The terminal of this text."""
        return self._verbatim("T", text)

    def until(self, suffix: str) -> Name:
        """Any text up to the first `suffix`, with it."""
        return self._verbatim("u", "/(?s:.*)/", f"[suffix={json.dumps(suffix)}]")

    def lazy(self, text: str) -> Name:
        """The terminal of this text, which ends as soon as it may."""
        if text not in self._lazy:
            name = f"l{len(self._lazy)}"
            self._lazy[text] = Name(name)
            # Only a rule may be so, and only a terminal may be such a text.
            self.verbatim[name] = f"[lazy]: L{len(self._lazy)}\nL{len(self._lazy)}: {text}"
        return self._lazy[text]

    def own(self, schema: dict[str, Any]) -> Name:
        """What llguidance itself makes of `schema`."""
        return self._verbatim("own", f"%json {json.dumps(schema)}")

    def _verbatim(self, prefix: str, text: str, attributes: str = "") -> Name:
        text = f"{attributes}: {text}"
        if text not in self._names:
            self._names[text] = Name(f"{prefix}{len(self._names)}")
            self.verbatim[self._names[text].name] = text
        return self._names[text]

    def text(self, start: Expression) -> str | None:
        """The grammar of what `start` is; None if nothing can be written by it."""
        writable = self._writable()
        if not _is_writable(start, writable):
            return None
        pruned = {n: _pruned(rule, writable) for n, rule in self.rules.items() if n in writable}
        needed = _reached(_pruned(start, writable), pruned)
        lines = [f"start: {_text(_pruned(start, writable))}"]
        lines += [f"{name}: {_text(rule, True)}" for name, rule in pruned.items() if name in needed]
        lines += [f"{name}{text}" for name, text in self.verbatim.items() if name in needed]
        return "\n".join(lines)

    def _writable(self) -> set[str]:
        """The names of all that has an end: a rule has none if it always needs itself, or what can
        never be."""
        found = set(self.verbatim)
        left = list(reversed(self.rules.items()))
        while True:
            still = [(name, rule) for name, rule in left if not _noted(name, rule, found)]
            if len(still) == len(left):
                return found
            left = still[::-1]


def _noted(name: str, rule: Expression, found: set[str]) -> bool:
    """Whether `rule` is writable given those `found`, to which it is then added."""
    if _is_writable(rule, found):
        found.add(name)
        return True
    return False


def _is_writable(expression: Expression, names: Collection[str]) -> bool:
    match expression:
        case Literal() | Token():
            return True
        case Name(name):
            return name in names
        case Sequence(parts):
            return all(_is_writable(part, names) for part in parts)
        case Choice(options):
            return any(_is_writable(option, names) for option in options)
        case Repeat(part, least, _):
            return least == 0 or _is_writable(part, names)


def _pruned(expression: Expression, names: Collection[str]) -> Expression:
    """`expression`, which is writable, without what is not."""
    match expression:
        case Sequence(parts):
            left = [_pruned(part, names) for part in parts]
            return Sequence(tuple(part for part in left if part != NOTHING))
        case Choice(options):
            kept = [_pruned(o, names) for o in options if _is_writable(o, names)]
            return kept[0] if len(kept) == 1 else Choice(tuple(kept))
        case Repeat(part, least, most):
            if not _is_writable(part, names) or most == 0:
                return NOTHING
            return Repeat(_pruned(part, names), least, most)
    return expression


def _reached(start: Expression, rules: Mapping[str, Expression]) -> set[str]:
    """The names that `start` needs, and that these need."""
    found: set[str] = set()
    left = [start]
    while left:
        match left.pop():
            case Name(name) if name not in found:
                found.add(name)
                left += [rules[name]] if name in rules else []
            case Sequence(parts) | Choice(parts):
                left += parts
            case Repeat(part):
                left.append(part)
    return found


def _text(expression: Expression, outside: bool = False) -> str:
    match expression:
        case Literal(text):
            return json.dumps(text)
        case Token(token_id):
            return f"<[{token_id}]>"
        case Name(name):
            return name
        case Sequence(parts):
            return " ".join(map(_text, parts)) or '""'
        case Choice(options):
            choice = " | ".join(map(_text, options))
            return choice if outside else f"({choice})"
        case Repeat(part, least, most):
            times = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((least, most))
            if times is None:
                times = f"{{{least}}}" if least == most else f"{{{least},{_or_empty(most)}}}"
            return f"({_text(part)}){times}"


def _or_empty(most: int | None) -> str:
    return "" if most is None else str(most)
