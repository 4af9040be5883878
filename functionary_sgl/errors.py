"""Every error that this package raises on purpose.

    FunctionaryError
    ├── UsageError                  the command line or what it points at: exit code 2
    ├── RequestError                the request: HTTP 400, with OpenAI's error body
    │   ├── AuthenticationError     401
    │   ├── NotFound                404
    │   ├── Forbidden               403
    │   ├── MethodNotAllowed        405
    │   ├── BodyTooLarge            413
    │   ├── UnsupportedMediaType    415
    │   ├── ContextLengthExceeded   400
    │   ├── BrokenChain             400
    │   └── InvalidSchema           400
    └── EngineError                 the engine: HTTP 500
        ├── EngineDied              503; the server ends with exit code 1
        ├── EngineUnreachable       503; it is elsewhere, and may come back
        │   └── EngineLost          503; it was lost in the middle of an answer
        ├── ServerLoading           503; the model is being loaded
        ├── ServerStopping          503; it was told to end
        ├── NotReady                503; it would refuse a request now
        ├── DeadlineExceeded        504; the request's time was over before its answer was whole
        └── ServerBusy              429; the same request may be answered later
            └── KeyLimitReached     429; the same, to those with another key at once

Each message says what is wrong and what the reader can do about it.
"""


class FunctionaryError(Exception):
    """Base of all errors of this package."""


class UsageError(FunctionaryError):
    """A flag, a file or a model directory that cannot be used; one line, exit code 2."""


class RequestError(FunctionaryError):
    """A request that cannot be answered as it stands.

    `param` is the path of the offending field in the request (`messages[0].content`), or None;
    `code` a short machine-readable reason, or None (OpenAI's error object has both).
    """

    status = 400
    type = "invalid_request_error"
    default_code: str | None = None

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.default_code


class AuthenticationError(RequestError):
    """The API key is missing or wrong."""

    status = 401
    default_code = "invalid_api_key"


class NotFound(RequestError):
    """No such model or path."""

    status = 404


class Forbidden(RequestError):
    """A request that a web page had its browser send, or that came under another host's name, or
    that takes the admin key."""

    status = 403


class MethodNotAllowed(RequestError):
    """The path exists, the method does not."""

    status = 405


class BodyTooLarge(RequestError):
    """A body of more bytes, or of more values, than one request may have."""

    status = 413


class UnsupportedMediaType(RequestError):
    """A body that is not said to be JSON."""

    status = 415


class ContextLengthExceeded(RequestError):
    """Prompt and requested output do not fit the model's context."""

    default_code = "context_length_exceeded"


class BrokenChain(RequestError):
    """A response that another was to go on from, and that is not kept."""

    default_code = "previous_response_not_found"


class InvalidSchema(RequestError):
    """A JSON Schema that cannot be rendered or enforced."""

    default_code = "invalid_function_parameters"


class EngineError(FunctionaryError):
    """The engine failed on a request that was in order."""

    status = 500
    type = "server_error"
    code: str | None = None


class EngineDied(EngineError):
    """The engine is gone; every running turn ends with this."""

    status = 503


class EngineUnreachable(EngineError):
    """An engine on another machine is not there, was lost, or does not answer as engines do."""

    status = 503


class EngineLost(EngineUnreachable):
    """An engine on another machine was lost behind the beginning of an answer."""


class ServerStopping(EngineError):
    """The server was told to end: it takes no more, and this turn outlasted the time for that."""

    status = 503


class ServerLoading(EngineError):
    """The model is being loaded: there will be a server soon."""

    status = 503


class NotReady(EngineError):
    """The server would refuse a request if one came now."""

    status = 503


class DeadlineExceeded(EngineError):
    """The answer took longer than the server, or its client, allows."""

    status = 504
    code = "request_timeout"


class ServerBusy(EngineError):
    """There is no room for this request now; there may be in `retry_after` seconds."""

    status = 429

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class KeyLimitReached(ServerBusy):
    """A key has used up what it may; type and code are OpenAI's."""

    type = "requests"
    code = "rate_limit_exceeded"
