"""`functionary-sgl render`: what the model reads, without a model."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.cli.flags import Parser
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.prompt import Prompt


def render(argv: Sequence[str]) -> int:
    """Print the prompt of a chat request: its exact text, nothing added, or its token ids.

    A file that ends with .jsonl has a request on each line, and gives a line of JSON for each:
    {"prompt": ...} (with --tokens: {"token_ids": ...}) or {"error": ...}.
    """
    options = _parser().parse_args(argv)
    prompter = _prompter(options.template, options.model_path)
    text = _read(options.request)
    if options.request.endswith(".jsonl"):
        for line in text.splitlines():
            if line.strip():
                print(json.dumps(_result(prompter, line, options.tokens), ensure_ascii=False))
        return 0
    prompt = _prompt(prompter, text)
    if options.tokens:
        print(json.dumps(prompt.token_ids))
    else:
        sys.stdout.write(prompt)
    return 0


def _parser() -> Parser:
    parser = Parser(prog="functionary-sgl render", description=render.__doc__)
    parser.add_argument("request", metavar="REQUEST.json", help="a file, or - for standard input")
    parser.add_argument("--template", metavar="NAME", help="a name that `templates` lists")
    parser.add_argument(
        "--model-path", metavar="P", help="a checkpoint, for its tokenizer and chat template"
    )
    parser.add_argument("--tokens", action="store_true", help="print token ids")
    return parser


def _prompter(template: str | None, model_path: str | None) -> Prompter:
    model = checkpoint.load(model_path or str(checkpoint.EMBEDDED))
    found = detect.chosen(model, template)
    if model_path is not None:
        return Prompter(found.format, model.tokenizer, model.template)
    # Without a model there is neither a tokenizer of the format nor a chat template.
    return Prompter(found.format, model.tokenizer.with_control(found.format.control_tokens))


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text") from error


def _prompt(prompter: Prompter, text: str) -> Prompt:
    return prompter.opened(intake.conversation(ChatRequest.from_json(text)))


def _result(prompter: Prompter, line: str, tokens: bool) -> dict[str, Any]:
    try:
        prompt = _prompt(prompter, line)
    except RequestError as error:
        return {"error": {"message": error.message, "param": error.param, "code": error.code}}
    return {"token_ids": prompt.token_ids} if tokens else {"prompt": prompt}
