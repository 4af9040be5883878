"""What becomes of a tool's schema: it is enforced, or less than all of it is, or it is refused.

That depends on the schema and on what the grammar engine says of it, and on nothing else.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Literal

from functionary_sgl.chat.schema import ANY_ARGUMENTS, Arguments, arguments, located
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import TOO_COSTLY
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate.trials import Trials
from functionary_sgl.schemas.keywords import COMBINED

Constraints = Literal["off", "names", "schema"]

# Keywords whose grammars can be large, in the order in which it is tried to do without one; what
# is left without all of them is as a rule small. People write an `enum` of strings beside the type
# `array`, too, and no value satisfies both.
COSTLY = ("format", "multipleOf", "patternProperties", "pattern", "allOf", "enum", *COMBINED)


def verdict(tool: Tool, constraints: Constraints, trials: Trials) -> Arguments:
    """What constrains the arguments of `tool`. Raises InvalidSchema for what is no schema, has
    nothing that can be enforced, or, where the tool is strict, not all."""
    wanted = arguments(tool)
    if constraints != "schema":
        loose = ANY_ARGUMENTS if constraints == "names" else None
        return Arguments(loose, wanted.whole, ("",))
    _refuse_shortfall(tool, wanted)
    faults = _faults(wanted, trials)
    if faults and tool.strict:
        raise _refusal(tool, _named(tool, wanted, faults, trials))
    found = _loosened(tool, wanted, faults, trials) if faults else wanted
    if isinstance(found, str):
        raise _refusal(tool, {"": found})
    if found.unenforced and (fault := trials.objection(found.whole)):
        raise located(InvalidSchema(f"The schema is not valid: {fault}"), tool)
    return found


def _faults(wanted: Arguments, trials: Trials) -> dict[str, str]:
    """Pointers to what the engine cannot enforce, with reasons: all (""), or patterns, which may
    be used only where no trial of all comes to."""
    texts = list(dict.fromkeys(text for _, text in wanted.patterns))
    sources = [json.dumps({"type": "string", "pattern": text}) for text in texts]
    if wanted.constraint is not None:
        texts.insert(0, "")
        sources.insert(0, wanted.constraint)
    by_text = dict(zip(texts, trials.faults(sources), strict=True))
    places = [("", ""), *wanted.patterns]
    faults = ((pointer, by_text.get(text)) for pointer, text in places)
    return {pointer: fault for pointer, fault in faults if fault is not None}


def _loosened(
    tool: Tool, wanted: Arguments, faults: Mapping[str, str], trials: Trials
) -> Arguments | str:
    """`wanted` without as little as possible of what may be at fault, or what is wrong with it
    even without all of that."""
    found: Arguments | str = next(iter(faults.values()))
    cut_short = TOO_COSTLY in faults.values()
    tried = {wanted.constraint}
    *some, most = _shortfalls(tool, faults)
    for without in [*some, most]:
        if cut_short and without is not most:
            continue
        known = arguments(tool, without)
        if known.constraint in tried or known.constraint is None:
            continue
        tried.add(known.constraint)
        (fault,) = trials.faults([known.constraint])
        if fault is None:
            return known
        found, cut_short = fault, fault == TOO_COSTLY
    return found


def _shortfalls(tool: Tool, faults: Mapping[str, str]) -> Iterator[list[str]]:
    """What may be left out, as `arguments` takes it, from little to all that can be costly."""
    patterns = [pointer for pointer in faults if pointer]
    costly = [keyword for keyword in COSTLY if f'"{keyword}"' in tool.parameters_json]
    yield patterns
    for keyword in costly:
        yield [*patterns, keyword]
    yield [*patterns, *costly]


def _named(
    tool: Tool, wanted: Arguments, faults: dict[str, str], trials: Trials
) -> Mapping[str, str]:
    """`faults` with the place of the keyword that is at fault, if it can be found."""
    patterns = {pointer: fault for pointer, fault in faults.items() if pointer}
    if patterns or faults[""] == TOO_COSTLY:
        return patterns or faults
    found = _loosened(tool, wanted, faults, trials)
    return faults if isinstance(found, str) else {found.unenforced[0]: faults[""]}


def _refuse_shortfall(tool: Tool, wanted: Arguments) -> None:
    if tool.strict and wanted.unenforced:
        raise located(
            InvalidSchema(
                f"{tool.title} is strict, but this keyword cannot be enforced. Leave it out, or "
                "'strict'.",
                param=wanted.unenforced[0],
            ),
            tool,
        )


def _refusal(tool: Tool, faults: Mapping[str, str]) -> InvalidSchema:
    pointer, fault = next(iter(faults.items()))
    return located(InvalidSchema(f"The schema cannot be enforced: {fault}", param=pointer), tool)
