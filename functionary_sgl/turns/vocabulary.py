"""The vocabulary of turn programs: SGLang's own `function`, `gen` and `select`.

`import sglang` takes ten seconds and brings torch, for the sake of its backends. The language
itself needs neither, so it is loaded alone: while `sglang.lang.api` is imported, a bare module
stands for the package. It is taken away again, with the namespace packages below it, so that a
later import of anything of SGLang's begins with the real package, and finds these very objects.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from functionary_sgl.chat.forms import Form
from functionary_sgl.grammars.parameters import Places


def _language() -> Any:
    if "sglang" in sys.modules:
        return importlib.import_module("sglang.lang.api")
    spec = importlib.util.find_spec("sglang")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("sglang is not installed; `make install` brings it")
    package = ModuleType("sglang")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["sglang"] = package
    try:
        return importlib.import_module("sglang.lang.api")
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "sglang"]:
            if getattr(sys.modules[name], "__file__", None) is None:
                del sys.modules[name]


_api = _language()
_choices = sys.modules["sglang.lang.choices"]

function = _api.function
gen = _api.gen


def value(name: str, json_schema: str, before: Sequence[str]) -> Any:
    """`gen` of JSON, behind which the program goes on with one of the texts `before`.

    In the tokenization that models are trained on, the value's last token may reach into what
    follows. Our interpreter lets the model draw it and gives back the rest; SGLang's own knows
    nothing of that.
    """
    expression = gen(name, json_schema=json_schema)
    expression.before = tuple(before)
    return expression


def parameters(
    name: str, json_schema: str | None, marks: Places, before: Sequence[str] = ()
) -> Any:
    """`gen` of an object as parameters between `marks`, to the last of these; without a schema as
    the model writes them. `before` as in `value`.

    SGLang's own interpreter knows no such objects: there it is JSON.
    """
    expression = gen(name, json_schema=json_schema)
    expression.marks = marks
    expression.before = tuple(before)
    return expression


def follow(name: str, form: Form) -> Any:
    """A `gen` of a text that has this form.

    `ebnf`, for a grammar, is what SGLang's engine has, but not its language.
    """
    if form.kind == "json_schema":
        return gen(name, json_schema=form.source)
    expression = gen(name)
    # SGLang's language would try a regular expression with Python's own dialect.
    field = "regex" if form.kind == "regex" else "ebnf"
    setattr(expression.sampling_params, field, form.source)
    return expression


def select(name: str, choices: list[str], followed: Sequence[str] = ()) -> Any:
    """`sgl.select`, token by token: what a model that writes the choice would do. SGLang's default
    compares whole choices by their mean log-probability, which favours some lengths.

    Where one choice begins another, one of the texts `followed`, which are not written, tells it
    apart. SGLang's own interpreter knows nothing of that.
    """
    method = _choices.greedy_token_selection
    expression = _api.select(name, choices, choices_method=method)
    expression.followed = tuple(followed)
    return expression
