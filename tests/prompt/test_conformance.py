"""Whole prompts, byte for byte those of the reference."""

import json
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.api import intake, parse
from functionary_sgl.errors import RequestError
from functionary_sgl.prompt.prompter import Prompter

FORMAT = "v3.llama3"
CASES = {
    case["case"]: case
    for case in json.loads((Path(__file__).parent.parent / "data" / "prompts.json").read_text())[
        "cases"
    ]
    if case["version"] == FORMAT
}

# The reference leaves tools out of the prompt where the choice excludes them. Here the rendered
# tools do not depend on the choice, so that the prefix cache holds; the choice is the program's.
TOOLS_STAY = [
    "user, 1 tool, none (tools removed)",
    "user, 2 tools, named now (other tool removed)",
    "legacy function_call named",
]

# The reference drops the assistant's `function_call` and shows the result as a turn of a role
# that no model was trained on. A conversation through the old API must go on from the very
# prompt and turn before it, so both are rendered as the call and result that they are.
LEGACY_HISTORY = "legacy role=function history"

# The reference raises an error; here there is a sensible prompt, or a 400 that says why.
RENDERED = {
    "user content as parts": "What is this?",
    "assistant call with id but no result": ">>>now\n{}<|eot_id|>",
}
REFUSED = {
    "named unknown function": "tool_choice",
    "user content parts with image": "messages[0].content[1]",
}

DIFFERENT = {*TOOLS_STAY, LEGACY_HISTORY, *RENDERED, *REFUSED}


def prompt(prompter: Prompter, case: str) -> str:
    request = parse.chat_request(json.dumps(CASES[case]["request"]))
    return prompter.opened(intake.conversation(request))


@pytest.mark.parametrize("case", sorted(CASES.keys() - DIFFERENT))
def test_prompts_are_those_of_the_reference(prompter: Prompter, case: str) -> None:
    assert prompt(prompter, case) == CASES[case]["prompt"]


@pytest.mark.parametrize("case", TOOLS_STAY)
def test_the_choice_changes_nothing_but_the_end(prompter: Prompter, case: str) -> None:
    request: dict[str, Any] = dict(CASES[case]["request"])
    request.pop("tool_choice", None)
    request.pop("function_call", None)
    free = prompter.opened(intake.conversation(parse.chat_request(json.dumps(request))))
    reference = CASES[case]["prompt"]
    assert prompt(prompter, case) == free + reference[reference.rindex(">>>") + len(">>>") :]


def test_legacy_history_is_rendered_as_calls_and_results(prompter: Prompter) -> None:
    modern = dict(CASES["tool result without name"]["request"])
    assert prompt(prompter, LEGACY_HISTORY) == CASES["tool result without name"]["prompt"]
    assert modern["messages"][2]["content"] == "10:00"


@pytest.mark.parametrize("case", RENDERED)
def test_what_the_reference_fails_on_has_a_prompt(prompter: Prompter, case: str) -> None:
    assert CASES[case]["prompt"].startswith("EXC")
    assert RENDERED[case] in prompt(prompter, case)


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_prompt_is_refused(prompter: Prompter, case: str) -> None:
    assert CASES[case]["prompt"].startswith("EXC")
    with pytest.raises(RequestError) as caught:
        prompt(prompter, case)
    assert caught.value.param == REFUSED[case]
