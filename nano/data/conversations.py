"""Conversations: tools on offer, and turns of user, assistant and tools.

A conversation has one to four episodes about one set of tools, so that every set that is read is
asked about several times. An episode is, for example, a request, the call, its result and the
sentence that reports it.
"""

import json
from collections.abc import Callable
from random import Random

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.chat.tools import CODE_INTERPRETER
from nano.data import requests, results
from nano.data.everyday import everyday
from nano.data.functions import ACTIONS, Action, Function, function
from nano.data.parameters import Mention, Parameter
from nano.data.scenes import Said, Scene, asked
from nano.data.talk import small_talks
from nano.data.words import Split, Words, words

NONE_FITS = "I am sorry, but none of my functions can do that."
NO_FUNCTIONS = "I am sorry, but I have no functions that could do that."
_SYSTEMS = (
    "You are a helpful assistant.",
    "You are a helpful assistant that can call functions.",
    "Be brief.",
    "You are an assistant for {}.",
    "Answer politely.",
    "You help the user of {}.",
    "Use the functions when you need them.",
)


# How many of the functions are those that people try first, but in the evaluation, which has none.
_EVERYDAY = 0.15

Episode = Callable[[Scene], None]


def conversation(random: Random, split: Split) -> Conversation:
    """A conversation for training."""
    kind = random.random()
    code = kind < 0.08
    count = random.choices(range(1, 13), (20, 24, 20, 14, 8, 5, 4, 4, 1, 1, 1, 1))[0]
    scene = Scene(random, words(split), [], code)
    if not 0.05 < kind < 0.10:
        scene.functions = offered(random, scene.words, count)
    if random.random() < 0.15:
        system = random.choice(_SYSTEMS).format(scene.words.invented(random).capitalize())
        scene.messages.append(Message("system", system))
    for _ in range(random.choices((1, 2, 3, 4, 5), (3, 3, 3, 2, 1))[0]):
        episodes = suitable(scene)
        random.choices(list(episodes), list(episodes.values()))[0](scene)
    return asked(scene)


def suitable(scene: Scene) -> dict[Episode, int]:
    """The episodes that these functions allow, each with how often it is wanted."""
    episodes: dict[Episode, int] = {small_talk: 8}
    if scene.functions:
        episodes |= {
            single: 40,
            parallel_same: 22,
            parallel_different: 20,
            none_fits: 10,
            missing: 10,
            announced: 2,
        }
        if not any(function.required for function in scene.functions):
            del episodes[missing]
        if len(scene.functions) < 2:
            del episodes[parallel_different]
    else:
        episodes |= {none_fits: 2}
    if scene.code:
        episodes |= {arithmetic: 40}
    return episodes


def offered(random: Random, words: Words, count: int, most: int = 4) -> list[Function]:
    """`count` functions of `most` parameters that a request can tell apart, some of them about the
    same thing."""
    chosen: list[Function] = []
    while len(chosen) < count:
        like = random.choice(chosen) if chosen else None
        if not words.held_out and random.random() < _EVERYDAY:
            new = everyday(random, words)
        elif like and random.random() < 0.3:
            new = function(random, words, noun=like.noun, most=most)
        elif like and random.random() < 0.2:
            new = function(random, words, action=like.action, most=most)
        else:
            new = function(random, words, most=most)
        if not any(confused(new, other) for other in chosen):
            chosen.append(new)
    random.shuffle(chosen)
    return chosen


def confused(one: Function, other: Function) -> bool:
    """Whether a request for one of them could mean the other."""
    if one.name == other.name:
        return True
    if one.about or other.about:
        return bool(_about(one) & _about(other))
    same = one.noun == other.noun and one.qualifier == other.qualifier
    return same and _act_alike(one, other)


def _about(function: Function) -> frozenset[str]:
    verb = (function.verb,) if function.action == "do" else ()
    return function.about | {*function.noun.split("_"), *verb}


