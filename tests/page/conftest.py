"""One browser for all tests of a process, and a new profile for each of them."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from functionary_sgl.prompt.prompter import Prompter
from tests.formats import PROMPTERS
from tests.page import chromium

SECONDS = 20
"""How long a page may take for anything."""


@pytest.fixture
def prompter() -> Prompter:
    return PROMPTERS["v3.llama3"]


# Not of the session: while Playwright runs, no other test in its thread can have an event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    try:
        program, environment = chromium.installed()
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", None) or error
        pytest.fail(f"Chromium cannot be installed for this test:\n{why}", pytrace=False)
    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        # Its own walls want a kernel that lets anybody have namespaces, and no root.
        browser = playwright.chromium.launch(
            executable_path=program, env=environment, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Call it with a URL to have its page, in a profile of its own. Nothing of another server is
    reached, and whatever a page complains of fails the test, unless it is among `complaints`."""
    contexts, told = [], []

    def visit(url: str, complaints: tuple[str, ...] = (), **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(1000 * SECONDS)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.route(lambda asked: not _is_of(url, asked), lambda route: route.abort())
        page = context.new_page()

        def note(text: str) -> None:
            if not any(expected in text for expected in complaints):
                told.append(text)

        page.on("console", lambda message: note(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: note(str(error)))
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not told


def _is_of(url: str, asked: str) -> bool:
    """Whether `asked` is of the server of `url`, by any of the names that it has here."""
    return urlsplit(asked).port == urlsplit(url).port


@pytest.fixture
def playground(visit: Open) -> Open:
    """Call it with a server to have its page when it is ready."""

    def playground(served: Any, **options: Any) -> Page:
        page = visit(f"{served.url}/", **options)
        page.locator("#model option").first.wait_for(state="attached")
        return page

    return playground


def say(page: Page, text: str) -> None:
    """As a user does."""
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def answers(page: Page) -> Any:
    """Those that have come to their end."""
    return page.locator(".assistant:not([aria-busy])")
