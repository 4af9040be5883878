"""Images reach a model that sees them."""

import base64
import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import openai
import pytest
from PIL import Image

from functionary_sgl.engines.images import MOST_IMAGES
from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine


def picture(color: str, size: tuple[int, int] = (40, 30)) -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return shown("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())


def shown(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def ask(engine: RunningEngine, *parts: Any, **more: Any) -> Any:
    content = [{"type": "text", "text": "What is this?"}, *parts]
    request = {"temperature": 0, "max_tokens": 12} | more
    return engine.client.chat.completions.create(
        model="llava", messages=[{"role": "user", "content": content}], **request
    )


def logprobs(answer: Any) -> list[float]:
    return [round(token.logprob, 4) for token in answer.choices[0].logprobs.content]


def test_it_is_found_to_be_a_llava(seeing: RunningEngine) -> None:
    assert "v3.llava_llama" in seeing.banner[1]


def test_the_model_sees_which_picture_it_is(seeing: RunningEngine) -> None:
    # All from the prefix cache: without it half precision rounds otherwise.
    for parts in (asked := ([], [picture("red")], [picture("blue")])):
        ask(seeing, *parts)
    blind, red, blue, again = (
        logprobs(ask(seeing, *parts, logprobs=True, top_logprobs=0)) for parts in (*asked, asked[1])
    )
    assert red == again
    assert len({tuple(answer) for answer in (blind, red, blue)}) == 3


def test_an_image_counts_with_all_its_tokens_and_is_cached(seeing: RunningEngine) -> None:
    usages = [ask(seeing, *parts).usage for parts in ([], [picture("green")], [picture("green")])]
    blind, first, again = usages
    assert first.prompt_tokens > blind.prompt_tokens + 4
    assert again.prompt_tokens == first.prompt_tokens
    assert again.prompt_tokens_details.cached_tokens > blind.prompt_tokens


def test_streamed_and_whole_answers_are_equal(seeing: RunningEngine) -> None:
    pictures = picture("red"), picture("white", (90, 20))
    whole = ask(seeing, *pictures).choices[0].message.content
    chunks = list(ask(seeing, *pictures, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole


def test_a_call_can_be_about_an_image(seeing: RunningEngine) -> None:
    answer = ask(seeing, picture("red"), tools=[WEATHER], tool_choice="required", max_tokens=80)
    (call,) = answer.choices[0].message.tool_calls[:1]
    assert call.function.name == "get_current_weather"


@pytest.fixture
def pictures() -> Iterator[str]:
    """The URL of a server that has a red picture at /red, and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/red"
            self.send_response(200 if found else 404)
            self.end_headers()
            if found:
                content = picture("red")["image_url"]["url"].partition(",")[2]
                self.wfile.write(base64.b64decode(content))

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_picture_is_fetched_from_an_allowed_host(seeing: RunningEngine, pictures: str) -> None:
    ask(seeing, picture("red"))  # both from the prefix cache
    given, found = (
        logprobs(ask(seeing, part, logprobs=True, top_logprobs=0))
        for part in (picture("red"), shown(f"{pictures}/red"))
    )
    assert found == given
    with pytest.raises(openai.BadRequestError, match="status 404") as raised:
        ask(seeing, shown(f"{pictures}/blue"))
    assert raised.value.param == "messages[0].content[1]"
    assert raised.value.code == "invalid_image_url"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/etc/passwd.png",
        "http://localhost/picture.png",
        "http://[",
        "data:text/plain;base64,aGk=",
        "data:image/png;base64,aGk=",
        "data:image/png;base64,?",
        picture("red", (8000, 8000))["image_url"]["url"],
    ],
)
def test_what_is_no_image_to_show_is_refused(seeing: RunningEngine, url: str) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        ask(seeing, shown(url))
    assert raised.value.param == "messages[0].content[1]"


def test_too_many_images_are_refused(seeing: RunningEngine) -> None:
    with pytest.raises(openai.BadRequestError, match="too many"):
        ask(seeing, *[picture("red")] * (MOST_IMAGES + 1))
