"""Raw turns give the messages that the reference gives, or better ones, each for a reason."""

import json
from typing import Any

import pytest

from tests.formats import PROMPTERS
from tests.paths import DATA
from tests.replay import OPEN, replay

CASES: list[dict[str, Any]] = json.loads((DATA / "parse.json").read_text())["cases"]
ROME, CODE = ("get_weather", '{"city": "Rome"}'), ("python", ">>> print(1)")
NONE, EMPTY = (None, []), (None, [("get_weather", "{}")])
ONE = (None, [("get_weather", '{"a": 1}')])

QWEN = "qwen2.5-text-only"
_CALL = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{}\n```{}\n{}\n```<｜tool▁call▁end｜>"
_CALLS = "<｜tool▁calls▁begin｜>{}<｜tool▁calls▁end｜>"
R1_CALLS = _CALLS.format(
    _CALL.format("get_weather", "json", '{"city": "Rome"}')
    + _CALL.format("python", "python", "print(1)")
)
R1_BACKTICKS = _CALLS.format(_CALL.format("f", "json", '{"a":"```"}'))

# By version, raw turn and choice: what is answered here. Above each group, why it is better.
DIFFERENT: dict[tuple[str, str, str], Any] = {
    # A marker is one only before an offered name, and nothing but a marker ends text or code.
    ("v3.llama3", "python\n>>> print(1)", "auto"): (None, [CODE]),
    ("v3.llama3", "all\nuse >>> prompt", "auto"): ("use >>> prompt", []),
    ("v3-llama3.1", '<function=get_weather{"city": "Rome"}</function>', "auto"): (
        '<function=get_weather{"city": "Rome"}</function>',
        [],
    ),
    ("v3-llama3.1", "<function=f>{}</function><|python_tag|>1", "auto"): (
        "<function=f>{}</function>",
        [("python", "1")],
    ),
    # With tool_choice none, all is text.
    ("v3.llama3", "Hi>>>get_weather\n{}", "none"): ("Hi>>>get_weather\n{}", []),
    ("v3-llama3.1", "<function=none>{}</function>", "none"): ("<function=none>{}</function>", []),
    # Only functions on offer are called; what goes to another name is text.
    ("v3.llama3", "unknown_fn\n{}", "auto"): ("unknown_fn\n{}", []),
    # A turn without a recipient is text, and one without text is empty.
    ("v3.llama3", "Hello there", "auto"): ("Hello there", []),
    ("v3.llama3", "all\n", "auto"): NONE,
    ("v2", "Hello", "auto"): ("Hello", []),
    ("v2", "", "auto"): NONE,
    ("v2.llama3", "", "auto"): NONE,
    ("v2.llama3", "  ", "auto"): NONE,
    # White space before a call is no text.
    ("v2.llama3", " <|reserved_special_token_249|>get_weather\n{}", "auto"): EMPTY,
    # Nothing of a text is lost: a second one stands on a line of its own.
    ("v3.llama3", "all\nA>>>all\nB", "auto"): ("A\nB", []),
    # Arguments follow the schema, whatever the model would like to write, ...
    ("v3.llama3", "get_weather\nnot json", "auto"): EMPTY,
    ("v3.llama3", "get_weather {}", "auto"): EMPTY,
    ("v2.llama3", "<|reserved_special_token_249|>get_weather", "auto"): EMPTY,
    ("v2", "Hi", "get_weather"): EMPTY,
    # ... to their end, which alone ends them, ...
    ("v3.llama3", 'get_weather\n{"city": "Ro', "auto"): (None, [("get_weather", '{"city": "Ro"}')]),
    ("v3-llama3.1", '<function=get_weather>{"city": "Rome"', "auto"): (None, [ROME]),
    ("v3-llama3.1", '{"city": "Rome"}', "get_weather"): (None, [ROME]),
    ("v3-llama3.1", '<function=get_weather>{"a": "</function>"}</function>', "auto"): (
        None,
        [("get_weather", '{"a": "</function>"}')],
    ),
    # ... and in the white space that models are trained on.
    ("v3.llama3", 'get_weather\n{"a":1}<|eot_id|><|eot_id|>', "auto"): ONE,
    ("v3.llama3", 'get_weather\n{"a":1}<|end_of_text|>', "auto"): ONE,
    ("v3.llama3", 'get_weather\n{"a":1}<|end_of_text|><|eot_id|>', "auto"): ONE,
    ("v2", '{"a":1}', "get_weather"): ONE,
    (QWEN, '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"', "auto"): (
        None,
        [ROME],
    ),
    (QWEN, '<tool_call>\n{"name": "get_weather", "arguments": "{}"}\n</tool_call>', "auto"): (
        None,
        [("get_weather", '{"{}": ""}')],
    ),
    # What stands behind a call is not lost either.
    (QWEN, '<tool_call>\n{"name": "a", "arguments": {}}\n</tool_call>trailing text', "auto"): (
        "trailing text",
        [("a", "{}")],
    ),
    # Reasoning is told apart, backticks in arguments stay, and a call that is required comes.
    ("r1", f"<think>\nx\n</think>ok{R1_CALLS}<｜end▁of▁sentence｜>", "auto"): (
        "ok",
        [ROME, ("python", "print(1)")],
    ),
    ("r1", R1_BACKTICKS, "auto"): (None, [("f", '{"a": "```"}')]),
    ("r1", "Hi", "required"): EMPTY,
}


