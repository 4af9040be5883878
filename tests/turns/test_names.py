"""Functions may have the names that MCP servers give their tools, in every format.

Dots, slashes and colons, up to 128 characters; one name may begin another.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.chat.tools import Tool
from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS, possible, written
from tests.prompt.test_round_trip import OTHERWISE
from tests.replay import OPEN, cuts, replay

RESERVED = {name for format in FORMATS.values() for name in format.reserved_names} | {"python"}
single = st.text("aB0_./:-", min_size=1, max_size=12)
names = st.one_of(single, single.map(lambda name: (name * 128)[:128])).filter(
    lambda name: name not in RESERVED
)


@st.composite
def offers(draw: st.DrawFn) -> list[str]:
    """Some names, and one of them with more behind it."""
    some = draw(st.lists(names, min_size=1, max_size=2))
    longer = (some[0] + draw(single))[:128]
    return list(dict.fromkeys([*some, longer]))


def tools(names: list[str]) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": n, "parameters": OPEN}} for n in names]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("constraints", ["schema", "off"])
@settings(max_examples=8)
@given(offers(), st.data())
def test_calls_have_the_names_that_were_written(
    format: str, constraints: Any, offered: list[str], data: Any
) -> None:
    called = data.draw(st.lists(st.sampled_from(offered), min_size=1, max_size=3))
    content, calls = possible(format, "Sure.", [(name, '{"k": 1}') for name in called])
    turn = written(format, content, calls)
    cut = data.draw(cuts)
    answer = replay(PROMPTERS[format], turn, cut, constraints=constraints, tools=tools(offered))
    assert answer.said == (content, calls)
    choice = {"type": "function", "function": {"name": called[0]}}
    turn = written(format, None, calls[:1])
    named = replay(PROMPTERS[format], turn, cut, tools=tools(offered), tool_choice=choice)
    assert named.said == (None, calls[:1])


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8)
@given(offers())
def test_prompts_show_names_as_they_are(format: str, offered: list[str]) -> None:
    calls = possible(format, None, [(name, "{}") for name in offered])[1]
    asked = Conversation((Message("user", "Hi"),), tuple(Tool(name) for name in offered))
    prompt = PROMPTERS[format].prompt(asked)
    assert all(name in prompt for name in offered)
    said = Message("assistant", "", tuple(Call(name, text) for name, text in calls))
    continued = PROMPTERS[format].prompt(asked.followed_by(said).followed_by(Message("user", "?")))
    assert all(name in continued.removeprefix(prompt) for name, _ in calls)
    # Mistral's templates show the tools before the user's last message.
    if format not in OTHERWISE:
        assert continued.startswith(prompt + written(format, None, calls))


def test_functionarys_typescript_has_names_verbatim() -> None:
    prompt = PROMPTERS["v3.llama3"].prompt(
        Conversation((Message("user", "Hi"),), (Tool("files/read:v1.2", "Reads."),))
    )
    assert "// Reads.\ntype files/read:v1.2 = () => any;" in prompt


@pytest.mark.parametrize("name", ["", "a b", "é", 'a"', "a\n", "a" * 129])
def test_other_names_are_refused(serve: Any, name: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": tools([name])}
    answer = serve({"turn": "all\nHi"}).http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "tools[0].function.name"
