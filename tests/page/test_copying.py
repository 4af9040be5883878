"""What is copied is run as it stands, and asks for the same."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Open, answers, say
from tests.serving import Served

SAID = 'It\'s "quoted", $HOME, `date`, \\n, 漢 and 😀\nin two lines; true, null'
TOOLS = r"""[
  {"type": "function", "function": {"name": "note", "strict": false,
    "description": "a\/b \ud83d\ude00 true",
    "parameters": {"type": "object", "properties": {
      "text": {"type": ["string", "null"], "default": null},
      "much": {"type": "integer", "maximum": 9007199254740993}}}}}
]"""
TURN = 'all\nSo: 漢>>>note\n{"text": "it\'s 😀"}'
KEY = "secret"


@pytest.fixture(params=[False, True], ids=["without a key", "with a key"])
def asked(
    request: pytest.FixtureRequest, serve: Callable[..., Served], visit: Open
) -> tuple[Served, Page]:
    """A server, and its page with an answer."""
    served = serve({"turn": TURN}, api_keys=[KEY] if request.param else [])
    page = visit(f"{served.url}/", complaints=("401",))
    if request.param:
        page.get_by_label("Key").fill(KEY)
        page.keyboard.press("Enter")
    page.locator("#model option").first.wait_for(state="attached")
    page.get_by_label("Tools").fill(TOOLS)
    page.get_by_label("More fields").fill('{"guided_regex": null, "top_k": 3, "user": "me"}')
    say(page, SAID)
    expect(answers(page)).to_have_count(1)
    return served, page


def copied(page: Page, name: str) -> str:
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    assert KEY not in text
    return text


def shown(page: Page) -> dict[str, Any]:
    card = page.get_by_role("article")
    return {
        "content": page.locator(".assistant > .text").text_content(),
        "name": card.get_by_role("heading").text_content(),
        "arguments": card.locator(".arguments").text_content(),
    }


def said(message: dict[str, Any]) -> dict[str, Any]:
    (call,) = message["tool_calls"]
    return {"content": message["content"], **call["function"]}


def run(*command: str) -> str:
    environment = os.environ | {"OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_of_curl_gives_the_same_answer(asked: tuple[Served, Page]) -> None:
    _, page = asked
    told = json.loads(run("sh", "-c", copied(page, "Copy as curl").replace("curl ", "curl -s ", 1)))
    (choice,) = told["choices"]
    assert said(choice["message"]) == shown(page)
    # Nothing of what is for the page's own eyes.
    assert choice.keys() == {"index", "message", "logprobs", "finish_reason"}
    assert choice["logprobs"] is None


def test_the_script_in_python_gives_the_same_answer(asked: tuple[Served, Page]) -> None:
    _, page = asked
    told = json.loads(run(sys.executable, "-c", copied(page, "Copy as Python")))
    assert said(told) == shown(page)


def test_numbers_are_those_that_were_typed(asked: tuple[Served, Page]) -> None:
    _, page = asked
    for name in ("Copy as curl", "Copy as Python"):
        assert '"maximum": 9007199254740993' in copied(page, name)


def test_where_there_is_no_clipboard_the_text_is_shown(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": "all\nHello"}))
    say(page, "Hi")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="Copy as curl").click()
    dialog = page.get_by_role("dialog", name="Code")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    assert page.evaluate("getSelection().toString()").startswith("curl ")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
