"""For tests of all formats: their prompters, and turns as a model of each would write them."""

from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS

Call = tuple[str, str]

_TOKENIZER = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
PROMPTERS = {
    name: Prompter(format, _TOKENIZER.with_control(format.control_tokens))
    for name, format in FORMATS.items()
}


def written(format: str, content: str | None, calls: list[Call]) -> str:
    """The raw turn, from the end of the prompt on, without the control token that ends it."""
    return _WRITERS[format](content, calls)


def _v3_llama3(content: str | None, calls: list[Call]) -> str:
    parts = [f"all\n{content}"] if content else []
    return ">>>".join([*parts, *(f"{name}\n{payload}" for name, payload in calls)])


def _v2(content: str | None, calls: list[Call]) -> str:
    parts = [f"all\n<|content|>{content}"] if content else []
    parts += [f"{name}\n<|content|>{payload}" for name, payload in calls]
    return "\n<|from|>assistant\n<|recipient|>".join(parts)


def _v2_llama3(content: str | None, calls: list[Call]) -> str:
    marked = (f"<|reserved_special_token_249|>{name}\n{payload}" for name, payload in calls)
    return (content or "") + "".join(marked)


def _v3_llama31(content: str | None, calls: list[Call]) -> str:
    marked = (
        f"<|python_tag|>{payload}" if name == "python" else f"<function={name}>{payload}</function>"
        for name, payload in calls
    )
    return (content or "") + "".join(marked)


_WRITERS = {
    "v2": _v2,
    "v2.llama3": _v2_llama3,
    "v3.llama3": _v3_llama3,
    "v3-llama3.1": _v3_llama31,
}


def possible(format: str, calls: list[Call]) -> list[Call]:
    """Those of `calls` that one turn can have: where code goes to the turn's end, it comes last."""
    if format != "v3-llama3.1":
        return calls
    code = [call for call in calls if call[0] == "python"]
    return [call for call in calls if call[0] != "python"] + code[:1]
