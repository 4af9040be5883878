"""All of it, without a pointer."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.page.conftest import Open, answers
from tests.serving import Served


def tab_to(page: Page, matching: str, key: str = "Tab") -> None:
    """Press `key` until the focus is on what matches this."""
    for _ in range(40):
        page.keyboard.press(key)
        if page.evaluate(f"document.activeElement.matches({matching!r})"):
            return
    raise AssertionError(f"Tab does not come to {matching}")


def test_a_call_is_made_answered_looked_at_and_copied(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(
        serve(
            {"match": "22", "turn": "all\nWarm."},
            {"match": "weather", "turn": 'get_current_weather\n{"location": "Rome"}'},
        )
    )
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type("The weather?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("please")
    page.keyboard.press("Enter")
    expect(page.locator(".user")).to_have_text("The weather?\nplease", use_inner_text=True)
    expect(page.get_by_label("Result of get_current_weather")).to_be_focused()
    page.keyboard.type("22")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Warm.", exact=True)).to_be_visible()
    expect(answers(page)).to_have_count(2)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()

    tab_to(page, ".foot button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied.")
    tab_to(page, ".program summary")
    page.keyboard.press("Enter")
    tab_to(page, ".token")
    details = page.locator(".details").first
    first = details.text_content()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert details.text_content() == first
    tab_to(page, ".token.by-model")
    page.keyboard.press("ArrowRight")
    expect(details).to_contain_text("location")
    expect(details).to_contain_text("forced by the grammar")


def test_the_editor_is_no_trap_and_escape_stops_a_turn(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": "all\nOne moment", "fault": "stall", "after": 3}))
    tab_to(page, "#tools textarea", "Shift+Tab")
    tab_to(page, "#tool_choice")
    tab_to(page, "#say")
    page.keyboard.type("Hi")
    page.keyboard.press("Enter")
    expect(page.locator(".assistant .text").last).to_contain_text("One")
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("Stopped.")


def test_all_that_can_be_used_has_a_name(serve: Callable[..., Served], playground: Open) -> None:
    page = playground(serve({"turn": 'get_current_weather\n{"location": "Rome"}'}))
    page.keyboard.type("Hi")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_count(1)
    page.get_by_text("The turn as its program sees it").last.click()
    for field in page.locator(":is(input, select, textarea, button):visible").all():
        named = field.evaluate(
            "(one) => one.ariaLabel ?? one.labels?.[0]?.textContent.trim() ?? one.textContent"
        )
        assert named or field.inner_text(), field.evaluate("(one) => one.outerHTML")
