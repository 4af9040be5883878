"""What an answer owes the request that it answers: offered names, valid arguments, kept choices."""

import json
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from benchmarks.random_requests import CODE_INTERPRETER

# A function without parameters takes none.
NOTHING = {"type": "object", "maxProperties": 0}


@dataclass
class Verdict:
    """Counts over the calls of one answer, and in words what is wrong with it.

    cut: whether `max_tokens` ended the answer; its last call may then be `unfinished`.
    """

    calls: int = 0
    offered: int = 0
    valid: int = 0
    unfinished: int = 0
    cut: bool = False
    complaints: list[str] = field(default_factory=list)


def judge(request: dict[str, Any], choice: dict[str, Any]) -> Verdict:
    """The verdict on `choice`, an entry of `choices` in the answer to `request`."""
    message, finish = choice["message"], choice["finish_reason"]
    calls = _calls(message)
    schemas = _schemas(request)
    verdict = Verdict(calls=len(calls), cut=finish == "length")
    for number, call in enumerate(calls, start=1):
        if call["name"] not in schemas:
            verdict.complaints.append(f"{call['name']} is not on offer")
            continue
        verdict.offered += 1
        schema = schemas[call["name"]]
        complaint = _complaint(schema, call["arguments"])
        if complaint is None:
            verdict.valid += 1
        elif verdict.cut and number == len(calls) and not _is_json(call["arguments"]):
            verdict.unfinished += 1
        else:
            verdict.complaints.append(f"{call['name']}: {complaint}")
    verdict.complaints += _choice_complaints(request, calls, message["content"], verdict.cut)
    if finish != (expected := _finish_reason(request, calls, verdict.cut)):
        verdict.complaints.append(f"finish reason {finish}, not {expected}")
    return verdict


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    if message.get("function_call"):
        return [message["function_call"]]
    return [call["function"] for call in message.get("tool_calls") or ()]


def _schemas(request: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """The schema of each name on offer; None for code, which is no JSON."""
    tools = request.get("tools", ())
    functions = request.get("functions") or [t["function"] for t in tools if "function" in t]
    schemas = {f["name"]: f.get("parameters") or NOTHING for f in functions}
    code = {"python": None} if CODE_INTERPRETER in tools else {}
    return {n: NOTHING if s == {"type": "object"} else s for n, s in schemas.items()} | code


def _complaint(schema: dict[str, Any] | None, arguments: str) -> str | None:
    """Why `arguments` are not valid."""
    if schema is None:
        return None
    try:
        parsed = json.loads(arguments)
    except ValueError:
        return f"{arguments!r} is no JSON"
    checker = Draft202012Validator.FORMAT_CHECKER
    errors = list(Draft202012Validator(schema, format_checker=checker).iter_errors(parsed))
    return f"{arguments!r}: {errors[0].message}" if errors else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _named(request: dict[str, Any]) -> str | None:
    """The function that the request forces."""
    asked = request.get("function_call") or request.get("tool_choice")
    if not isinstance(asked, dict):
        return None
    name: str = asked.get("function", asked)["name"]
    return name


def _choice_complaints(
    request: dict[str, Any], calls: list[dict[str, Any]], content: str | None, cut: bool
) -> list[str]:
    asked, named = request.get("function_call") or request.get("tool_choice"), _named(request)
    complaints = []
    if named and any(call["name"] != named for call in calls):
        complaints.append(f"a call of another function than {named}")
    if (named or asked == "required") and not calls and not cut:
        complaints.append("no call where one was due")
    if (named or asked == "required") and content:
        complaints.append("text where a call was due")
    if asked == "none" and calls:
        complaints.append("a call where none was allowed")
    if len(calls) > 1 and request.get("parallel_tool_calls") is False:
        complaints.append("parallel calls where they were not allowed")
    return complaints


def _finish_reason(request: dict[str, Any], calls: list[dict[str, Any]], cut: bool) -> str:
    if cut:
        return "length"
    if not calls or _named(request):
        return "stop"
    return "function_call" if "functions" in request else "tool_calls"
