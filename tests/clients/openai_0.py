"""Runs the scenarios with openai-python 0.x, whose API was functions of the module.

It has no helper for streams: its users add the chunks up themselves, as is done here.

    python openai_0.py BASE_URL < scenarios.json      prints {"version": ..., "outcomes": ...}
"""

import json
import sys

import openai

openai.api_base, openai.api_key = sys.argv[1], "none"


def create(**request):
    return openai.ChatCompletion.create(model="m", **request)


def streamed(**request):
    """The choice that the chunks add up to."""
    message, finish_reason = {"content": "", "tool_calls": []}, None
    for chunk in create(**request, stream=True):
        delta, finish_reason = chunk.choices[0].delta, chunk.choices[0].finish_reason
        message["content"] += delta.get("content") or ""
        for part in delta.get("tool_calls", []):
            if part.index == len(message["tool_calls"]):
                message["tool_calls"].append({"function": {"name": "", "arguments": ""}})
            function = message["tool_calls"][part.index]["function"]
            for key in ("name", "arguments"):
                function[key] += part.function.get(key) or ""
    return {"message": message, "finish_reason": finish_reason}


def run(scenario, tools):
    request = {"messages": [{"role": "user", "content": f"[{scenario['name']}]"}]}
    request.update(scenario.get("fields", {}))
    if "tools" in scenario:
        request["tools"] = [tools[name] for name in scenario["tools"]]
    if "functions" in scenario:
        request["functions"] = [tools[name]["function"] for name in scenario["functions"]]
    if scenario.get("stream"):
        return outcome(streamed(**request))
    choice = create(**request).choices[0]
    if "results" in scenario:
        calls = choice.message.tool_calls
        request["messages"] += [choice.message.to_dict_recursive()]
        request["messages"] += [
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(calls, scenario["results"], strict=True)
        ]
        choice = create(**request).choices[0]
    return outcome(choice)


def outcome(choice):
    message = choice["message"]
    told = {
        "content": message["content"],
        "calls": [pair(call["function"]) for call in message.get("tool_calls", [])],
        "finish_reason": choice["finish_reason"],
    }
    if "function_call" in message:
        told["function_call"] = pair(message["function_call"])
    return told


def pair(function):
    return [function["name"], function["arguments"]]


data = json.load(sys.stdin)
outcomes = [[s["name"], run(s, data["tools"])] for s in data["scenarios"]]
print(json.dumps({"version": openai.version.VERSION, "outcomes": outcomes}))
