"""How people ask: the wording of requests."""

from collections.abc import Sequence
from random import Random
from string import Formatter

from nano.data.functions import Action, Function
from nano.data.parameters import Mention, Parameter, spoken
from nano.data.words import Words

_READ = (
    "what is the {n}",
    "what's the {n}",
    "show me the {n}",
    "give me the {n}",
    "tell me the {n}",
    "{verb} the {n}",
    "I need the {n}",
    "I want to know the {n}",
    "do you know the {n}",
    "{verb} the {n}",
    "how is the {n}",
    "{n}",
    "can you tell me the {n}",
    "I would like to see the {n}",
    "what will the {n} be",
    "let me see the {n}",
    "I am looking for the {n}",
    "find out the {n}",
    "could you {verb} the {n}",
    "I'd like to know the {n}",
    "any news about the {n}",
    "what is the {n} like",
    "tell me what the {n} is like",
    "tell me what the {n} is",
    "check the {n}",
    "get me the {n}",
    "can I see the {n}",
    "please look up the {n}",
    "do you have the {n}",
    "I wonder what the {n} is",
)
_DO = (
    "{verb} a {n}",
    "{verb} a {n}",
    "please {verb} a {n}",
    "can you {verb} a {n}",
    "I want to {verb} a {n}",
    "{verb} the {n}",
    "could you {verb} a {n}",
    "I'd like to {verb} a {n}",
    "I need you to {verb} a {n}",
    "help me {verb} a {n}",
    "{verb} my {n}",
    "would you {verb} a {n}",
    "I have to {verb} a {n}",
    "let's {verb} a {n}",
    "we need to {verb} the {n}",
)
_SUM = (
    "{verb} the {n}",
    "please {verb} the {n}",
    "can you {verb} the {n}",
    "what is the {n}",
    "help me {verb} the {n}",
)
# What is done to something that is said behind it: "translate 'good morning'", "play the song X".
_DOING = (
    "{verb}",
    "{verb}",
    "{verb}",
    "please {verb}",
    "can you {verb}",
    "could you {verb}",
    "I want to {verb}",
    "I'd like to {verb}",
    "help me {verb}",
    "I need you to {verb}",
    "{verb} the {n}",
    "{verb} this {n}:",
)
_TEMPLATES: dict[Action, Sequence[str]] = {
    "read": _READ,
    "make": _DO,
    "drop": _DO,
    "edit": _DO,
    "sum": _SUM,
    "do": _DOING,
}
# Wordings that the evaluation does not have.
_MORE: dict[Action, Sequence[str]] = {
    "read": (
        "{verb} {n}",
        "{verb} me the {n}",
        "{verb} me a {n}",
        "is there a {n}",
        "how about the {n}",
        "{n} please",
        "I want the {n}",
        "what about the {n}",
    ),
    "make": (
        "{verb} {n}",
        "{verb} some {n}",
        "{verb} me a {n}",
        "{verb} another {n}",
        "go and {verb} a {n}",
        "can we {verb} a {n}",
        "a {n} please",
    ),
    "drop": ("{verb} {n}", "{verb} this {n}", "{verb} that {n}", "I want you to {verb} the {n}"),
    "edit": ("{verb} this {n}", "I want you to {verb} the {n}", "can we {verb} the {n}"),
    "sum": ("{verb} {n}", "how much is the {n}", "tell me the {n}", "I need the {n}"),
    "do": ("go and {verb}", "now {verb}", "can we {verb}", "would you {verb}"),
}
_OPENERS = (
    "",
    "",
    "",
    "",
    "",
    "",
    "please ",
    "hey, ",
    "hello, ",
    "hi! ",
    "ok, ",
    "now ",
    "quick question: ",
)
# What people say around a request without meaning anything by it.
_ASIDES = (
    "I am planning my week.",
    "It is for a friend of mine.",
    "I am in a hurry.",
    "My boss wants to know.",
    "We talked about it yesterday.",
    "I just got home.",
    "There is no time to lose.",
    "Nobody here could help me.",
    "I have never done this before.",
    "This is for a school project.",
    "I am new here.",
    "It would be a great help.",
)
_ENDS = (".", ".", ".", "", "!", " please.", ", please.", ", thanks.")
_ASKING = (
    *("what", "can", "could", "would", "do you", "how", "any"),
    *("is it ", "is there ", "will it ", "do I ", "are there ", "where ", "when ", "has order "),
)


def mentions(random: Random, function: Function) -> dict[str, Mention]:
    """A value for every required parameter and for some others, by name, in the schema's order."""
    return {
        parameter.name: parameter.mention(random)
        for parameter in function.parameters
        if parameter.required or random.random() < 0.45
    }


def arguments(said: dict[str, Mention]) -> dict[str, object]:
    return {name: mention.value for name, mention in said.items()}


