"""What a streamed token costs the process that serves, layer by layer.

    python -m benchmarks.layers [--answer arguments] [--tools N] [--tokens N] [--rounds N]

The same answer of a scripted engine, a token at a time, is read behind one layer after the other,
each with all that is below it: the differences are what the layers cost. Microseconds of processor
time for a token, least of all rounds; who reads the socket is another process.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
import uvloop

from functionary_sgl.api.app import create_app
from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.chunks import ChoiceChunks, Head
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.events import event as sent_event
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.cli.connection import Connection
from functionary_sgl.engines.base import Request
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.model import Model
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime import interpreter

PATH = "/v1/chat/completions"
WORDS = " ".join(f"word{number}" for number in range(20_000))


class Answer:
    """A model that gives one answer, and the request for it."""

    def __init__(self, kind: str, tools: int, tokens: int) -> None:
        files = checkpoint.load(str(checkpoint.EMBEDDED))
        prompter = Prompter(detect.detect(files).format, files.tokenizer, files.template)
        tokenizer = prompter.tokenizer
        text = tokenizer.decode(tokenizer.encode(WORDS)[:tokens])
        arguments = f'note_0\n{{"text": "{text}"}}'
        turn = arguments if kind == "arguments" else f"all\n{text}"
        script = Script.model_validate({"replies": [{"match": "", "turn": turn}]})
        self.engine = Noting(script, tokenizer, 2 * tokens + 100_000)
        self.model = Model(("m",), prompter, self.engine)
        self.body: dict[str, Any] = {
            "model": "m",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "tools": [_tool(number) for number in range(tools)],
        }

    async def prepared(self) -> tuple[Any, CheckedTurn]:
        """The conversation, and the turn that answers it."""
        asked = ChatRequest.from_json(json.dumps(self.body))
        conversation = intake.conversation(asked)
        sampling = intake.sampling(asked, {})
        return conversation, await self.model.prepare(conversation, sampling, None)


class Noting(ScriptedEngine):
    """Notes what it was last asked to generate."""

    asked: Request

    async def generate(self, request: Request) -> Any:
        self.asked = request
        async for chunk in super().generate(request):
            yield chunk


def _tool(number: int) -> dict[str, Any]:
    properties = {"text": {"type": "string"}}
    parameters = {"type": "object", "properties": properties, "required": ["text"]}
    return {"type": "function", "function": {"name": f"note_{number}", "parameters": parameters}}


async def of_engine(answer: Answer) -> None:
    request = answer.engine.asked
    turn = request.turn
    object.__setattr__(turn, "turn_id", str(time.time_ns()))  # the same script, from its beginning
    async for _ in ScriptedEngine.generate(answer.engine, request):
        pass


async def of_runtime(answer: Answer) -> None:
    _, turn = await answer.prepared()
    async for _ in interpreter.run(turn, answer.engine, answer.model.prompter.tokenizer):
        pass


async def of_model(answer: Answer) -> None:
    async for _ in answer.model.run(*await answer.prepared()):
        pass


async def of_chunks(answer: Answer) -> None:
    conversation, turn = await answer.prepared()
    chunks, head = ChoiceChunks(0, conversation.choice, legacy=False), Head("id", 0, "m")
    async for happened in answer.model.run(conversation, turn):
        for entry in chunks.entries(happened):
            sent_event(head.chunk([entry]))


async def of_application(answer: Answer) -> None:
    body = json.dumps(answer.body).encode()
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await create_app(answer.model)(scope, receive, send)


async def of_connection(answer: Answer) -> None:
    async with _serving(answer.model) as port:
        _READER[0].send((port, json.dumps(answer.body).encode()))
        await asyncio.to_thread(_READER[0].recv)


LAYERS: dict[str, Callable[[Answer], Awaitable[None]]] = {
    "engine (scripted)": of_engine,
    "program's runtime": of_runtime,
    "turn": of_model,
    "chunks as JSON": of_chunks,
    "application": of_application,
    "connection": of_connection,
}
_READER: list[Any] = []


@asynccontextmanager
async def _serving(model: Model) -> Any:
    config = uvicorn.Config(
        create_app(model), port=0, log_level="error", lifespan="off", http=Connection, ws="none"
    )
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await task


def reader(asked: Any) -> None:
    while True:
        read(*asked.recv())
        asked.send(None)


def read(port: int, body: bytes) -> None:
    """Send a request, and read to the end of its answer."""
    with socket.create_connection(("127.0.0.1", port)) as one:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        one.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        end = b""
        while not end.endswith(b"0\r\n\r\n"):
            end = (end + one.recv(65_536))[-100:]
        assert b"[DONE]" in end


def seconds(layer: Callable[[Answer], Awaitable[None]], answer: Answer) -> float:
    """Of this process's processor time."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        begin = time.process_time()
        runner.run(layer(answer))  # type: ignore[arg-type]
        return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answer", choices=("text", "arguments"), default="text")
    parser.add_argument("--tools", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(target=reader, args=(there,), daemon=True).start()
    _READER.append(here)
    tools = max(options.tools, int(options.answer == "arguments"))
    answer = Answer(options.answer, tools, options.tokens)
    for layer in (of_runtime, *LAYERS.values()):  # what is done once
        seconds(layer, answer)
    taken: dict[str, list[float]] = {name: [] for name in LAYERS}
    for _ in range(options.rounds):
        for name, layer in LAYERS.items():
            taken[name].append(seconds(layer, answer))
    sums = {name: 1e6 * min(all) / options.tokens for name, all in taken.items()}
    parts = {n: v - b for (n, v), b in zip(sums.items(), [0.0, *sums.values()], strict=False)}
    if options.json:
        print(json.dumps(parts | {"all": list(sums.values())[-1]}))
        return
    print(f"{options.answer}, {tools} tools, an answer of {options.tokens} tokens")
    for name, part in parts.items():
        print(f"  {name:22}{part:7.1f} us")
    print(f"  {'all':22}{list(sums.values())[-1]:7.1f} us")


if __name__ == "__main__":
    main()
