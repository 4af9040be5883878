"""Runs the scenarios of messages.json with anthropic-python.

python anthropic_messages.py BASE_URL < messages.json      prints {"version": ..., "outcomes": ...}
"""

import json
import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0)


def run(scenario, tools):
    begun = {"role": "user", "content": f"[{scenario['name']}]"}
    offered = [tools[name] for name in scenario.get("tools", ())]
    request = {"model": "m", "max_tokens": 256, "messages": [begun], "tools": offered}
    request |= scenario.get("fields", {})
    try:
        message = ask(request, scenario)
    except anthropic.APIStatusError as error:
        told = error.body["error"]
        return {"error": [error.status_code, told["type"], bool(error.request_id)]}
    if "results" in scenario:
        uses = [block for block in message.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": result}
            for use, result in zip(uses, scenario["results"], strict=True)
        ]
        said = {"role": "assistant", "content": message.content}
        request["messages"] = [begun, said, {"role": "user", "content": results}]
        message = ask(request, scenario)
    return outcome(message, scenario)


def ask(request, scenario):
    if not scenario.get("stream"):
        return client.messages.create(**request)
    with client.messages.stream(**request) as stream:
        return stream.get_final_message()


def outcome(message, scenario):
    uses = [block for block in message.content if block.type == "tool_use"]
    forced = scenario["name"] == "forced"
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "calls": [[use.name, "any" if forced else use.input] for use in uses],
        "stop": message.stop_reason,
    }


data = json.load(sys.stdin)
outcomes = [[s["name"], run(s, data["tools"])] for s in data["scenarios"]]
print(json.dumps({"version": anthropic.__version__, "outcomes": outcomes}))
