r"""Characters, strings and regular expressions as they stand inside a JSON string, as Lark.

There a new line is `\n` and a quote `\"`. So each character that cannot stand for itself becomes
its escape, also as one of a class. Other spellings of the same text are not begun. Each character
is a token of the grammar: a lexer takes the longest token, and must have nothing to choose.
"""

import json
import re

SPECIAL = [*map(chr, range(0x20)), '"', "\\"]
"""What JSON strings have as escapes only."""

_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a"}

# An atom of a regular expression, or what binds atoms. Flags, assertions and classes in classes are
# none of these: they would mean other things than here.
_PIECE = re.compile(
    r"""
    (?P<code> \\x[0-9A-Fa-f]{2} | \\u[0-9A-Fa-f]{4} | \\[xu]\{[0-9A-Fa-f]{1,6}\} )
    | (?P<class> \\[dDwWsS] | \\[pP](?:[A-Z]|\{\w+\}) | \.
        | \[\^?\]?(?:\\[pP]\{\w+\}|\\.|[^]\\[])*\] )
    | \\(?P<control> [nrtfva] )
    | \\(?P<literal> [^0-9A-Za-z<>] )
    | (?P<open> \(\?: | \(\?P?<\w+> | \((?!\?) )
    | (?P<alternative> \| )
    | (?P<kept> \) | (?P<times> [*+?] | \{\d+(?:,\d*)?\} )\?? )
    | (?P<anchor> \A\^ | \$\Z )
    | (?P<plain> [^\\\[\](){}*+?|^$] | \] | \} )
    """,
    re.VERBOSE | re.DOTALL,
)


def string(text: str, *, any_case: bool = False) -> str:
    """`text` as an expression in Lark."""
    told = " ".join(_literal(character, any_case=any_case) for character in text)
    return told if len(text) == 1 else f"({told})" if text else '""'


def regex(source: str, *, dot_is_all: bool = False) -> str:
    """A regular expression in Rust's dialect, as an expression in Lark; `dot_is_all`: with its flag
    `s`.

    Raises ValueError for what has no such spelling that is known here.
    """
    pieces, place = ["("], 0
    while place < len(source):
        found = _PIECE.match(source, place)
        if found is None:
            raise ValueError(f"{source[place : place + 10]!r} is not known to be possible")
        if pieces[-1] in ("(", "|") and found[0] in ("|", ")"):
            pieces.append('""')
        pieces.append(_piece(found, dot_is_all))
        place = found.end()
    return " ".join([*pieces, '""' if pieces[-1] in ("(", "|") else "", ")"])


def characters(source: str) -> str:
    """A class of characters, such as `[a-z]` or `\\S`, as an expression in Lark.

    Raises ValueError as `regex` does.
    """
    if any(operator in source for operator in ("&&", "--", "~~")):
        raise ValueError(f"{source!r} is not known to be possible")
    # Letters, marks and numbers: no special character is one, and Python knows no such names.
    known = re.sub(r"\\p(?:[LMN]|\{[LMN]\w?\})", r"\\w", source)
    if re.search(r"\\[pP]", known):
        raise ValueError(f"{source!r} is not known to be possible")
    try:
        test = re.compile(known, re.ASCII)  # of the special ones `\s` has as many as Rust's
    except re.error as error:
        raise ValueError(f"{source!r}: {error}") from error
    escapes = [_literal(special) for special in SPECIAL if test.fullmatch(special)]
    usual = rf'/[{source}&&[^\x00-\x1f"\\]]/'
    return f"({' | '.join([usual, *escapes])})" if escapes else f"/{source}/"


def _piece(found: re.Match[str], dot_is_all: bool) -> str:
    text = found[0]
    match found.lastgroup:
        case "code":
            return _literal(chr(int(text[2:].strip("{}"), 16)))
        case "control":
            return _literal(_CONTROL[found["control"]])
        case "literal":
            return _literal(found["literal"])
        case "plain":
            return _literal(text)
        case "class" if text == ".":
            return characters(r"[\s\S]" if dot_is_all else r"[^\n]")
        case "class":
            return characters(text)
        case "open":
            return "("
        case "anchor":
            return ""
    return found["times"] or text


def _literal(character: str, *, any_case: bool = False) -> str:
    told = json.dumps(json.dumps(character, ensure_ascii=False)[1:-1])
    return told + "i" * (any_case and character not in SPECIAL)
