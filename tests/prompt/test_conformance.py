"""Whole prompts, byte for byte those of the reference."""

import json
from typing import Any

import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import RequestError
from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS
from tests.paths import DATA

CASES = {
    (case["version"], case["case"]): case
    for case in json.loads((DATA / "prompts.json").read_text())["cases"]
}
VERSIONS = sorted({version for version, _ in CASES})

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

# The reference raises an error (in some formats); here there is a sensible prompt, or a 400.
RENDERED = {
    "user content as parts": "What is this?",
    "assistant call with id but no result": "now",
    "tool result without name": "10:00",
    "legacy functions auto": "Current time",
    "legacy function_call named": "now",
    "user, 2 tools, named now (other tool removed)": "now",
    LEGACY_HISTORY: "10:00",
}
REFUSED = {
    "named unknown function": "tool_choice",
    "user content parts with image": "messages[0].content[1]",
}


def fails(case: tuple[str, str]) -> bool:
    prompt: str = CASES[case]["prompt"]
    return prompt.startswith("EXC")


FAILED = [case for case in CASES if fails(case)]
SAME = [case for case in CASES if not fails(case) and case[1] not in {*TOOLS_STAY, LEGACY_HISTORY}]
FORCED = [case for case in CASES if not fails(case) and case[1] in TOOLS_STAY]


def prompt(format: str, request: dict[str, Any]) -> str:
    parsed = ChatRequest.from_json(json.dumps(request))
    return PROMPTERS[format].opened(intake.conversation(parsed))


@pytest.mark.parametrize("case", SAME, ids=" | ".join)
def test_prompts_are_those_of_the_reference(case: tuple[str, str]) -> None:
    assert prompt(case[0], CASES[case]["request"]) == CASES[case]["prompt"]


def test_nothing_is_left_out() -> None:
    assert {case for _, case in FAILED} == {*RENDERED, *REFUSED}
    assert {version for version, _ in CASES} <= FORMATS.keys()
    legacy = {(version, LEGACY_HISTORY) for version in VERSIONS}
    assert {*SAME, *FORCED, *FAILED} | legacy == set(CASES)


@pytest.mark.parametrize(("format", "case"), FORCED)
def test_the_choice_changes_nothing_but_the_end(format: str, case: str) -> None:
    request: dict[str, Any] = dict(CASES[format, case]["request"])
    free = dict(request)
    free.pop("tool_choice", None)
    free.pop("function_call", None)
    reference = CASES[format, case]["prompt"]
    end = prompt(format, request).removeprefix(prompt(format, free))
    assert prompt(format, request) == prompt(format, free) + end
    # The reference cuts some ends inside a JSON key, and leaves `": ` to the model.
    begun = next(begun for cut in range(4) if reference.endswith(begun := end[: len(end) - cut]))
    # What the reference's prompt ends with where the choice is free, it has before that end.
    unforced = CASES[format, "user, 1 tool, auto"]["prompt"]
    assert reference.endswith(unforced[-12:] + begun)


@pytest.mark.parametrize("format", VERSIONS)
def test_legacy_history_is_rendered_as_calls_and_results(format: str) -> None:
    modern = CASES[format, "tool result without name"]["request"]
    assert prompt(format, CASES[format, LEGACY_HISTORY]["request"]) == prompt(format, modern)


@pytest.mark.parametrize("case", FAILED, ids=" | ".join)
def test_what_the_reference_fails_on_has_a_prompt_or_is_refused(case: tuple[str, str]) -> None:
    format, name = case
    if name in RENDERED:
        assert RENDERED[name] in prompt(format, CASES[case]["request"])
    else:
        with pytest.raises(RequestError) as caught:
            prompt(format, CASES[case]["request"])
        assert caught.value.param == REFUSED[name]