def _act_alike(one: Function, other: Function) -> bool:
    if one.action == other.action == "do":
        return one.verb == other.verb
    return one.action == other.action or {one.action, other.action} <= {"read", "sum"}


def call(function: Function, said: Said) -> Call:
    return Call(function.name, json.dumps(requests.arguments(said), ensure_ascii=False))


def single(scene: Scene) -> None:
    """One call, and often its result."""
    chosen = scene.random.choice(scene.functions)
    complete(scene, chosen, requests.mentions(scene.random, chosen))


def complete(scene: Scene, chosen: Function, said: Said) -> None:
    """A request that says all that `chosen` needs; the call, and often its result."""
    _request(scene, _clause(scene, chosen, [said]))
    scene.meant(chosen, said)
    scene.assistant("", call(chosen, said))
    _report(scene, [(chosen, said)])


def parallel_same(scene: Scene) -> None:
    """Two or three calls of one function."""
    simple = [f for f in scene.functions if 0 < len(f.parameters) <= 2]
    if not simple:
        return single(scene)
    chosen = scene.random.choice(simple)
    count = scene.random.choice((2, 2, 3))
    first: Said = {}
    while not first:
        first = requests.mentions(scene.random, chosen)
    said = [first]
    parameters = {parameter.name: parameter for parameter in chosen.parameters}
    for _ in range(count - 1):
        more = {name: parameters[name].mention(scene.random) for name in first}
        # The same wording for each, so that they read as a list.
        said.append({n: Mention(m.value, m.text, first[n].phrase) for n, m in more.items()})
    if len({json.dumps(requests.arguments(s)) for s in said}) < count or any(
        isinstance(m.value, list | bool | dict) for m in first.values()
    ):
        return single(scene)
    _request(scene, _clause(scene, chosen, said))
    for one in said:
        scene.meant(chosen, one)
    scene.assistant("", *(call(chosen, one) for one in said))
    return _report(scene, [(chosen, one) for one in said])


def parallel_different(scene: Scene) -> None:
    """Calls of two functions."""
    chosen = scene.random.sample(scene.functions, 2)
    said = [requests.mentions(scene.random, one) for one in chosen]
    clauses = [_clause(scene, one, [its]) for one, its in zip(chosen, said, strict=True)]
    joint = scene.random.choice(
        (" and ", ", and ", " and also ", ", then ", ". Also, ", " and then ")
    )
    _request(scene, joint.join(clauses))
    for one, its in zip(chosen, said, strict=True):
        scene.meant(one, its)
    scene.assistant("", *map(call, chosen, said))
    _report(scene, list(zip(chosen, said, strict=True)))


def announced(scene: Scene) -> None:
    """A sentence, then the call, because the user wants to be told first."""
    chosen = scene.random.choice(scene.functions)
    said = requests.mentions(scene.random, chosen)
    wish = scene.random.choice(
        ("first say what you do, then ", "tell me what you are doing and ", "say so and then ")
    )
    _request(scene, wish + _clause(scene, chosen, [said]), opened=False)
    scene.meant(chosen, said)
    scene.assistant(f"I will use {chosen.name}.", call(chosen, said))


def none_fits(scene: Scene) -> None:
    """A request that no function on offer can do."""
    while True:
        noun = (
            scene.random.choice(scene.functions).noun
            if scene.functions and scene.random.random() < 0.15
            else None
        )
        action: Action | None = scene.random.choice(ACTIONS)
        unusual = not (noun or scene.words.held_out) and scene.random.random() < 0.25
        if unusual and scene.random.random() < 0.5:
            other = everyday(scene.random, scene.words)
        else:
            other = function(scene.random, scene.words, None if unusual else action, noun)
        subjects = {tuple(f.noun.split("_")) for f in scene.functions}
        alike = any(
            confused(other, f) or (noun and f.noun == noun and _close(f, other))
            for f in scene.functions
        )
        if not alike and (noun or not any(set(other.noun.split("_")) & set(s) for s in subjects)):
            break
    said = requests.mentions(scene.random, other)
    _request(scene, requests.clause(scene.random, scene.words, other, [said]))
    scene.assistant(NONE_FITS if scene.functions or scene.code else NO_FUNCTIONS)


