from collections.abc import Callable

from jsonschema import Draft202012Validator

from tests.conftest import WEATHER
from tests.serving import Served


def test_the_schema_describes_the_requests_that_are_taken(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    schema = served.http.get("/openapi.json").json()
    operation = schema["paths"]["/v1/chat/completions"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, **reference})
    request = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "tools": [WEATHER, {"type": "code_interpreter"}],
        "stop": ["a"],
    }
    validator.validate(request)
    assert not validator.is_valid({**request, "messages": 3})
    assert not validator.is_valid({**request, "model": "another"})
