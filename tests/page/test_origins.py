"""Pages of other origins: what a real browser lets them do here."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.page.conftest import Open
from tests.serving import Served

HEADERS = {
    "Authorization": "Bearer secret",
    "x-api-key": "secret",
    "x-request-id": "mine",
    "Idempotency-Key": "stainless-node-retry-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "a=b",
    "baggage": "a=b",
    "X-Stainless-Lang": "js",
    "X-Stainless-Package-Version": "6.0.0",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Runtime": "browser:chrome",
    "X-Stainless-Runtime-Version": "147",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Timeout": "600",
    "X-Stainless-Helper-Method": "stream",
    "OpenAI-Organization": "org",
    "OpenAI-Project": "project",
    "OpenAI-Beta": "assistants=v2",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "tools-2024-04-04",
    "anthropic-dangerous-direct-browser-access": "true",
    "x-anything-else": "1",
}
"""What OpenAI's and Anthropic's clients send, and what stands between them and a server."""

ASK = """async ([url, headers, stream, credentials]) => {
  const body = {messages: [{role: "user", content: "Hi"}], stream};
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST", body: JSON.stringify(body), credentials,
      headers: {"Content-Type": "application/json", ...headers},
    });
    const shown = Object.fromEntries(answer.headers);
    return {status: answer.status, text: await answer.text(), headers: shown};
  } catch (error) { return String(error); }
}"""


def elsewhere(visit: Open, served: Served, *complaints: str) -> tuple[Page, str]:
    """A page of the origin `http://localhost:PORT`, and that origin; the server is 127.0.0.1."""
    page = visit(f"{served.url}/health".replace("127.0.0.1", "localhost"), complaints=complaints)
    return page, page.evaluate("location.origin")


def ask(page: Page, served: Served, headers: Any, stream: bool = False, with_: str = "omit") -> Any:
    return page.evaluate(ASK, [served.url, headers, stream, with_])


def origin_of(served: Served) -> str:
    return "/".join(served.url.replace("127.0.0.1", "localhost").split("/")[:3])


def test_a_page_of_another_origin_may_not_ask(serve: Callable[..., Served], visit: Open) -> None:
    served = serve({"turn": "all\nHello"})
    page, _ = elsewhere(visit, served, "CORS policy", "ERR_FAILED")
    assert ask(page, served, {}) == "TypeError: Failed to fetch"
    assert ask(page, served, HEADERS) == "TypeError: Failed to fetch"


@pytest.mark.parametrize("origins", ["its own", "*"])
@pytest.mark.parametrize("stream", [False, True])
def test_one_that_is_allowed_may_with_all_that_clients_send(
    serve: Callable[..., Served], visit: Open, origins: str, stream: bool
) -> None:
    served = allowing(serve, origins)
    page, _ = elsewhere(visit, served)
    answer = ask(page, served, HEADERS, stream)
    assert answer["status"] == 200
    assert "Hello" in answer["text"]
    assert answer["headers"]["x-request-id"] == "mine"


def test_and_reads_errors(serve: Callable[..., Served], visit: Open) -> None:
    served = allowing(serve, "its own")
    page, _ = elsewhere(visit, served, "401", "400")
    assert ask(page, served, {})["status"] == 401
    refused = ask(page, served, {"x-api-key": "secret", "Content-Encoding": "gzip"})
    assert refused["status"] == 400
    assert "error" in refused["text"]


@pytest.mark.parametrize("origins", ["its own", "*"])
def test_but_never_with_credentials(
    serve: Callable[..., Served], visit: Open, origins: str
) -> None:
    served = allowing(serve, origins)
    page, _ = elsewhere(visit, served, "CORS policy", "ERR_FAILED")
    assert ask(page, served, HEADERS, with_="include") == "TypeError: Failed to fetch"


def allowing(serve: Callable[..., Served], origins: str) -> Served:
    """A server with a key that allows any origin, or that of a page at `localhost`."""
    from tests.serving import listener

    own = listener()._url.replace("127.0.0.1", "localhost")
    allowed = [own] if origins == "its own" else ["*"]
    return serve({"turn": "all\nHello"}, api_keys=["secret"], origins=allowed)
