"""Compares the grammar engines that SGLang runs, on the same schemas.

    python -m benchmarks.grammars [--tokenizer tokenizer.json]

Prints tables in Markdown: what each engine does with each keyword, what a schema costs, what a
grammar of llguidance takes in memory, and what hostile schemas cost. `benchmarks.tokenizer` makes a
tokenizer of a realistic size; the default is that of the embedded model.
"""

import argparse
import ctypes
import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llguidance import LLMatcher, LLTokenizer
from tokenizers import Tokenizer

from benchmarks.engines import ENGINES, Engine
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.gate import Gate
from functionary_sgl.prompt.checkpoint import EMBEDDED, load
from tests import hostile
from tests.schemas.test_keywords import CASES, admitted, parameters

SECONDS = 10
"""Of processor time for one hostile schema."""

NESTED = {
    "type": "object",
    "properties": {
        "passengers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 80},
                    "born": {"type": "string", "format": "date"},
                    "seat": {"enum": ["aisle", "window", None]},
                },
                "required": ["name", "born"],
                "additionalProperties": False,
            },
        },
        "class": {"enum": ["economy", "business", "first"]},
        "price": {"type": "number", "minimum": 0, "maximum": 10000},
    },
    "required": ["passengers", "class"],
    "additionalProperties": False,
}
TYPICAL: dict[str, tuple[dict[str, Any], Any]] = {
    "one string": (
        {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
            "additionalProperties": False,
        },
        {"location": "San Francisco, CA"},
    ),
    "nested, with formats and bounds": (
        NESTED,
        {
            "passengers": [{"name": "Ada Lovelace", "born": "1815-12-10", "seat": "window"}],
            "class": "first",
            "price": 1234.5,
        },
    ),
    "40 optional properties": (
        {
            "type": "object",
            "properties": {f"option_{i}": {"type": ["string", "null"]} for i in range(40)},
            "additionalProperties": False,
        },
        {f"option_{i}": "a value" for i in range(0, 40, 5)},
    ),
    "enum of 1,000": (
        {
            "type": "object",
            "properties": {"city": {"enum": [f"City number {i}" for i in range(1000)]}},
            "required": ["city"],
            "additionalProperties": False,
        },
        {"city": "City number 871"},
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", default=str(EMBEDDED / "tokenizer.json"))
    file = parser.parse_args().tokenizer
    tokenizer = Tokenizer.from_file(file)
    engines = [engine(file) for engine in ENGINES]
    print(f"{os.cpu_count()} cores, {tokenizer.get_vocab_size()} tokens\n")
    keywords(engines, tokenizer)
    costs(engines, tokenizer)
    memory(file)
    attacks(engines)


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |")


def head(*cells: str) -> None:
    print()
    row(*cells)
    row(*["---"] * len(cells))


def keywords(engines: list[Engine], tokenizer: Tokenizer) -> None:
    own = load(str(EMBEDDED)).tokenizer
    gate = Gate(ScriptedEngine(Script(replies=[]), own))
    head("keyword", *(engine.name for engine in engines), "this server")
    for case in CASES:
        schema = parameters(case["schema"])
        unenforced = admitted(gate, case["schema"]).unenforced
        told = [_verdict(engine, schema, case, tokenizer) for engine in engines]
        row(case["keyword"], *told, "told" if unenforced else "enforced")


def _verdict(engine: Engine, schema: Any, case: dict[str, Any], tokenizer: Tokenizer) -> str:
    def accepts(value: Any) -> bool:
        text = json.dumps({"a": value}, ensure_ascii=False)
        matcher = engine.compile(schema)
        return all(matcher.take(i) for i in tokenizer.encode(text).ids) and matcher.ended()

    try:
        wrong = [value for value in case["invalid"] if accepts(value)]
        lost = [value for value in case["valid"] if not accepts(value)]
    except ValueError:
        return "refused"
    if wrong:
        return f"**not enforced**: takes `{json.dumps(wrong[0], ensure_ascii=False)}`"
    if lost:
        return f"too narrow: not `{json.dumps(lost[0], ensure_ascii=False)}`"
    return "enforced"


def costs(engines: list[Engine], tokenizer: Tokenizer) -> None:
    head("schema", "engine", "compile, ms", "mask, median us", "mask, worst us")
    for name, (schema, instance) in TYPICAL.items():
        ids = tokenizer.encode(json.dumps(instance)).ids
        for engine in engines:
            compiling, masks = [], []
            for _ in range(5):
                compiling.append(_seconds(lambda: engine.compile(schema)))  # noqa: B023
                matcher = engine.compile(schema)
                for token_id in ids:
                    masks.append(_seconds(matcher.mask))
                    if not matcher.take(token_id):
                        raise SystemExit(f"{engine.name} does not take {instance}")
            median, worst = statistics.median(masks) * 1e6, max(masks) * 1e6
            compile_ms = statistics.median(compiling) * 1e3
            row(name, engine.name, f"{compile_ms:.1f}", f"{median:.0f}", f"{worst:.0f}")


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


class _Allocated(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "mapped",
            "usmblks",
            "fsmblks",
            "used",
            "fordblks",
            "keep",
        ]
    ]


def allocated() -> int:
    """The bytes that are allocated from the C library, exactly."""
    library = ctypes.CDLL("libc.so.6")
    library.mallinfo2.restype = _Allocated
    told = library.mallinfo2()
    return int(told.used + told.mapped)


def memory(tokenizer_file: str) -> None:
    """What SGLang keeps of a schema: a compiled matcher that was copied before it was used."""
    tokenizer = LLTokenizer(Path(tokenizer_file).read_text("utf-8"))
    head("schema", "characters", "grammar, kB")
    values = [f"value number {i}" for i in range(20_000)]
    schemas = {name: schema for name, (schema, _) in TYPICAL.items()}
    schemas["enum of 20,000"] = {"type": "object", "properties": {"a": {"enum": values}}}
    for name, schema in schemas.items():
        text = json.dumps(schema)
        kept: list[LLMatcher] = []
        before = allocated()
        for _ in range(10):
            grammar = LLMatcher.grammar_from_json_schema(text)
            matcher = LLMatcher(tokenizer, grammar, log_level=0)
            kept.append(matcher.deep_copy())
            matcher.compute_bitmask()
        del grammar, matcher
        row(name, len(text), f"{(allocated() - before) / len(kept) / 1e3:.0f}")


def attacks(engines: list[Engine]) -> None:
    head("hostile schema", *(engine.name for engine in engines))
    for name, text in hostile.SCHEMAS.items():
        row(name, *(_apart(engine, text) for engine in engines))


def _apart(engine: Engine, text: str) -> str:
    """What happens in a process of its own, with SECONDS of processor time."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        os.write(writer, _attack(engine, text).encode())
        os._exit(0)
    os.close(writer)
    told = b""
    while part := os.read(reader, 4096):
        told += part
    os.close(reader)
    _, status, used = os.wait4(child, 0)
    if status == 0:
        return told.decode()
    seconds = used.ru_utime + used.ru_stime
    return f"**no end** in {SECONDS} s" if seconds >= SECONDS - 1 else "**crashes**"


def _attack(engine: Engine, text: str) -> str:
    begin = time.perf_counter()
    try:
        matcher = engine.compile(json.loads(text))
        matcher.mask()
        outcome = "ok"
    except (ValueError, RecursionError):
        outcome = "refused"
    return f"{outcome}, {(time.perf_counter() - begin) * 1e3:.0f} ms"


if __name__ == "__main__":
    main()
