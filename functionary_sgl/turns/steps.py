"""Steps that the programs of several formats take."""

import re
from collections.abc import Sequence
from typing import Any

from functionary_sgl.chat.forms import Form
from functionary_sgl.chat.tools import NAME_PATTERN
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.reasoning import CLOSING, THINK, Tags
from functionary_sgl.turns.vocabulary import follow, gen, parameters, select, value

_WORD = "[a-zA-Z0-9_-]+"


def matched(s: Any, name: str) -> Any:
    """The stop string that ended the `gen` of this name; none of the program's if the model ended
    its turn."""
    return s.get_meta_info(name)["finish_reason"].get("matched")


def address(
    s: Any, place: int, names: list[str], settled: bool, *, before: str = "", after: str = "\n"
) -> str:
    """The recipient: the model picks one of `names`, or the only one is written if it is settled.

    `before` and `after` are what stands around a name; `after` tells it from a longer one.
    """
    if settled:
        name = names[0]
        s += before + name + after
    else:
        s += select(f"name_{place}", [before + name + after for name in names])
        name = s[f"name_{place}"].removeprefix(before).removesuffix(after)
    s[f"recipient_{place}"] = name
    return name


def callee(s: Any, place: int, offer: Offer, *, before: str = "", after: str = "\n") -> str | None:
    """The recipient of a call; `before` and `after` as in `address`.

    Where names are free, it is whatever the model writes up to `after`, or up to the first
    character of it that no name has. If its turn ends before, that is text, and there is none.
    """
    if not offer.free_names:
        settled = offer.settled and place == 0
        return address(s, place, offer.names, settled, before=before, after=after)
    s += before
    ends = [after, next(c for c in after if not re.fullmatch(NAME_PATTERN, c))]
    s += gen(f"name_{place}", stop=ends)
    name: str = s[f"name_{place}"]
    if matched(s, f"name_{place}") not in ends:
        text = f"content_{place}"
        s[text] = s[text] + name if text in s else name
        return None
    s += after
    s[f"recipient_{place}"] = name
    return name


def recipient_or_text(
    s: Any,
    place: int,
    offer: Offer,
    after: str,
    payload: str,
    mark: str = "",
    others: Sequence[str] = (),
) -> str | None:
    """The recipient, as the model writes it, where names are free and text may stand.

    What is not a name and then `after` is text: the recipient is empty, and the text goes on in
    `payload` (such as `content_0`). Names with dots, slashes and colons are those on offer only:
    `Sure:` is not one. `mark` is what text has before a recipient; where `payload` has
    begun, one is written already, and is text too if no name follows. None if the turn has ended.
    One of `others`, control tokens that no text has, ends what is text: it is returned, written.
    """
    ends = [*others, after, after[0], " ", "\n", *[mark] * bool(mark)]
    before = s[payload] + mark if payload in s else ""
    while True:
        s += gen(f"name_{place}", stop=ends)
        name: str = s[f"name_{place}"]
        end = matched(s, f"name_{place}")
        if end in (after, after[0]) and (name in offer.names or re.fullmatch(_WORD, name)):
            s += after
            s[f"recipient_{place}"] = name
            return name
        s[payload] = before + name
        if end not in ends:
            return None
        s += end
        if end in others:
            return str(end)
        before = s[payload] + end
        if end != mark:
            s[payload] = before
            return ""


def speak(
    s: Any,
    place: int,
    stops: list[str],
    reasoning: bool,
    answer: Form | None = None,
    tags: Tags = THINK,
) -> str | None:
    """Text for the user. The one of `stops` that ends it, written; None if the turn ended.

    With `reasoning`, what stands between tags at the very beginning is told apart. The same tags
    later on are text. With `answer`, text has that form, and is the turn's end.
    """
    if answer is not None:
        return speak_formed(s, place, stops, reasoning, answer, tags)
    name = f"content_{place}"
    opening = list(tags.closing) if reasoning else []
    s += gen(name, stop=[*stops, *opening])
    mark = matched(s, name)
    if mark in opening:
        s += mark
        if s[name].strip():
            s[name] += mark
        elif not reason(s, mark):
            return None
        s += gen(name, stop=stops)
        mark = matched(s, name)
    if mark not in stops:
        return None
    s += mark
    chosen: str = mark
    return chosen


def speak_formed(
    s: Any, place: int, stops: list[str], reasoning: bool, answer: Form, tags: Tags = THINK
) -> str | None:
    """`speak` where text has a form: the model decides first whether it is to be text."""
    texts = list(answer.beginnings)
    # What it is to be told from must be known.
    opening = list(tags.closing) if reasoning and texts else []
    known = [*stops, *texts, *opening]
    beginning = foresee(s, f"beginning_{place}", known) if stops or opening else ""
    if beginning in opening:
        s += beginning
        if not reason(s, beginning):
            return None
        s += tags.after
        beginning = foresee(s, f"beginning_{place}", [*stops, *texts]) if stops else ""
    if beginning in stops:
        s += beginning
        return beginning
    s += follow(f"content_{place}", answer)
    return None


