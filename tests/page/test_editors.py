"""Mistakes in what is typed, shown where they are."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import WEATHER
from tests.page.conftest import Open, answers, say
from tests.serving import Served


def weather(**parameters: Any) -> str:
    function = WEATHER["function"] | {"parameters": parameters}
    return json.dumps([WEATHER | {"function": function}], indent=2)


SEEN = ("mark", "textarea")


def told(page: Page, field: str) -> tuple[str, str]:
    """What is marked in the editor `field`, and the line that is written below it."""
    editor = page.locator(f"#{field}")
    return editor.locator("mark").inner_text(), editor.locator(".notes li").inner_text()


@pytest.mark.parametrize(
    ("tools", "marked", "line"),
    [
        (weather(type="object", properties={"at": {"type": "strin"}}), '"strin"', "type of JSON"),
        (weather(type="object", properties={"a/b": {"type": 3}}), "3", "type"),
        ('[{"type": "function"}]', '{"type": "function"}', "Missing required parameter"),
        (json.dumps([WEATHER, WEATHER]), '"get_current_weather"', "given twice"),
        ('{"type": "function"}', '{"type": "function"}', "valid array"),
    ],
)
def test_the_servers_errors_of_tools_are_shown_at_their_place(
    serve: Callable[..., Served], playground: Open, tools: str, marked: str, line: str
) -> None:
    page = playground(serve({"turn": "all\nHello"}), complaints=("400",))
    page.get_by_label("Tools").fill(tools)
    say(page, "Hi")
    expect(page.get_by_label("Tools")).to_have_attribute("aria-invalid", "true")
    found, told_below = told(page, "tools")
    assert found == marked
    assert line in told_below
    error = page.get_by_role("alert")
    assert told_below.endswith(error.inner_text())
    (of_mark, of_editor) = (page.locator(f"#tools {part}").bounding_box() for part in SEEN)
    assert of_editor["y"] <= of_mark["y"] < of_editor["y"] + of_editor["height"]
    page.locator("#tools .notes button").click()
    selected = page.get_by_label("Tools").evaluate(
        "(field) => field.value.slice(field.selectionStart, field.selectionEnd)"
    )
    assert selected == marked
    page.get_by_label("Tools").fill(json.dumps([WEATHER]))
    expect(page.locator("#tools mark")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".assistant .text").last).to_have_text("Hello")


def test_what_is_not_enforced_is_shown_at_its_place(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": "all\nHello"}))
    schema = {"type": "object", "properties": {"é": {"type": "string", "pattern": "(?=a)"}}}
    page.get_by_label("Tools").fill(weather(**schema))
    say(page, "Hi")
    expect(answers(page)).to_have_count(1)
    assert told(page, "tools") == ('"(?=a)"', "Line 12 This keyword is not enforced.")


@pytest.mark.parametrize(
    ("text", "marked", "line"),
    [
        ('[{"type": }]', "}", "Line 1 Here should be a value in JSON"),
        ('[\n{"a": 1,}\n]', "}", "Line 2 Here should be a name in quotation marks"),
        ("[1] x", "x", "Line 1 Here should be nothing more"),
        ("[1", " ", "Line 1 Here should be ]"),
        ('["a\nb"]', '"', "Line 1 Here should be a value in JSON"),
    ],
)
def test_what_is_no_json_is_marked_as_it_is_typed_and_not_sent(
    serve: Callable[..., Served], playground: Open, text: str, marked: str, line: str
) -> None:
    page = playground(serve({"turn": "all\nHello"}))
    page.get_by_label("Tools").fill(text)
    found, told_below = page.locator("#tools mark").text_content(), told(page, "tools")[1]
    assert (found, told_below) == (marked, line)
    say(page, "Hi")
    expect(page.get_by_label("Tools")).to_be_focused()
    expect(page.locator(".message")).to_have_count(0)
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hi")


def test_errors_of_other_fields_are_shown_at_theirs(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": "all\nHello"}), complaints=("400",))
    page.get_by_label("Temperature").fill("9")
    say(page, "Hi")
    expect(page.get_by_label("Temperature")).to_have_attribute("aria-invalid", "true")
    assert "temperature" in page.locator("#settings .told").inner_text()
    page.get_by_label("Temperature").fill("1")
    expect(page.locator("#settings .told")).to_have_count(0)
    page.get_by_label("More fields").fill('{"user": "me", "stop": 3}')
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#more mark")).to_have_text("3")
    page.get_by_label("More fields").fill("[1]")
    assert told(page, "more")[1] == "Line 1 Here should be an object"
