"""Drills in choosing a function, and in telling what a request leaves unsaid.

Reading the functions costs most of a conversation's tokens. Here many questions are asked about the
same functions, none of which sees the others: each is a decision as new as the first of a
conversation, where a later one can repeat an earlier call.
"""

from collections.abc import Iterator
from random import Random

from functionary_sgl.chat.conversation import Conversation
from nano.data import requests
from nano.data.conversations import (
    Episode,
    complete,
    incomplete,
    missing,
    none_fits,
    offered,
    parallel_different,
    parallel_same,
    single,
    suitable,
)
from nano.data.functions import Function
from nano.data.parameters import spoken
from nano.data.scenes import Scene, asked
from nano.data.words import Split, words

_WANTED: dict[Episode, int] = {
    single: 6,
    missing: 1,
    parallel_different: 5,
    parallel_same: 2,
    none_fits: 2,
}
_PAIRS = 2
_DECISIONS = 6
# How often a request has one beside it that lacks a value: with one beside each, what is there is
# asked for too.
_LACKING = 0.5


def drill(random: Random, split: Split) -> list[Conversation]:
    """Conversations for training: each a question about the same one to nine functions, without
    results. The more functions, the fewer questions."""
    empty = _scene(random, split, random.randint(1, 9), most=random.choice((2, 2, 4)))
    scenes = [
        scene for _ in range(_PAIRS) for scene in _pair(empty, random.choice(empty.functions))
    ]
    for _ in range(max(2, 9 - len(empty.functions))):
        scene = empty.anew()
        wanted = {episode: _WANTED[episode] for episode in suitable(scene) if episode in _WANTED}
        random.choices(list(wanted), list(wanted.values()))[0](scene)
        scenes.append(scene)
    scenes.append(_need(empty, random.choice(empty.functions)))
    return [asked(scene) for scene in scenes]


def decisions(random: Random, split: Split) -> list[Conversation]:
    """Conversations for training: requests, many in pairs, about the same one to eight functions,
    to be read up to whom the first answer is to, so that few tokens hold many decisions."""
    empty = _scene(random, split, random.choice((1, 2, 2, 3, 3, 4, 5, 6, 7, 8)), most=4)
    functions = empty.functions
    # With more parameters, more of a request has to be understood to see what is not there.
    difficult = [2 + len(function.parameters) for function in functions]
    drawn = random.choices(functions, difficult, k=_DECISIONS)
    scenes = [scene for chosen in drawn for scene in _pair(empty, chosen)]
    none_fits(other := empty.anew())
    return [asked(scene) for scene in (*scenes, other)]


def needs(random: Random, split: Split) -> list[Conversation]:
    """Conversations for training: what each of two to six functions needs."""
    empty = _scene(random, split, random.randint(2, 6), most=random.choice((2, 3)))
    return [asked(_need(empty, function)) for function in empty.functions]


def _scene(random: Random, split: Split, count: int, most: int) -> Scene:
    drawn = words(split)
    functions = offered(random, drawn, count, most=most)
    return Scene(random, drawn, functions, code=False, results=False)


def _pair(empty: Scene, chosen: Function) -> Iterator[Scene]:
    """A request for `chosen`, and often one in like words that lacks a value, and so is answered
    with a question; or, as nothing is required, one with no value at all, answered with a call."""
    random = empty.random
    said = requests.mentions(random, chosen)
    wording = random.random()

    def alike() -> Scene:
        return empty.anew(Random(wording))

    complete(whole := alike(), chosen, said)
    yield whole
    if chosen.required:
        if random.random() < _LACKING:
            incomplete(part := alike(), chosen, said, [random.choice(chosen.required)])
            yield part
    elif said:
        complete(bare := alike(), chosen, {})
        yield bare


def _need(empty: Scene, function: Function) -> Scene:
    """What a function needs: nothing but finding its parameters among those of all the others, at
    which a model fails long after it finds the function."""
    scene = empty.anew()
    wording = empty.random.choice(
        ("What do you need for {}?", "What does {} need?", "Which values does {} need?")
    )
    named = function.name if empty.random.random() < 0.5 else spoken(function.name)
    scene.user(wording.format(named))
    scene.assistant(requests.question(function, function.required))
    return scene
