"""Parameters as JSON: the same however they are cut, and told as soon as they are known."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.grammars.readings import readings
from functionary_sgl.runtime.parameters import Parameters, ParametersEnd
from functionary_sgl.turns.formats.xml_call import MARKS
from tests.replay import characters

PROPERTIES: dict[str, Any] = {
    "text": {"type": "string"},
    "maybe": {"type": ["string", "null"]},
    "count": {"type": "integer"},
    "list": {"type": "array"},
    "any": {},
}
SCHEMA = json.dumps({"type": "object", "properties": PROPERTIES})
marks_begun = st.sampled_from(["\n", "<", "</parameter>", "\n</parameter", "<parameter=", "</fun"])
texts = st.lists(st.text(characters, max_size=5) | marks_begun, max_size=4).map("".join)
texts = texts.filter(lambda text: "\n</parameter>\n" not in text + "\n</parameter>")
values = {
    "text": texts,
    "maybe": st.none() | texts.filter(lambda text: text not in ("null", "None")),
    "count": st.integers(),
    "list": st.lists(st.integers() | texts, max_size=2),
    "any": st.booleans() | st.dictionaries(st.just("k"), texts, max_size=1),
}
objects = st.fixed_dictionaries({}, optional=values)
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def written(arguments: dict[str, Any]) -> str:
    def shown(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    listed = (f"<parameter={k}>\n{shown(v)}\n</parameter>\n" for k, v in arguments.items())
    return "".join(listed) + MARKS.end


def reader(*, strict: bool = True) -> Parameters:
    return Parameters(MARKS, readings(SCHEMA), strict=strict)


def pieces(text: str, sizes: list[int]) -> list[str]:
    found, at = [], 0
    while at < len(text):
        size = sizes[len(found) % len(sizes)]
        found.append(text[at : at + size])
        at += size
    return found


@given(objects, cuts, st.booleans())
def test_what_is_told_is_the_json_of_the_whole(
    arguments: dict[str, Any], sizes: list[int], strict: bool
) -> None:
    found = reader(strict=strict)
    told = "".join(found.feed(piece) for piece in pieces(written(arguments) + "more", sizes))
    assert told == json.dumps(arguments, ensure_ascii=False)
    assert found.ended
    assert found.passed == len(written(arguments))


@given(objects, cuts)
def test_where_it_ends_is_found(arguments: dict[str, Any], sizes: list[int]) -> None:
    end = ParametersEnd(MARKS)
    text = written(arguments)
    assert "".join(end.feed(piece) for piece in pieces(text + "\n</tool_call>", sizes)) == text
    assert (end.ended, end.passed, end.matched, end.close()) == (True, len(text), None, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<parameter=te", ""),
        ("<parameter=text>\n", '{"text": '),
        ("<parameter=text>\nRo", '{"text": "Ro'),
        ("<parameter=text>\nRo\n</param", '{"text": "Ro'),
        ("<parameter=text>\nRo\n</parx", '{"text": "Ro\\n</parx'),
        ("<parameter=text>\nRo\n</parameter>\n", '{"text": "Ro"'),
        ("<parameter=maybe>\nnul", '{"maybe": '),
        ("<parameter=maybe>\nnulx", '{"maybe": "nulx'),
        ("<parameter=count>\n12", '{"count": 12'),
        ('<parameter=list>\n["a", ', '{"list": ["a", '),
        ("<parameter=any>\n12", '{"any": '),
        ("<parameter=any>\n12 a", '{"any": "12 a'),
    ],
)
def test_what_is_known_is_told(text: str, told: str) -> None:
    assert reader().feed(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\n<parameter=count>\nmany\n</parameter>\n", '{"count": "many"'),
        ("<parameter=list>\n{'a'}\n</parameter>\n", '{"list": "{\'a\'}"'),
        ("<parameter=unknown>\n1\n</parameter>\nrubbish", '{"unknown": 1'),
        ("<parameter=count>\nTrue\n</parameter>\n", '{"count": "True"'),
        ("rubbish", ""),
    ],
)
def test_what_nothing_constrains_is_told_as_json_too(text: str, told: str) -> None:
    found = reader(strict=False)
    assert found.feed(text) == told
    assert json.loads(told + found.feed(MARKS.end)) == json.loads(f"{told}}}" if told else "{}")
