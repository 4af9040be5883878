"""Drills in choosing a function, and in telling what a request leaves unsaid.

Reading the functions costs most of a conversation's tokens. Here many short questions are asked
about many small functions, so that the same tokens teach several times as many decisions.
"""

from random import Random

from functionary_sgl.chat.conversation import Conversation
from nano.conversations import (
    Episode,
    Scene,
    asked,
    missing,
    none_fits,
    offered,
    parallel_different,
    parallel_same,
    single,
    suitable,
)
from nano.words import Split, words

_WANTED: dict[Episode, int] = {
    single: 10,
    missing: 8,
    parallel_different: 4,
    parallel_same: 1,
    none_fits: 2,
}


def drill(random: Random, split: Split) -> Conversation:
    """A conversation for training: questions about three to nine functions of at most two
    parameters, without results."""
    drawn = words(split)
    functions = offered(random, drawn, random.randint(3, 9), most=2)
    scene = Scene(random, drawn, functions, code=False, results=False)
    wanted = {episode: _WANTED[episode] for episode in suitable(scene) if episode in _WANTED}
    for _ in range(random.randint(4, 8)):
        random.choices(list(wanted), list(wanted.values()))[0](scene)
    return asked(scene)
