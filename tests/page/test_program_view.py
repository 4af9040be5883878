"""The turn as its program sees it: what the server told, nothing else."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.page.conftest import Open, answers, say
from tests.serving import Served

CALL = 'all\nLet me look: 漢.>>>get_current_weather\n{"location": "Rome"}'


def opened(page: Page) -> None:
    expect(answers(page)).to_have_count(1)
    page.get_by_text("The turn as its program sees it").last.click()


def sections(page: Page) -> list[tuple[str, list[str]]]:
    """The headings over the tokens of the answer, each with these."""
    found: list[tuple[str, list[str]]] = []
    for section in page.locator(".program section:has(.tokens)").all():
        tokens = section.locator(".token").all_text_contents()
        found.append((section.locator("h4").inner_text(), tokens))
    return found


def test_it_shows_the_prompt_and_who_wrote_what(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": CALL}))
    with page.expect_response("**/chat/completions") as answered:
        say(page, "<|eot_id|> is what ends it")
    opened(page)
    body: Any = answered.value.request.post_data_json
    assert body["return_turn"] is True

    control = page.locator(".prompt .control").all_text_contents()
    assert control[0] == "<|begin_of_text|>"
    assert set(control) == {
        *("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    }
    # What a user writes is no control token, however it is spelled.
    text = page.locator(".prompt").text_content() or ""
    assert "<|eot_id|> is what ends it<|eot_id|>" in text
    assert control.count("<|eot_id|>") == text.count("<|eot_id|>") - 1
    assert text.endswith(">>>")

    labels = [label for label, _ in sections(page)]
    assert labels == [
        "Chosen among 2",
        "Written by the program",
        "content for all, by the model",
        "arguments for get_current_weather, by the model",
        "Chosen among 2",
    ]
    written = "".join(token for _, tokens in sections(page) for token in tokens)
    assert written.replace("␣", " ").endswith('get_current_weather⏎{"location": "Rome"}<|eot_id|>')
    forced = page.locator(".tokens .forced").all_text_contents()
    assert "".join(forced).replace("␣", " ") == '{"location": "'


def test_a_token_says_how_likely_it_was(serve: Callable[..., Served], playground: Open) -> None:
    page = playground(serve({"turn": CALL}))
    say(page, "Hi")
    opened(page)
    details = page.locator(".details")
    page.locator(".token", has_text="Rome").hover()
    expect(details).to_contain_text("drawn by the model · log-probability 0.000")
    page.locator(".tokens .by-choice").first.hover()
    expect(details).to_contain_text("chosen")
    expect(details.locator("li")).to_have_text(["all 0.000", "get -1000.000"])


def test_log_probabilities_that_were_not_asked_for_are_not_shown(
    serve: Callable[..., Served], playground: Open
) -> None:
    page = playground(serve({"turn": CALL}))
    page.get_by_label("Log-probabilities").uncheck()
    say(page, "Hi")
    opened(page)
    page.locator(".token", has_text="Rome").hover()
    expect(page.locator(".details")).to_contain_text("drawn by the model")
    expect(page.locator(".details")).not_to_contain_text("log-probability")


def test_it_can_be_left_out(serve: Callable[..., Served], playground: Open) -> None:
    page = playground(serve({"turn": CALL}))
    page.get_by_label("The turn as its program sees it").uncheck()
    with page.expect_request("**/chat/completions") as sent:
        say(page, "Hi")
    expect(answers(page)).to_have_count(1)
    assert "return_turn" not in sent.value.post_data_json
    expect(page.locator(".program")).to_have_count(0)
