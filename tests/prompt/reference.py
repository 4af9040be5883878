"""What Functionary's reference makes of a request, read a second time: requests as clients send
them, and no templates.

Of requests that the reference fails on, only content in parts is rendered. What its own templates
(MeetKai/functionary) gave for 3,000 drawn requests in each format was this text.
"""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from functionary_sgl.chat.tools import Tool
from functionary_sgl.prompt import typescript
from tests.prompt.reference_request import Asked, Message, Request, called, dump, read, with_images
from tests.prompt.reference_texts import (
    AS_TOOL_CALL,
    CAPABLE,
    CAREFULLY,
    CURIOUS,
    JUPYTER,
    RECIPIENTS,
    SIGNATURES,
    TAGS,
)


def rendered(format: str, request: Request) -> str:
    """The prompt, up to where the assistant's turn begins."""
    asked = read(request)
    if format not in _READS_PARTS:
        plain = [{**message, "content": with_images(message, "")} for message in asked.messages]
        asked = asked._replace(messages=plain)
    return _FORMATS[format](asked)


def _typescript(functions: list[dict[str, Any]]) -> str:
    return typescript.namespace(
        tuple(Tool(f["name"], f["description"], json.dumps(f["parameters"])) for f in functions)
    )


def _v2(asked: Asked) -> str:
    def said(by: str, to: str, text: str) -> str:
        return f"<|from|>{by}\n<|recipient|>{to}\n<|content|>{text}"

    turns = [said("system", "all", _typescript(asked.functions))]
    turns.append(said("system", "all", JUPYTER if asked.code else CURIOUS))
    for message in asked.messages:
        role, text, calls = message["role"], message["content"], called(message)
        if role != "assistant":
            turns.append(said(message["name"] if role == "tool" else role, "all", text))
        elif text or calls:
            turns += [said(role, "all", text)] if text else []
            turns += [said(role, name, arguments) for name, arguments in calls]
            turns[-1] += "<|stop|>"
    return "\n".join([*turns, "<|from|>assistant\n<|recipient|>"])


