"""Attacks with an outcome of their own: each says what came, and whether that is as it should."""

import json
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil

from benchmarks.attack.target import LASTING, Target
from functionary_sgl.prompt import checkpoint
from tests.conftest import WEATHER
from tests.extremes import extreme

Outcome = tuple[str, bool]
"""What came, and whether it is within the limit."""

KEY = "secret-of-the-benchmark"
SANDBOX_SECONDS = 1.0


def extremes(target: Target, count: int = 200) -> Outcome:
    """Sampling fields at their bounds, in any combination."""
    dice = random.Random(1)
    asked = [target.chat("Rome?", **{"max_tokens": 8, **extreme(dice)}) for _ in range(count)]
    for body in asked:
        body["tools"] = [WEATHER]

    def ask(body: dict[str, Any]) -> int:
        return target.post(body).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(ask, asked))
    return f"{codes.count(200)} of {count} answered", codes.count(200) == count


def apart(target: Target) -> Outcome:
    """Control tokens that one client has written beside visible text, in another's prompt."""
    tokenizer = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
    (letter,) = tokenizer.encode("a")
    more = 0
    for control in tokenizer.control_ids.values():
        bias = {str(letter): 100, str(control): 100}
        asked = target.chat("Hi", logit_bias=bias, temperature=2, max_tokens=10)
        said = target.post(asked).json()["choices"][0]["message"]["content"]
        history = target.chat("Hi", max_tokens=1)
        history["messages"] += [{"role": "assistant", "content": said}]
        history["messages"] += [{"role": "user", "content": "Why?"}]
        with_memory = target.post(history).json()["usage"]["prompt_tokens"]
        without = target.post(history | {"cache_salt": "x"}).json()["usage"]["prompt_tokens"]
        more += abs(with_memory - without)
    return f"{more} tokens more", more == 0


def full_prompts(target: Target) -> Outcome:
    """Prompts of as many tokens as the context has, and somewhat fewer or more."""
    card = httpx.get(f"{target.url}/v1/models").json()["data"][0]["max_model_len"]
    probe = target.post(target.chat("a", max_tokens=1)).json()["usage"]["prompt_tokens"]
    told: set[str] = set()
    for length in range(card - 2, card + 8):
        answer = target.post(target.chat("a" + " a" * (length - probe), max_tokens=1))
        told.add("answered" if answer.status_code == 200 else answer.json()["error"]["code"])
    return ", ".join(sorted(map(str, told))), told <= {"answered", "context_length_exceeded"}


def pages(target: Target) -> Outcome:
    """What a page of a stranger can have a browser send."""
    asked = target.chat("Hi")
    sent: list[tuple[dict[str, str], int]] = [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": f"localhost:{target.port}"}, 200),
    ]
    wrong = [h for h, code in sent if target.post(asked, headers=h).status_code != code]
    return f"{len(sent) - len(wrong)} of {len(sent)} as they should be", not wrong


def sockets(target: Target) -> Outcome:
    """What of it listens beyond the loopback interface."""
    listening = [
        connection.laddr
        for process in target.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    outside = [address for address in listening if address.ip not in ("127.0.0.1", "::1")]
    return f"{len(outside)} of {len(listening)} sockets", not outside


def stopped_sandbox(target: Target) -> Outcome:
    """A new schema while the sandbox stands still."""
    found = [p for p in target.processes() if any("worker.py" in word for word in p.cmdline())]
    for process in found:
        process.send_signal(signal.SIGSTOP)
    parameters = {"type": "object", "properties": {f"p{time.time_ns()}": {"type": "string"}}}
    function = {"name": "f", "parameters": parameters}
    asked = target.chat("Hi", tools=[{"type": "function", "function": function}], max_tokens=1)
    begin = time.perf_counter()
    code = target.post(asked).status_code
    took = time.perf_counter() - begin
    return f"{code} after {took:.2f} s", bool(found) and code == 200 and took < SANDBOX_SECONDS


def secrets(target: Target) -> Outcome:
    """Where the key can be seen of a server that has one from its environment and logs all."""
    target.post(target.chat("Hi"), headers={"authorization": f"Bearer {KEY}"})
    seen = [
        place
        for process in target.processes()
        for place in ("cmdline", "environ")
        if _has_key(process.pid, place) and (place, process.pid) != ("environ", target.process.pid)
    ]
    seen += ["log"] * (KEY in target.log)
    return f"seen in {len(seen)} places", not seen


def _has_key(pid: int, place: str) -> bool:
    try:
        with open(f"/proc/{pid}/{place}", "rb") as file:
            return KEY.encode() in file.read()
    except (FileNotFoundError, PermissionError):
        return False


def end(target: Target) -> Outcome:
    """SIGTERM while two answers outlast the drain."""
    told: list[str] = []
    begun = threading.Event()

    def stream() -> None:
        body = target.chat("endless", stream=True, **LASTING)
        url = f"{target.url}/v1/chat/completions"
        with httpx.stream("POST", url, json=body, timeout=60) as answer:
            lines = []
            for line in answer.iter_lines():
                begun.set()
                lines.append(line)
        last = [line for line in lines if line][-1]
        told.append("an error event" if "error" in json.loads(last[6:]) else last)

    def whole() -> None:
        told.append(str(target.post(target.chat("endless", **LASTING)).status_code))

    threads = [threading.Thread(target=work) for work in (stream, whole)]
    for thread in threads:
        thread.start()
    begun.wait(20)
    time.sleep(0.3)
    code = target.stop()
    for thread in threads:
        thread.join(20)
    lines = [line for line in target.log.splitlines() if "answers cut short" in line]
    clean = "Traceback" not in target.log and len(lines) == 1
    right = code == 0 and clean and sorted(told) == ["503", "an error event"]
    return f"{', '.join(sorted(told))}, exit {code}", right


def quiet(target: Target) -> Outcome:
    """What all of this left in the log."""
    count = target.log.count("Traceback")
    return f"{count} tracebacks", count == 0