def clause(
    random: Random,
    words: Words,
    function: Function,
    said: Sequence[dict[str, Mention]],
    *,
    brief: bool = False,
) -> str:
    """What is wanted, in lower case and without an end. With several in `said`, the function is
    wanted once for each; they differ in their first value, or in all. With `brief` the qualifier
    may be left out: "the weather" for the current weather."""
    if function.requests and (worded := _worded(random, function, said)):
        return worded
    leaves_out = brief and function.qualifier and random.random() < 0.5
    subject = spoken(function.noun) if leaves_out else function.subject
    does = function.action == "do"
    verb = function.verb
    if not does and random.random() < 0.4:
        verb = words.draw(random, f"{function.action}_verbs")
    template = random.choice(_TEMPLATES[function.action])
    first, *others = said
    if not words.held_out:
        if random.random() < 0.15:
            template = random.choice(_MORE[function.action])
        if not others and "{n}" in template and random.random() < 0.4:
            subject, first = _chosen(function, subject, first)
    action = template.format(verb=spoken(verb), n=subject)
    detail = _details(random, function, list(first.values()))
    if not others:
        front = random.random() < 0.08 and len(first) == 1 and not does
        return f"{detail.strip()}, {action}" if front and detail.strip() else action + detail
    further = [_details(random, function, list(other.values())) for other in others]
    differing = len(first) == 1 and random.random() < 0.75
    if differing:
        values = [next(iter(other.values())) for other in others]
        further = [f" {value.said() if does else value.text}" for value in values]
    return action + detail + _listed(further)


def _listed(further: Sequence[str]) -> str:
    """What comes behind the first of a list: ", b and c"."""
    return "".join(
        f"{',' if index < len(further) - 1 else ' and'}{more}" for index, more in enumerate(further)
    )


def _worded(random: Random, function: Function, said: Sequence[dict[str, Mention]]) -> str | None:
    """A request in a wording of the function's own, or None where none has just these values."""
    first, *others = said
    fitting = [request for request in function.requests if _names(request) == first.keys()]
    if others:
        # The values of further calls are put behind the first one's.
        fitting = [request for request in fitting if len(first) == 1 and request.endswith("}")]
    if not fitting or random.random() < 0.1:
        return None
    further = [f" {next(iter(other.values())).text}" for other in others]
    text = random.choice(fitting).format(**{name: mention.text for name, mention in first.items()})
    return text + _listed(further)


def _names(request: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(request) if name}


def _chosen(
    function: Function, subject: str, said: dict[str, Mention]
) -> tuple[str, dict[str, Mention]]:
    """The subject with one of a few values before it, "large pizza", and what is left to say."""
    for parameter in function.parameters:
        if "enum" in parameter.schema and parameter.name in said:
            rest = {name: mention for name, mention in said.items() if name != parameter.name}
            return f"{said[parameter.name].text} {subject}", rest
    return subject, said


def _details(random: Random, function: Function, said: list[Mention]) -> str:
    if function.action not in ("edit", "do") and random.random() < 0.3:
        random.shuffle(said)
    text = ""
    for index, mention in enumerate(said):
        phrase = mention.said()
        glue = "" if phrase.startswith(":") else " "
        if index and random.random() < 0.3:
            glue = random.choice((", ", " and "))
        text += glue + phrase.lstrip()
    return text


def sentence(random: Random, clause: str, *, opened: bool = True) -> str:
    """A clause as a sentence, as people type it."""
    opener = random.choice(_OPENERS) if opened else ""
    asks = clause.startswith(_ASKING)
    ended = clause.endswith(('"', "?", "!", "."))
    end = random.choice(("?", "?", "?", "", "?", " please?")) if asks else random.choice(_ENDS)
    text = opener + clause + ("" if ended else end)
    text = text if random.random() < 0.2 else text[0].upper() + text[1:]
    beside = random.random()
    if beside < 0.07 and opened:
        return f"{random.choice(_ASIDES)} {text}"
    if beside < 0.1 and text.endswith((".", "!", "?")):
        return f"{text} {random.choice(_ASIDES)}"
    return text


def question(function: Function, missing: Sequence[Parameter]) -> str:
    """What the assistant asks when it lacks values. The function comes first: which of its values
    are missing can be told once it is chosen."""
    needed = " and ".join(f"the {parameter.words}" for parameter in missing)
    return f"To use {function.name} I need {needed or 'nothing'}."


def answer_to(random: Random, said: Sequence[Mention]) -> str:
    """What the user says to that question: the bare value, or a phrase with it."""
    texts = [mention.text if random.random() < 0.5 else mention.said() for mention in said]
    text = random.choice(("", "", "", "it is ", "make it ")) + " and ".join(texts).strip(": ")
    return text + random.choice(("", "", ".", ", please."))
