"""The page as a browser gets it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Open, answers, say
from tests.serving import Served

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_from_its_server_alone_under_its_policy(
    serve: Callable[..., Served], playground: Open, scheme: str
) -> None:
    served = serve({"turn": "all\nHello"})
    page = playground(served, color_scheme=scheme)
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert {f"{served.url}/page/main.js", f"{served.url}/page/style.css"} <= set(asked)
    assert all(url.startswith(served.url) for url in asked)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 22, 26)") == (scheme == "dark")


def test_no_text_becomes_markup(serve: Callable[..., Served], playground: Open) -> None:
    markup = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    page = playground(serve({"turn": f"all\n{markup}"}))
    say(page, markup)
    expect(page.locator(".assistant .text").last).to_have_text(markup)
    expect(answers(page)).to_have_count(1)
    page.get_by_text("The turn as its program sees it").last.click()
    expect(page.locator(".prompt")).to_contain_text(markup)
    assert page.locator("#messages :is(img, script)").count() == 0
    assert page.title() == "functionary-sgl"


def test_what_would_break_the_policy_is_stopped(
    serve: Callable[..., Served], playground: Open
) -> None:
    complaints = ("Refused", "TrustedHTML", "Content Security Policy")
    page = playground(serve({"turn": "all\nHello"}), complaints=complaints)
    found = page.evaluate(
        """async () => {
          const tried = async (act) => {
            try { await act(); return "done"; } catch { return "no"; }
          };
          return [
            await tried(() => { document.body.innerHTML = "<b>x</b>"; }),
            await tried(() => fetch("https://example.com/")),
          ];
        }"""
    )
    assert found == ["no", "no"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER, "text/html"),
        ("text/html", "text/html"),
        ("text/html;q=0.5, application/json;q=0.4", "text/html"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/html, application/json", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("text/html;q=none", "application/json"),
    ],
)
def test_who_does_not_want_a_page_has_the_answer_in_json(
    serve: Callable[..., Served], accept: str, kind: str
) -> None:
    served = serve({"turn": "all\nHello"})
    answer = served.http.get("/", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["vary"] == "Accept"
    if kind == "application/json":
        assert answer.json()["server"] == "functionary-sgl"


def test_its_files_are_kept_by_browsers_until_they_change(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    first = served.http.get("/page/main.js").raise_for_status()
    again = served.http.get("/page/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "default-src 'none'" in again.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["", "nothing.js", "../errors.py", "%2e%2e/errors.py", "a/b.js"])
def test_there_are_no_other_files(serve: Callable[..., Served], name: str) -> None:
    assert serve({"turn": "all\nHello"}).http.get(f"/page/{name}").status_code == 404


def test_with_keys_it_asks_for_one(serve: Callable[..., Served], visit: Open) -> None:
    served = serve({"turn": "all\nHello"}, api_keys=["secret"])
    page = visit(f"{served.url}/", complaints=("401",))
    expect(page.get_by_role("status")).to_contain_text("No valid API key")
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#model option")).to_have_count(0)
    page.get_by_label("Key").fill("secret")
    page.keyboard.press("Enter")
    expect(page.locator("#model option")).to_have_count(1)
    say(page, "Hi")
    expect(page.locator(".assistant .text").last).to_have_text("Hello")
    page.reload()
    expect(page.locator("#model option")).to_have_count(1)


def test_without_keys_it_asks_for_none(serve: Callable[..., Served], playground: Open) -> None:
    page = playground(serve({"turn": "all\nHello"}))
    expect(page.get_by_label("Key")).to_be_hidden()
