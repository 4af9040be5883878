"""Grammars of clients, in GBNF or Lark: read into Lark, and made into those of JSON strings."""

import json
import re

from llguidance.gbnf_to_lark import gbnf_to_lark, is_lark_syntax

from functionary_sgl.forms.characters import characters, regex, string

_TOKEN = re.compile(
    r"""
    (?P<comment> (?://|\#)[^\n]* )
    | (?P<range> "(?:\\.|[^"\\\n])*"\s*\.\.\s*"(?:\\.|[^"\\\n])*" )
    | (?P<string> "(?:\\.|[^"\\\n])*"i? )
    | (?P<regex> /(?:\\.|[^/\\\n])+/[a-z]* )
    | (?P<directive> %\w+[^\n]* )
    | (?P<name> [A-Za-z_]\w* )
    | (?P<control> < )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')


def lark(source: str) -> str:
    """The grammar `source`, in GBNF as llama.cpp has it or in llguidance's Lark, in the latter.

    Raises ValueError for what cannot be read, and for what names control tokens.
    """
    if not is_lark_syntax(source):
        try:
            source = gbnf_to_lark(source)
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error
        except Exception as error:  # plain ones, and more where a text just ends
            raise ValueError(f"it cannot be read: {error or 'it ends too early'}") from error
    if any(found["control"] for found in _TOKEN.finditer(source)):
        raise ValueError("it names control tokens (<...>), which no text has")
    return source


def quoted(source: str) -> str:
    """The grammar of the JSON strings, behind a space, that say what the Lark grammar `source`
    describes. What JSON must escape is escaped in the one usual way.

    Raises ValueError where there is no such grammar, or none that is known here.
    """
    return 'start: " \\"" rule_start "\\""\n' + "".join(map(_quoted, _TOKEN.finditer(source)))


def _quoted(found: re.Match[str]) -> str:
    text = found[0]
    match found.lastgroup:
        case "name":  # no terminals: they would be tokens of several characters
            return f"{'terminal' if text.isupper() else 'rule'}_{text.lower()}"
        case "string":
            return string(_said(text.removesuffix("i")), any_case=text.endswith("i"))
        case "range":
            first, last = map(_said, _STRING.findall(text))
            if len(first) != 1 or len(last) != 1:
                raise ValueError(f"{text} is not between two characters")
            return characters(f"[{_code(first)}-{_code(last)}]")
        case "regex":
            body, flags = text[1:].rsplit("/", 1)
            if flags.strip("s"):
                raise ValueError(f"the flags of {text} cannot be kept inside a JSON string")
            return regex(body, dot_is_all="s" in flags)
        case "directive" if text.startswith("%llguidance"):
            return ""
        case "directive":
            raise ValueError(f"{text.split()[0]} cannot be kept inside a JSON string")
        case "comment":
            return ""
    return text


def _code(character: str) -> str:
    return rf"\U{ord(character):08x}"


def _said(literal: str) -> str:
    try:
        said: str = json.loads(literal)
    except ValueError as error:
        raise ValueError(f"{literal} cannot be read: use the escapes of JSON") from error
    return said