def key(case: dict[str, Any]) -> tuple[str, str, str]:
    choice = case["tool_choice"]
    return case["version"], case["raw"], choice["named"] if isinstance(choice, dict) else choice


def reference(case: dict[str, Any]) -> Any:
    """The reference's message; its error text where it failed."""
    message = case["result"]
    if not isinstance(message, dict):
        return message
    functions = [call.get("function") or {} for call in message["tool_calls"] or ()]
    return message["content"], [(f.get("name"), f.get("arguments")) for f in functions]


def ours(case: dict[str, Any], cut: Any) -> Any:
    format, raw, choice = key(case)
    names = {"get_weather"}
    _, called = (None, []) if failed(case) else expected(case)
    names |= {name for name, _ in called if name != "python"}
    tools: list[Any] = [
        {"type": "function", "function": {"name": name, "parameters": OPEN}}
        for name in sorted(names)
    ]
    if "python" in raw:
        tools.append({"type": "code_interpreter"})
    named = {"type": "function", "function": {"name": choice}}
    asked = choice if choice in ("auto", "none", "required") else named
    # The reference takes all calls of a named function; here only who says so gets several.
    fields = {"tools": tools, "tool_choice": asked, "parallel_tool_calls": True}
    return replay(PROMPTERS[format], raw, cut, **fields).said


def expected(case: dict[str, Any]) -> Any:
    return DIFFERENT.get(key(case), reference(case))


def failed(case: dict[str, Any]) -> bool:
    """Whether the reference has no answer, and none that is right is known here."""
    return isinstance(reference(case), str) and key(case) not in DIFFERENT


every_cut = pytest.mark.parametrize("cut", [1, "char", "all"])
ANSWERED = [case for case in CASES if not failed(case)]
FAILED = [case for case in CASES if failed(case)]


@every_cut
@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: " | ".join(key(case)))
def test_raw_turns_give_the_stated_messages(case: dict[str, Any], cut: Any) -> None:
    assert ours(case, cut) == expected(case)


def test_every_difference_is_one() -> None:
    cases = {key(case): case for case in CASES}
    assert DIFFERENT.keys() <= cases.keys()
    for place, better in DIFFERENT.items():
        assert reference(cases[place]) != better


@every_cut
@pytest.mark.parametrize("case", FAILED, ids=lambda case: " | ".join(key(case)))
def test_what_the_reference_fails_on_has_an_answer(case: dict[str, Any], cut: Any) -> None:
    _, calls = ours(case, cut)
    ((name, arguments),) = calls
    assert name == "python" or isinstance(json.loads(arguments), dict)
