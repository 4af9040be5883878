"""Runs the scenarios with openai-python 1.x and later.

python openai_1.py BASE_URL < scenarios.json      prints {"version": ..., "outcomes": ...}
"""

import json
import sys

import openai

completions = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0).chat.completions


def run(scenario, tools):
    request = {"model": "m", "messages": [{"role": "user", "content": f"[{scenario['name']}]"}]}
    request.update(scenario.get("fields", {}))
    if "tools" in scenario:
        request["tools"] = [tools[name] for name in scenario["tools"]]
    if "functions" in scenario:
        request["functions"] = [tools[name]["function"] for name in scenario["functions"]]
    if scenario.get("stream"):
        with completions.stream(**request) as stream:
            for _ in stream:
                pass
            return outcome(stream.get_final_completion().choices[0])
    choice = completions.create(**request).choices[0]
    if "results" in scenario:
        request["messages"] += [choice.message]
        request["messages"] += [
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(choice.message.tool_calls, scenario["results"], strict=True)
        ]
        choice = completions.create(**request).choices[0]
    return outcome(choice)


def outcome(choice):
    message = choice.message
    told = {
        "content": message.content,
        "calls": [pair(call.function) for call in message.tool_calls or ()],
        "finish_reason": choice.finish_reason,
    }
    if message.function_call:
        told["function_call"] = pair(message.function_call)
    return told


def pair(function):
    return [function.name, function.arguments]


data = json.load(sys.stdin)
outcomes = [[s["name"], run(s, data["tools"])] for s in data["scenarios"]]
print(json.dumps({"version": openai.__version__, "outcomes": outcomes}))