def _headed(role: str, body: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{body}"


def _v2_llama3(asked: Asked) -> str:
    turns = [_typescript(asked.functions), JUPYTER if asked.code else CURIOUS]
    prompt = "".join(_headed("system", text + "<|eot_id|>") for text in turns)
    for message in asked.messages:
        role, text = message["role"], message["content"] or ""
        if role == "tool":
            text = f"name={message['name']}\n{text}"
        for name, arguments in called(message):
            text += f"<|reserved_special_token_249|>{name}\n{arguments}"
        if text or role != "assistant":
            prompt += _headed(role, text + "<|eot_id|>")
    return prompt + _headed("assistant", "")


def _v3_llama3(asked: Asked) -> str:
    prompt = _headed("system", RECIPIENTS + _typescript(asked.functions) + "<|eot_id|>")
    if asked.code:
        prompt += _headed("system", JUPYTER + "<|eot_id|>")
    for message in asked.messages:
        role, text = message["role"], with_images(message, "<|reserved_special_token_250|>")
        if role == "assistant":
            said = [("all", text)] if text else []
            text = "".join(f">>>{to}\n{what}" for to, what in [*said, *called(message)])
        if text or role != "assistant":
            prompt += _headed(role, text + "<|eot_id|>")
    return prompt + _headed("assistant", ">>>")


def _listed(asked: Asked) -> str:
    uses = (
        f"Use the function '{f['name']}' to '{f['description']}'\n{dump(f)}\n\n"
        for f in asked.functions
    )
    return "You have access to the following functions:\n\n" + "".join(uses) + "\n" + CAREFULLY


def _tagged(message: Message) -> str:
    calls = (
        f"<|python_tag|>{arguments}"
        if name == "python"
        else f"<function={name}>{arguments}</function>"
        for name, arguments in called(message)
    )
    return (message["content"] or "") + "".join(calls)


def _v3_llama31(asked: Asked, mode: str = "") -> str:
    system = mode + ("Environment: ipython\n" if asked.code else "")
    system += "\nCutting Knowledge Date: December 2023\n\n"
    if asked.functions:
        system += f"\n{_listed(asked)}{TAGS}\n"
    prompt = _headed("system", system + "<|eot_id|>")
    for message in asked.messages:
        text, end = _tagged(message), "<|eom_id|>" if called(message) else "<|eot_id|>"
        if text or message["role"] != "assistant":
            role = "ipython" if message["role"] == "tool" else message["role"]
            prompt += _headed(role, text + end)
    return prompt + _headed("assistant", "")


def _reasoning(asked: Asked) -> str:
    return _v3_llama31(asked, "Reasoning Mode: On\n\n")


def _r1_system(asked: Asked, instructions: str) -> str:
    system = "<｜System｜>\n" if asked.functions or asked.code else ""
    system += "Environment: ipython\n\n" if asked.code else ""
    return system + (f"\n{_listed(asked)}{instructions}\n" if asked.functions else "")


def _r1_distilled_llama(asked: Asked) -> str:
    prompt = _r1_system(asked, TAGS)
    for message in asked.messages:
        match message["role"]:
            case "system":
                prompt += f"<｜System｜>{message['content']}\n"
            case "user":
                prompt += f"<｜User｜>{message['content']}"
            case "tool":
                prompt += f"ipython\n\n{message['content']}"
            case _:
                text = _tagged(message)
                end = "<|eom_id|>" if called(message) else "<｜end▁of▁sentence｜>" * bool(text)
                prompt += f"<｜Assistant｜>{text}{end}"
    return prompt + "<｜Assistant｜>"


def _r1(asked: Asked) -> str:
    prompt, awaited, begun = _r1_system(asked, ""), False, False
    for message in asked.messages:
        role, text = message["role"], message["content"] or ""
        if role == "system":
            prompt += f"<｜System｜>{text}\n"
        elif role == "user":
            prompt, awaited = prompt + f"<｜User｜>{text}", False
        elif role == "tool":
            prompt += "" if begun else "<｜tool▁outputs▁begin｜>"
            prompt, begun = prompt + f"<｜tool▁output▁begin｜>{text}<｜tool▁output▁end｜>", True
        else:
            prompt += "<｜tool▁outputs▁end｜>" if awaited else ""
            calls = "".join(_fenced(*call) for call in called(message))
            awaited, begun = bool(calls), begun and not calls
            text += f"<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>" if calls else ""
            prompt += f"<｜Assistant｜>{text}" + "<｜end▁of▁sentence｜>" * bool(text)
    if asked.messages[-1]["role"] == "tool":
        prompt += "<｜tool▁outputs▁end｜>"
    return prompt if awaited else prompt + "<｜Assistant｜>\n"


def _fenced(name: str, arguments: str) -> str:
    language = "python" if name == "python" else "json"
    return (
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```{language}\n{arguments}\n```"
        "<｜tool▁call▁end｜>"
    )


def _signatures(asked: Asked) -> str:
    tools = (dump({"type": "function", "function": function}) + "\n" for function in asked.all)
    return SIGNATURES + "".join(tools) + AS_TOOL_CALL


def _tool_call_lines(message: Message) -> list[str]:
    """The text and each call of an assistant's message."""
    lines = [message["content"]] if message["content"] else []
    for name, arguments in called(message):
        given = dump({"code": arguments}) if name == "python" else arguments
        lines.append(f'<tool_call>\n{{"name": "{name}", "arguments": {given}}}\n</tool_call>')
    return lines


def _responses(messages: list[Message]) -> Iterator[Message]:
    """The messages, each run of tool results as one."""
    for is_result, group in groupby(messages, lambda message: bool(message["role"] == "tool")):
        if is_result:
            results = (f"<tool_response>\n{m['content']}\n</tool_response>" for m in group)
            yield {"role": "tool", "content": "\n".join(results)}
        else:
            yield from group


def _qwen(asked: Asked) -> str:
    system = _system(asked)
    return _chatml(asked, "You are a helpful assistant." if system is None else system)


def _cogito(asked: Asked) -> str:
    system = _system(asked)
    switch = "Enable deep thinking subroutine" + "." * bool(asked.all or system is None)
    return _chatml(asked, switch if system is None else f"{switch}\n\n{system}")


def _system(asked: Asked) -> str | None:
    first = asked.messages[0]
    return first["content"] if first["role"] == "system" else None


def _chatml(asked: Asked, system: str) -> str:
    def turn(role: str, text: str) -> str:
        return f"<|im_start|>{role}\n{text}<|im_end|>\n"

    prompt = turn("system", f"{system}\n\n{_signatures(asked)}" if asked.all else system)
    begun = asked.messages if _system(asked) is None else asked.messages[1:]
    for message in _responses(begun):
        if message["role"] == "assistant":
            prompt += turn("assistant", "\n".join(_tool_call_lines(message)))
        elif message["role"] == "tool":
            prompt += turn("user", message["content"])
        elif message["content"] or message["role"] == "system":
            image = "<|vision_start|><|image_pad|><|vision_end|>"
            prompt += turn(message["role"], with_images(message, image))
    return prompt + "<|im_start|>assistant\n"


def _gemma3(asked: Asked) -> str:
    def turn(role: str, text: str) -> str:
        return f"<start_of_turn>{role}\n{text}<end_of_turn>\n"

    prompt, first = "", asked.messages[0]
    if asked.all:
        prompt = turn("system", f"{CAPABLE}\n\n{_signatures(asked)}")
    elif first["role"] == "system":
        prompt = turn("system", first["content"])
    for message in _responses(asked.messages):
        if message["role"] == "assistant":
            lines = ["<start_of_turn>model", *_tool_call_lines(message)]
            prompt += "\n".join(lines) + "<end_of_turn>\n"
        else:
            prompt += turn(message["role"], message["content"])
    return prompt + "<start_of_turn>model\n"


def _r1_distilled_qwen(asked: Asked) -> str:
    prompt = f"<｜System｜>\n\n{_signatures(asked)}\n" if asked.all else ""
    for message in _responses(asked.messages):
        text = message["content"]
        match message["role"]:
            case "system":
                prompt += f"\n        <｜System｜>{text}\n"
            case "user":
                prompt += f"<｜User｜>{text}"
            case "tool":
                prompt += f"<｜User｜>\n{text}"
            case _:
                calls = "\n".join(_tool_call_lines({**message, "content": ""}))
                prompt += f"<｜Assistant｜>{text or ''}{calls}<｜end▁of▁sentence｜>"
    return prompt + "<｜Assistant｜>"


_FORMATS: dict[str, Callable[[Asked], str]] = {
    "v2": _v2,
    "v2.llama3": _v2_llama3,
    "v3.llama3": _v3_llama3,
    "v3.llava_llama": _v3_llama3,
    "v3-llama3.1": _v3_llama31,
    "v3-llama3.1-reasoning": _reasoning,
    "r1": _r1,
    "r1_distilled_llama": _r1_distilled_llama,
    "r1_distilled_qwen": _r1_distilled_qwen,
    "qwen2.5-text-only": _qwen,
    "cogito": _cogito,
    "gemma3": _gemma3,
}

_READS_PARTS = {"v3.llava_llama", "qwen2.5-text-only", "cogito"}
