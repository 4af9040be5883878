"""Turns, calls and what comes of them, as a user sees them."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Open, answers, say
from tests.serving import Served

CALL = 'all\nLet me look.>>>get_current_weather\n{"location": "Istanbul"}'
TWO = 'get_current_weather\n{"location": "Rome"}>>>get_current_weather\n{"location": "Oslo"}'

WATCH = """() => {
  window.grown = [];
  new MutationObserver(() => {
    const sent = document.querySelector(".arguments");
    if (sent && sent.textContent !== window.grown.at(-1)) { window.grown.push(sent.textContent); }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_a_call_grows_is_answered_and_the_turn_goes_on(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(
        serve(
            {"match": "22 degrees", "turn": "all\nIt has 22 degrees there."},
            {"match": "weather", "turn": CALL, "chunk": "char", "delay": 0.005},
        )
    )
    page.evaluate(WATCH)
    say(page, "What is the weather?")
    card = page.get_by_role("article", name="Call of get_current_weather")
    expect(card.get_by_role("heading")).to_have_text("get_current_weather")
    expect(card.locator(".arguments")).to_have_text('{"location": "Istanbul"}')
    expect(page.get_by_text("Let me look.", exact=True)).to_be_visible()
    grown = page.evaluate("window.grown")
    assert len(grown) > 3
    assert all(later.startswith(former) for former, later in pairwise(grown))

    card.get_by_label("Result").fill('{"temperature": "22 degrees"}')
    page.get_by_role("button", name="Send results").click()
    expect(page.get_by_text("It has 22 degrees there.", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Send results")).to_have_count(0)
    expect(answers(page)).to_have_count(2)


def test_all_calls_of_an_answer_have_their_results(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(
        serve({"match": "weather", "turn": TWO}, {"match": "8", "turn": "all\nBoth."})
    )
    say(page, "What is the weather?")
    results = page.get_by_label("Result of get_current_weather")
    expect(results).to_have_count(2)
    expect(results.first).to_be_focused()
    page.keyboard.type("21")
    page.keyboard.press("Enter")
    expect(results.last).to_be_focused()
    with page.expect_request("**/chat/completions") as sent:
        page.keyboard.type("8")
        page.keyboard.press("Enter")
    *_, called, first, second = sent.value.post_data_json["messages"]
    assert [first["content"], second["content"]] == ["21", "8"]
    ids = [call["id"] for call in called["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]]
    expect(page.get_by_text("Both.", exact=True)).to_be_visible()


def test_what_is_set_is_sent(serve: Callable[..., Served], playground: Open) -> None:
    page = playground(serve({"turn": "all\nHello"}))
    page.get_by_label("System message").fill("Be brief.")
    page.get_by_label("Temperature").fill("0.25")
    page.get_by_label("Top P").fill("0.5")
    page.get_by_label("Max tokens").fill("50")
    page.get_by_label("Seed").fill("9007199254740993")
    page.get_by_label("One call at most").check()
    page.get_by_label("Tool choice").select_option("none")
    page.get_by_label("More fields").fill('{"stop": ["x"], "top_p": 0.75}')
    with page.expect_request("**/chat/completions") as sent:
        say(page, "Hi")
    body = sent.value.post_data_json
    expect(page.locator(".assistant .text").last).to_have_text("Hello")
    expected = {
        "temperature": 0.25,
        "top_p": 0.75,
        "max_tokens": 50,
        "parallel_tool_calls": False,
        "tool_choice": "none",
        "stop": ["x"],
        "stream": True,
    }
    assert expected.items() <= body.items()
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert '"seed": 9007199254740993,' in sent.value.post_data


def test_tools_may_be_chosen_by_name(serve: Callable[..., Served], playground: Open) -> None:
    page = playground(serve({"turn": '{"location": "Rome"}'}))
    page.get_by_label("Tool choice").select_option("get_current_weather")
    say(page, "Hi")
    expect(page.get_by_role("article", name="Call of get_current_weather")).to_be_visible()


def test_a_turn_can_be_stopped_and_leaves_nothing(
    serve: Callable[..., Served], playground: Open
) -> None:
    served = serve(
        {"match": "slow", "turn": "all\nOne moment", "fault": "stall", "after": 4},
        {"turn": "all\nHello"},
    )
    page = playground(served)
    say(page, "Be slow.")
    expect(page.locator(".assistant .text").last).to_contain_text("One")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("Stopped.")
    with page.expect_request("**/chat/completions") as sent:
        say(page, "Hi")
    assert [one["role"] for one in sent.value.post_data_json["messages"]] == ["user", "user"]
    expect(page.locator(".assistant .text").last).to_have_text("Hello")


def test_an_answer_that_breaks_off_is_told_and_can_be_tried_again(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(
        serve({"turn": "all\nI will tell you all of it now", "fault": "fail", "after": 3})
    )
    say(page, "Hi")
    expect(page.get_by_role("alert")).to_contain_text("failed")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(answers(page)).to_have_count(1)


def test_a_new_conversation_begins_without_the_old_one(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": "all\nHello"}))
    say(page, "First")
    expect(answers(page)).to_have_count(1)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".message")).to_have_count(0)
    with page.expect_request("**/chat/completions") as sent:
        say(page, "Second")
    assert [one["content"] for one in sent.value.post_data_json["messages"]] == ["Second"]
    expect(answers(page)).to_have_count(1)


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_screen(
    serve: Callable[..., Served], playground: Open, width: int
) -> None:
    page = playground(
        serve({"turn": "all\n" + "wide" * 400}), viewport={"width": width, "height": 700}
    )
    say(page, "long" * 400)
    expect(answers(page)).to_have_count(1)
    page.get_by_text("The turn as its program sees it").last.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert widest(page) <= width


def widest(page: Page) -> float:
    """How far to the right anything reaches that a user sees."""
    return page.evaluate(
        """Math.max(...[...document.querySelectorAll("body *")]
          .map((one) => one.getBoundingClientRect().right))"""
    )