def foresee(s: Any, name: str, beginnings: list[str]) -> str:
    """With which of `beginnings` the model would go on; nothing is written."""
    ahead = s.fork(1)[0]
    ahead += select(name, beginnings)
    return str(ahead[name])


def reason(s: Any, tag: str) -> bool:
    """Reasoning behind its opening `tag`; whether it came to its closing one."""
    s += gen("reasoning_0", stop=[CLOSING[tag]])
    if matched(s, "reasoning_0") != CLOSING[tag]:
        return False
    s += CLOSING[tag]
    return True


def reach(s: Any, mark: str, offer: Offer, tags: Tags = THINK) -> bool:
    """The `mark` of the first call, written: behind text where there may be some, at once where the
    turn has to be a call. False if the turn ended before."""
    if not offer.text:
        return force(s, mark, offer.reasoning, tags)
    marks = [mark] if offer.names else []
    return speak(s, 0, marks, offer.reasoning, offer.answer, tags) is not None


def force(
    s: Any, mark: str, reasoning: bool, tags: Tags = THINK, spaces: Sequence[str] = ()
) -> bool:
    """`mark`, which begins a call, written where the turn has to be a call: at once, or, with
    `reasoning`, after it where the model prefers so. `spaces`: what may stand between them, if not
    what the tags have. False if the turn ended before."""
    if reasoning:
        tag = next(iter(tags.closing))
        s += select("beginning_0", [mark, tag])
        if s["beginning_0"] == mark:
            return True
        if not reason(s, tag):
            return False
        write_behind(s, mark, spaces or [tags.after])
        return True
    s += mark
    return True


def write_behind(s: Any, mark: str, spaces: Sequence[str]) -> None:
    """`mark`, written behind one of `spaces`; where there are several, the model says which."""
    if len(spaces) == 1:
        s += spaces[0] + mark
    else:
        s += select("space_0", [space + mark for space in spaces])


def arguments(
    s: Any, place: int, offer: Offer, name: str, ends: list[str], *, before: Sequence[str] = ()
) -> bool:
    """The arguments of a call of `name`, as its schema wants them; without one as the model writes
    them: to the end of a JSON value or, where that is broken, up to one of `ends`. False if the
    turn ended with them. `before`: what else than `ends` may follow them.

    SGLang's own interpreter knows no values, so there only `ends` do.
    """
    if name in offer.inputs:
        return text_input(s, place, offer.inputs[name], [*ends, *before])
    schema = offer.functions.get(name)
    if schema is not None:
        s += value(f"arguments_{place}", schema, [*ends, *before])
        return True
    s += gen(f"arguments_{place}", stop=ends)
    return matched(s, f"arguments_{place}") in (None, *ends)


def text_input(s: Any, place: int, form: Form, ends: Sequence[str]) -> bool:
    """The arguments of a call that takes a text: an object with it as its only member. `ends`: what
    may follow them."""
    name = f"input_{place}"
    if form.kind == "lark":  # it has the space before the string
        s += '{"input":'
        s += follow(name, form)
    else:
        s += '{"input": '
        s += value(name, form.source, ["}" + end for end in ends])
    s += "}"
    return True


def json_payload(
    s: Any, place: int, offer: Offer, name: str, ends: list[str], *, before: Sequence[str] = ()
) -> bool:
    """As `arguments`; those of the code interpreter are an object with code as its only member."""
    if not offer.is_code(name):
        return arguments(s, place, offer, name, ends, before=before)
    s += '{"code": '
    s += value(f"code_{place}", '{"type": "string"}', ["}" + end for end in (*ends, *before)])
    s += "}"
    return True


def parameter_payload(
    s: Any, place: int, offer: Offer, name: str, marks: Places, before: Sequence[str] = ()
) -> bool:
    """The arguments of a call of `name` as parameters between `marks`, to the last of these; code
    for the code interpreter and the text of a tool that takes one are the only parameter. `before`:
    what may follow them. False if the turn ended with them."""
    if offer.is_code(name):
        s += parameters(f"code_{place}", _only("code", '{"type": "string"}'), marks, before)
        return True
    form = offer.inputs.get(name)
    if form is not None and form.kind == "lark":  # of a JSON string, with the space before it
        s += f"{marks.key}input{marks.value}"
        s += follow(f"input_{place}", form)
        s += marks.close + marks.end
        return True
    if form is not None:
        s += parameters(f"input_{place}", _only("input", form.source), marks, before)
        return True
    schema = offer.functions.get(name)
    s += parameters(f"arguments_{place}", schema, marks, before)
    return schema is not None or matched(s, f"arguments_{place}") is None


def _only(name: str, schema: str) -> str:
    """The JSON Schema of an object with this member only."""
    return (
        f'{{"type": "object", "properties": {{"{name}": {schema}}}, "required": ["{name}"],'
        ' "additionalProperties": false}'
    )
