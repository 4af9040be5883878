"""For tests of all formats: their prompters, and turns as a model of each would write them."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import httpx

from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS, Format
from tests.calls import Call, as_json, as_text, each, in_python, told
from tests.conftest import TINY
from tests.paths import DATA
from tests.serving import scripted_model, serving
from tests.writers import glm_45, glm_47, gpt_oss, ling_3, minimax

T = TypeVar("T")

CHAT_TEMPLATES = DATA / "chat_templates"
JSON_FORMATS = [name for name, format in FORMATS.items() if format.parameters is None]
"""Those whose calls are JSON, which may be broken."""

IN_A_LIST = {"mistral", "xlam-2", "xlam-2-qwen"}
"""Those whose calls are members of a list in JSON."""

CALLS_OR_TEXT = {"llama3-json", "pythonic", "xlam-2", "xlam-2-qwen"}
"""Those whose turns are one of both."""

SPECIAL_TOKENS = {"bos_token": "<|begin_of_text|>", "eos_token": "</s>"}

# Models that have no tokens for their marks; all others of these tests do.
_MARKS_ARE_TEXT = ("gemma3", "v3-llama3.1-reasoning")

OPENED = {"glm-4.7": "<think>", "ling-3": "\n<think>"}
"""What the prompt has begun turns with, which they go on from."""

_MISTRALS_ID = ', "id": "abcDEF123"'

_TOKENIZER = checkpoint.load(str(TINY)).tokenizer


def own_template(format: Format) -> OwnTemplate | None:
    """The chat template of a model that has brought its own."""
    if format.template_text is not None:
        return None
    text = (CHAT_TEMPLATES / f"{format.name}.jinja").read_text(encoding="utf-8")
    return OwnTemplate(text, SPECIAL_TOKENS)


def _prompter(format: Format) -> Prompter:
    marks = () if format.name in _MARKS_ARE_TEXT else format.marks
    tokenizer = _TOKENIZER.with_control(format.control_tokens).with_control(marks, special=False)
    return Prompter(format, tokenizer, own_template(format))


class PerFormat(dict[str, T]):
    """Something for each format, by name, made when it is first asked for."""

    def __init__(self, make: Callable[[str], T]) -> None:
        self._make = make

    def __missing__(self, name: str) -> T:
        self[name] = self._make(name)
        return self[name]


PROMPTERS = PerFormat(lambda name: _prompter(FORMATS[name]))


@contextlib.contextmanager
def clients(
    replies: Callable[[str], Iterable[dict[str, Any]]],
) -> Iterator[PerFormat[httpx.Client]]:
    """For each format a client of a server that replays the replies which `replies` gives it."""
    with contextlib.ExitStack() as stack:

        def start(format: str) -> httpx.Client:
            model = scripted_model(PROMPTERS[format], *replies(format))
            return stack.enter_context(serving(model)).http

        yield PerFormat(start)


def written(
    format: str, content: str | None, calls: list[Call], reasoning: str = "", called: int = 0
) -> str:
    """The raw turn, from the end of the prompt on, without the control token that ends it; `called`
    calls came before it in the conversation."""
    before = ""
    if reasoning:
        tags = ("<thinking>", "</thinking>")
        before = f"<think>\n{reasoning}\n</think>\n\n"
        if format == "v3-llama3.1-reasoning":
            before = reasoning.join(tags)
        elif format == "seed-oss":
            before = f"<seed:think>{reasoning}</seed:think>\n"
        elif format == "gpt-oss":
            before = f"<|channel|>analysis<|message|>{reasoning}<|end|><|start|>assistant"
        elif format == "mistral-v13":
            before = f"[THINK]{reasoning}[/THINK]"
    if format in _GLMS:
        before = ("" if format in OPENED else "\n<think>") + f"{reasoning}</think>"
    if format == "kimi-k2":  # whose turns begin so, though there is none
        return f"<think>{reasoning}</think>" + _kimi_k2(content or "", calls, called)
    return before + _WRITERS[format](content or "", calls)


def ended(
    format: str, content: str | None, calls: list[Call], reasoning: str = "", called: int = 0
) -> str:
    """As `written`, with the token that ends it where that is another for calls."""
    ends = FORMATS[format].stop_tokens
    end = ends[not calls] if ends[0] == "<|observation|>" else ""
    if format == "gpt-oss":
        end = ends[bool(calls)]
    return written(format, content, calls, reasoning, called) + end


def lasting(format: str, ids: list[int]) -> list[int]:
    """The ids of a turn, without the last, which no engine has read, if the history has another."""
    otherwise = FORMATS[format].ends_in_history and ids[-1] in PROMPTERS[format].stop_token_ids
    return ids[:-1] if otherwise else ids


def _v1(content: str, calls: list[Call]) -> str:
    turn = f"\n{content}" if content else ""
    return turn + "".join(f"\n<|START_OF_FUNCTION_CALL|>{name}:\n{args}" for name, args in calls)


def _v2(content: str, calls: list[Call]) -> str:
    parts = [f"all\n<|content|>{content}"] if content else []
    parts += [f"{name}\n<|content|>{payload}" for name, payload in calls]
    return "\n<|from|>assistant\n<|recipient|>".join(parts)


def _v2_llama3(content: str, calls: list[Call]) -> str:
    marked = (f"<|reserved_special_token_249|>{name}\n{payload}" for name, payload in calls)
    return content + "".join(marked)


def _v3_llama3(content: str, calls: list[Call]) -> str:
    parts = [f"all\n{content}"] if content else []
    return ">>>".join([*parts, *(f"{name}\n{payload}" for name, payload in calls)])


def _v3_llama31(content: str, calls: list[Call]) -> str:
    marked = (
        f"<|python_tag|>{payload}" if name == "python" else f"<function={name}>{payload}</function>"
        for name, payload in calls
    )
    return content + "".join(marked)


def _pythonic(content: str, calls: list[Call]) -> str:
    return content + (f"[{', '.join(map(in_python, calls))}]" if calls else "")


def _lfm2(content: str, calls: list[Call]) -> str:
    listed = f"<|tool_call_start|>[{', '.join(map(in_python, calls))}]<|tool_call_end|>"
    return content + listed * bool(calls)


def _olmo3(content: str, calls: list[Call]) -> str:
    lines = "\n".join(map(in_python, calls))
    return content + f"<function_calls>{lines}</function_calls>" * bool(calls)


def _tool_call(content: str, calls: list[Call]) -> str:
    parts = [
        f'<tool_call>\n{{"name": "{call[0]}", "arguments": {as_json(call)}}}\n</tool_call>'
        for call in calls
    ]
    return "\n".join([content, *parts] if content else parts)


def _xml_call(content: str, calls: list[Call]) -> str:
    parts = [
        f"<tool_call>\n<function={name}>\n{parameters(as_json((name, payload)))}"
        "</function>\n</tool_call>"
        for name, payload in calls
    ]
    return "\n".join([content + "\n" * bool(parts), *parts] if content else parts)


def _seed_oss(content: str, calls: list[Call]) -> str:
    parts = [
        f"<seed:tool_call>\n<function={name}>\n{_inline(as_json((name, payload)))}"
        "</function>\n</seed:tool_call>"
        for name, payload in calls
    ]
    return "\n".join([content + "\n" * bool(parts), *parts] if content else parts)


def _inline(arguments: str) -> str:
    return each(arguments, lambda key, value: f"<parameter={key}>{as_text(value)}</parameter>\n")


def parameters(arguments: str) -> str:
    """The arguments as parameters; as they are where they are no object."""
    return each(
        arguments, lambda key, value: f"<parameter={key}>\n{as_text(value)}\n</parameter>\n"
    )


def _r1_distilled_qwen(content: str, calls: list[Call]) -> str:
    return content + _tool_call("", calls)


def _r1(content: str, calls: list[Call]) -> str:
    parts = (
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n"
        f"```{'python' if name == 'python' else 'json'}\n{payload}\n```<｜tool▁call▁end｜>"
        for name, payload in calls
    )
    listed = f"<｜tool▁calls▁begin｜>{''.join(parts)}<｜tool▁calls▁end｜>" if calls else ""
    return content + listed


def _kimi_k2(content: str, calls: list[Call], called: int = 0) -> str:
    parts = (
        f"<|tool_call_begin|>functions.{call[0]}:{place}<|tool_call_argument_begin|>{as_json(call)}"
        "<|tool_call_end|>"
        for place, call in enumerate(calls, called)
    )
    section = f"<|tool_calls_section_begin|>{''.join(parts)}<|tool_calls_section_end|>"
    return content + section * bool(calls)


def _llama3_json(content: str, calls: list[Call]) -> str:
    called = (f'{{"name": "{call[0]}", "parameters": {as_json(call)}}}' for call in calls)
    return content + "".join(called)


def _xlam(content: str, calls: list[Call]) -> str:
    called = (f'{{"name": "{call[0]}", "arguments": {as_json(call)}}}' for call in calls)
    return content + (f"[{', '.join(called)}]" if calls else "")


def _mistral(content: str, calls: list[Call]) -> str:
    """Every other call has an id, as some models write one."""
    called = ", ".join(
        f'{{"name": "{call[0]}", "arguments": {as_json(call)}{_MISTRALS_ID * (place % 2)}}}'
        for place, call in enumerate(calls)
    )
    return content + (f"[TOOL_CALLS] [{called}]" if calls else "")


def _mistral_v11(content: str, calls: list[Call]) -> str:
    called = (f"[TOOL_CALLS]{call[0]}[CALL_ID]abcDEF123[ARGS]{as_json(call)}" for call in calls)
    return content + "".join(called)


def _mistral_v13(content: str, calls: list[Call]) -> str:
    return content + "".join(f"[TOOL_CALLS]{call[0]}[ARGS]{as_json(call)}" for call in calls)


_WRITERS = {
    "v1": _v1,
    "v2": _v2,
    "v2.llama3": _v2_llama3,
    "v3.llama3": _v3_llama3,
    "v3.llava_llama": _v3_llama3,
    "v3-llama3.1": _v3_llama31,
    "v3-llama3.1-reasoning": _v3_llama31,
    "r1_distilled_llama": _v3_llama31,
    "hermes": _tool_call,
    "granite": _tool_call,
    "qwen3-coder": _xml_call,
    "seed-oss": _seed_oss,
    "minimax-m2": minimax,
    "glm-4.5": glm_45,
    "glm-4.7": glm_47,
    "ling-3": ling_3,
    "gpt-oss": gpt_oss,
    "qwen2.5-text-only": _tool_call,
    "cogito": _tool_call,
    "gemma3": _tool_call,
    "r1_distilled_qwen": _r1_distilled_qwen,
    "r1": _r1,
    "kimi-k2": _kimi_k2,
    "pythonic": _pythonic,
    "llama4-pythonic": _pythonic,
    "lfm2": _lfm2,
    "olmo3": _olmo3,
    "xlam-2": _xlam,
    "xlam-2-qwen": _xlam,
    "llama3-json": _llama3_json,
    "mistral": _mistral,
    "mistral-v11": _mistral_v11,
    "mistral-v13": _mistral_v13,
}


_GLMS = {"glm-4.5", "glm-4.7", "ling-3"}


def possible(format: str, content: str | None, calls: list[Call]) -> tuple[str | None, list[Call]]:
    """What of a turn one of this format can have."""
    kind = FORMATS[format]
    if not kind.code:
        calls = [call for call in calls if call[0] != "python"]
    if not kind.many_calls:
        calls = calls[:1]
    if kind.parameters is not None:
        places = kind.parameters
        calls = [(name, p if name == "python" else told(p, places)) for name, p in calls]
    if format in CALLS_OR_TEXT and calls:
        content = None  # a call is all there is
    if _WRITERS[format] is _v3_llama31:  # code goes to the turn's end
        code = [call for call in calls if call[0] == "python"]
        calls = [call for call in calls if call[0] != "python"] + code[:1]
    return content, calls
