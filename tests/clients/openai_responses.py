"""Runs the scenarios of responses.json with openai-python 1.x and later.

python openai_responses.py BASE_URL < responses.json      prints {"version": ..., "outcomes": ...}
"""

import json
import sys

import openai

responses = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0).responses


def run(scenario, tools):
    begun = [{"role": "user", "content": f"[{scenario['name']}]"}]
    request = {"model": "m", "input": begun, **scenario.get("fields", {})}
    request["tools"] = [tools[name] for name in scenario.get("tools", ())]
    if scenario.get("stream"):
        with responses.stream(**request) as stream:
            for _ in stream:
                pass
            return outcome(stream.get_final_response())
    try:
        response = responses.create(**request)
    except openai.BadRequestError as error:
        return {"error": [error.status_code, error.param]}
    if "results" in scenario:
        calls = [item for item in response.output if item.type == "function_call"]
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": result}
            for call, result in zip(calls, scenario["results"], strict=True)
        ]
        if scenario.get("previous"):
            request |= {"input": results, "previous_response_id": response.id}
        else:
            request["input"] = [*begun, *response.output, *results]
        response = responses.create(**request)
    return outcome(response)


def outcome(response):
    return {
        "text": response.output_text,
        "calls": [
            [item.name, item.arguments if item.type == "function_call" else item.input]
            for item in response.output
            if item.type != "message"
        ],
    }


data = json.load(sys.stdin)
outcomes = [[s["name"], run(s, data["tools"])] for s in data["scenarios"]]
print(json.dumps({"version": openai.__version__, "outcomes": outcomes}))
