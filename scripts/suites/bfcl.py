"""Write BFCL's tools, and the right calls of them, as a suite of `make promises`.

    make bfcl                                    once, for its environment
    .bfcl/bin/python scripts/suites/bfcl.py      writes tests/data/promises/bfcl.jsonl.gz

Each line is a schema as BFCL gives it to OpenAI's models, without descriptions, and the arguments
of the right calls: valid are those that the schema allows, invalid those that break it. Where
several values are right, the first and the last of each are taken.
"""

import ast
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bfcl_eval.constants.enums import ModelStyle
from bfcl_eval.constants.type_mappings import GORILLA_TO_OPENAPI
from bfcl_eval.model_handler.utils import convert_to_tool
from bfcl_eval.utils import load_dataset_entry, load_ground_truth_entry
from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[2] / "tests" / "data" / "promises" / "bfcl.jsonl.gz"

CATEGORIES = (
    *("simple_python", "simple_java", "simple_javascript", "multiple", "parallel"),
    *("parallel_multiple", "irrelevance", "live_simple", "live_multiple", "live_parallel"),
    *("live_parallel_multiple", "live_irrelevance", "live_relevance"),
    *("multi_turn_base", "memory_kv", "memory_vector", "memory_rec_sum", "web_search_base"),
)


def main() -> None:
    found: dict[str, dict[str, Any]] = {}
    for category in CATEGORIES:
        for entry in load_dataset_entry(category, include_prereq=False):
            functions = entry["function"]
            tools = convert_to_tool(functions, GORILLA_TO_OPENAPI, ModelStyle.OPENAI_COMPLETIONS)
            by_name = {}
            for function, tool in zip(functions, tools, strict=True):
                parameters = bare(tool["function"]["parameters"])
                line = {"name": function["name"], "parameters": parameters, "calls": []}
                by_name[function["name"]] = found.setdefault(json.dumps(parameters), line)
            for name, arguments in right(category, entry["id"], by_name):
                if name in by_name and arguments not in by_name[name]["calls"]:
                    by_name[name]["calls"].append(arguments)
    lines = [judged(line, number) for number, line in enumerate(found.values())]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def bare(schema: Any) -> Any:
    """`schema` without its descriptions."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in ("enum", "default") else bare(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str))
    }


def right(category: str, question: str, tools: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and arguments of the right calls."""
    if category in RIGHT and question in RIGHT[category]:
        for call in RIGHT[category][question]:
            if isinstance(call, list):  # a turn of several
                yield from (told for text in call if (told := python_call(text, tools)))
                continue
            for name, choices in call.items():
                yield name, chosen(choices, 0)
                yield name, chosen(choices, -1)


def loaded(category: str) -> dict[str, Any]:
    if "irrelevance" in category or "relevance" in category or "memory" in category:
        return {}
    entries = load_ground_truth_entry(category)
    return {entry["id"]: entry["ground_truth"] for entry in entries}


RIGHT = {category: loaded(category) for category in CATEGORIES}


def chosen(choices: dict[str, list[Any]], place: int) -> dict[str, Any]:
    """Arguments with one choice of each list; "" is the choice of leaving a parameter out."""
    told = {}
    for name, values in choices.items():
        # A list everywhere but where the file says the value itself.
        usual = values if isinstance(values, list) else [values]
        values = [value for value in usual if value != ""]
        if values and not (place and "" in usual):
            told[name] = value_of(values[place], place)
    return told


def value_of(value: Any, place: int) -> Any:
    if isinstance(value, dict):
        return chosen(value, place)
    if isinstance(value, list):
        return [chosen(part, place) if isinstance(part, dict) else part for part in value]
    return value


def python_call(text: str, tools: dict[str, Any]) -> tuple[str, Any] | None:
    """`f(1, b=2)` as a name and arguments, if they are literals."""
    if not isinstance(text, str) or "(" not in text:
        return None
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        name = ast.unparse(call.func)
        names = list(tools.get(name, {"parameters": {}})["parameters"].get("properties", ()))
        told = {n: ast.literal_eval(a) for n, a in zip(names, call.args, strict=False)}
        told |= {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError):
        return None
    return name, json.loads(json.dumps(told))


def judged(line: dict[str, Any], number: int) -> dict[str, Any]:
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(line["parameters"], format_checker=checker)
    valid = [call for call in line["calls"] if validator.is_valid(call)]
    return {
        "name": f"{number} {line['name']}",
        "parameters": line["parameters"],
        "valid": valid,
        "invalid": [call for call in line["calls"] if call not in valid],
    }


if __name__ == "__main__":
    main()