def _close(one: Function, other: Function) -> bool:
    """Whether two functions about one thing do too similar things for a request to refuse one."""
    return _act_alike(one, other) or {one.action, other.action} <= {"make", "edit"}


def missing(scene: Scene) -> None:
    """A request that lacks a required value; then the value, and the call."""
    chosen = scene.random.choice([f for f in scene.functions if f.required])
    said = requests.mentions(scene.random, chosen)
    lacking = scene.random.sample(
        chosen.required, min(len(chosen.required), scene.random.choice((1, 1, 1, 2)))
    )
    incomplete(scene, chosen, said, [p for p in chosen.required if p in lacking])


def incomplete(scene: Scene, chosen: Function, said: Said, lacking: list[Parameter]) -> None:
    """A request that says all of `said` but what is `lacking`; often that, and the call."""
    unsaid = {parameter.name for parameter in lacking}
    given = {name: mention for name, mention in said.items() if name not in unsaid}
    _request(scene, _clause(scene, chosen, [given]))
    scene.meant(chosen, given, lacking)
    scene.assistant(requests.question(chosen, lacking))
    if scene.random.random() < 0.7:
        rest = {parameter.name: said[parameter.name] for parameter in lacking}
        scene.user(requests.answer_to(scene.random, list(rest.values())))
        scene.meant(chosen, rest)
        scene.assistant("", call(chosen, said))
        _report(scene, [(chosen, said)])


def arithmetic(scene: Scene) -> None:
    """A sum for the code interpreter, its output, and the sentence that reports it."""
    random = scene.random
    numbers = [
        random.randint(1, 10 ** random.randint(1, 4)) for _ in range(random.choice((2, 2, 3)))
    ]
    sign, said = random.choice((("+", "plus"), ("-", "minus"), ("*", "times"), ("/", "divided by")))
    joint = random.choice((f" {sign} ", f" {said} ", sign))
    asked = joint.join(map(str, numbers))
    wording = random.choice(
        ("what is {}", "calculate {}", "compute {}", "how much is {}", "{}", "use python: {}")
    )
    _request(scene, wording.format(asked))
    source = f"print({f' {sign} '.join(map(str, numbers))})"
    scene.assistant("", Call(CODE_INTERPRETER, source))
    output = str(random.choice((random.randint(0, 10**6), round(random.random() * 1000, 3))))
    scene.tool(CODE_INTERPRETER, output)
    scene.assistant(f"The result is {output}.")


def small_talk(scene: Scene) -> None:
    """Something said for its own sake."""
    said, answer = scene.random.choice(small_talks(scene.words.split))
    if scene.random.random() < 0.5:
        said = said[0].upper() + said[1:]
    asks = said.lower().startswith(
        ("what", "who", "how", "are", "do ", "can", "why", "which", "may")
    )
    scene.user(said + scene.random.choice(("?", "?", "") if asks else (".", "!", "", "")))
    scene.assistant(answer)


def _clause(scene: Scene, chosen: Function, said: list[Said]) -> str:
    """A request's clause for a function on offer, which need not be told from one of its kind."""
    alone = sum(function.noun == chosen.noun for function in scene.functions) == 1
    return requests.clause(scene.random, scene.words, chosen, said, brief=alone)


def _request(scene: Scene, clause: str, *, opened: bool = True) -> None:
    scene.user(requests.sentence(scene.random, clause, opened=opened))


def _report(scene: Scene, calls: list[tuple[Function, Said]]) -> None:
    if not scene.results or scene.random.random() < 0.35:
        return
    given = [results.result(scene.random, scene.words, chosen, said) for chosen, said in calls]
    for (chosen, _), result in zip(calls, given, strict=True):
        scene.tool(chosen.name, result.content)
    scene.assistant(" ".join(result.report for result in given))
