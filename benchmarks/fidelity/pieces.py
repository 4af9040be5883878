"""A JSON text in pieces, each with its place."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Piece:
    """A key, a string, a sign (bracket, comma or colon), or anything else (`number`).

    end: where in the text it ends, in characters.
    path: keys and indices of the value that it is, or, a key or a sign, of what it is part of.
    """

    role: Literal["key", "string", "number", "sign"]
    text: str
    end: int
    path: Path


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of `text`, which is JSON; white space is none."""
    # For each bracket that is open: the key or index whose value comes, None before a key.
    steps: list[Any] = []
    for match in _PIECE.finditer(text):
        piece, path = match[0], tuple(steps)
        if piece in "{}[],:":
            if piece in "}]":
                steps.pop()
            elif piece != ":":
                _step(steps, piece)
            path = tuple(steps if piece in "}]" else path)
            yield Piece("sign", piece, match.end(), path[:-1] if piece in ",:" else path)
        elif steps and steps[-1] is None:
            steps[-1] = json.loads(piece, strict=False)
            yield Piece("key", piece, match.end(), path[:-1])
        else:
            role: Literal["string", "number"] = "string" if piece[0] == '"' else "number"
            yield Piece(role, piece, match.end(), path)


def styled(text: str) -> str:
    """`text`, which is JSON, with the white space that models are trained on."""
    return "".join(p.text + " " * (p.text in (",", ":")) for p in pieces(text))


def below(schema: Any, path: Path) -> dict[str, Any]:
    """The part of `schema` about what is at `path`, as far as `properties` and `items` say; else
    nothing."""
    for step in path:
        schema = schema if isinstance(schema, dict) else {}
        inner = schema.get("properties") if isinstance(step, str) else None
        schema = inner.get(step) if isinstance(inner, dict) else schema.get("items")
    return schema if isinstance(schema, dict) else {}


def in_order(schema: Any, text: str) -> bool:
    """Whether the keys in `text` that `schema` lists come in its order."""
    reached: dict[Path, int] = {}
    for piece in pieces(text):
        listed = list(below(schema, piece.path).get("properties") or ())
        if piece.role == "key" and (key := json.loads(piece.text, strict=False)) in listed:
            place = listed.index(key)
            if place < reached.get(piece.path, 0):
                return False
            reached[piece.path] = place
    return True


def _step(steps: list[Any], sign: str) -> None:
    if sign == ",":
        steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else None
    else:
        steps.append(None if sign == "{" else 0)
